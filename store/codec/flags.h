/*
 * Flags that are mostly clear, as 1 to 64 interleaved streams of static binary rANS.
 *
 * Flag i belongs to lane i mod L. Lanes are states as in rans.h, 2^15 <= x < 2^31, in a payload of 16-bit
 * words. Each flag has a class, and each class the frequency of a clear flag, 1 <= f <= 2^12:
 *
 *   slot = x mod 2^12; the flag is clear if slot < f, and then x = f * (x >> 12) + slot; or it is set, and
 *   x = (2^12 - f) * (x >> 12) + slot - f
 *
 * and if x is below 2^15 then, the lane takes the next word w: x = x << 16 | w. The encoder runs it backwards
 * from any states of 16 bits with the top one set. A class whose f is 2^12 costs nothing and has no set flag.
 *
 * Many flags of little content want no search and no branch: a row of vectors decides as many as it has
 * lanes.
 *
 * Three implementations with the same bytes: portable C, and AVX2 or AVX-512 where the machine has them.
 * Sources: those of rans.h.
 */
#ifndef MITHRIL_STORE_CODEC_FLAGS_H
#define MITHRIL_STORE_CODEC_FLAGS_H

#include "store/codec/rans.h"

#define FLAGS_BITS 12
#define FLAGS_ONE (1u << FLAGS_BITS)
#define FLAGS_ROW 64u /* flags of a word, and lanes at most */

#define FLAGS_SLACK (2 * FLAGS_ROW + 64)

struct flags_coder {
	uint32_t lanes[FLAGS_ROW];
	unsigned lane_count; /* a power of two */
	uint8_t *at, *limit; /* of words, as in rans.h */
	const struct rans_shuffles *shuffles;
	uint32_t set[256]; /* 2^12 - f of each class */
	unsigned window;   /* of set, as in rans.h */
	/* how to divide by the frequency of a flag that is clear, or set */
	uint32_t reciprocal[2][256], rest[2][256];
};

/* Sets c->window from c->set, and what encoding needs if `forward`. */
void flags_prepare(struct flags_coder *c, int forward);

struct flags_ops {
	/* Flag i is bit i % 64 of flags[i / 64]. Encodes n, the last one first, of the given classes; words
	 * go down from c->at. 0, or -ENOBUFS when they would pass c->limit. */
	int (*encode)(struct flags_coder *c, const uint8_t *classes, const uint64_t *flags, size_t n);
	/* Decodes n; bits behind them are clear. Words from c->at up to c->limit, behind which FLAGS_SLACK
	 * bytes may be read. 0, or -EBADMSG when the words end. */
	int (*decode)(struct flags_coder *c, const uint8_t *classes, uint64_t *flags, size_t n);
};

extern const struct flags_ops flags_portable;
const struct flags_ops *flags_best(void);

#endif
