/*
 * The records of the stages' files. Numbers in them are big-endian, so that the order of bytes is theirs.
 */
#ifndef MITHRIL_DEDUP_SPILL_RECORD_H
#define MITHRIL_DEDUP_SPILL_RECORD_H

#include <stdint.h>

#include "store/util/bytes.h"

/* A text: hash 8, check 4, line 6, then its rank 8 where the policy of keeping has ranks. A band: key 8,
 * line 6. Lines are those of the shard. */
#define DEDUP_TEXT_CHECK 8
#define DEDUP_TEXT_LINE 12
#define DEDUP_TEXT_RANK 18
#define DEDUP_TEXT 18u
#define DEDUP_TEXT_RANKED 26u
#define DEDUP_BAND_LINE 8
#define DEDUP_BAND 14u

/* Shingles of a text: component 4, rank 8, line 6, count 4, then `bands` keys and `count` shingles of 8 each.
 * Lines here and below are those of the whole run. */
#define DEDUP_SHINGLES_RANK 4
#define DEDUP_SHINGLES_LINE 12
#define DEDUP_SHINGLES_COUNT 18
#define DEDUP_SHINGLES 22u

/* Two lines, 4 each; a tie has the similarity, a float, as well. */
#define DEDUP_EDGE 8u
#define DEDUP_TIE 12u

#endif
