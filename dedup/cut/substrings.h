/*
 * Substrings that stand earlier already. A window is `length` bytes of a text that lie together. It is
 * repeated if the same bytes are a window of an earlier text, or of the same one and end before it begins.
 * What repeated windows cover is cut: every substring of `length` bytes or more, but for where it stands
 * first. That is exact; windows are compared byte by byte.
 *
 * Suffix arrays give the same answer, of the corpus as a whole in five times its memory, or of shards that
 * are then held against each other. Here windows that are the same have chosen the same gram (winnow.h), so
 * grams are looked at instead, one in some 30 bytes, and those that are in the corpus once only lead to
 * nobody, which a table of two bits tells. The windows of what is left are compared gram by gram. So memory
 * is bounded by taking the grams in parts, by the range of their hashes, and parts need not be put together:
 * no window belongs to two.
 *
 *	for each text: note; when memory is limited, for each text: count
 *	while dedup_substrings_more: for each text: collect; then settle
 *
 * Each of the first three may be called by any number of threads with texts in any order.
 */
#ifndef MITHRIL_DEDUP_CUT_SUBSTRINGS_H
#define MITHRIL_DEDUP_CUT_SUBSTRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/cut/cuts.h"

#define DEDUP_SUBSTRING 100u /* bytes, the usual length */
#define DEDUP_SUBSTRING_MIN 16u
#define DEDUP_SUBSTRING_MAX 4096u
#define DEDUP_SUBSTRING_WORDS_MIN 2u /* where words are compared, by 8 bytes each */
#define DEDUP_SUBSTRING_WORDS_MAX 512u

struct dedup_substrings;
/* `text_bytes`: of all texts, about. `memory`: bytes that parts may take, the table of grams included; 0: as
 * much as it is, in one part. What is found goes into the sink, by any thread. -ENOMEM. */
int dedup_substrings_new(size_t length, unsigned threads, uint64_t text_bytes, uint64_t memory,
	const struct dedup_cut_sink *sink, struct dedup_substrings **substrings);
void dedup_substrings_free(struct dedup_substrings *substrings);

void dedup_substrings_note(
	struct dedup_substrings *substrings, unsigned thread, const char *text, size_t len);
/* Whether there is a limit. */
bool dedup_substrings_is_limited(const struct dedup_substrings *substrings);
void dedup_substrings_count(
	struct dedup_substrings *substrings, unsigned thread, const char *text, size_t len);

/* Begins the next part; false: there is none. */
bool dedup_substrings_more(struct dedup_substrings *substrings);
int dedup_substrings_collect(struct dedup_substrings *substrings, unsigned thread, uint32_t id,
	const char *text, size_t len); /* -ENOMEM, what the sink says */
/* Finds what the part has. -ENOMEM, what the sink says. */
int dedup_substrings_settle(struct dedup_substrings *substrings);
/* The most bytes that were allocated at once. */
uint64_t dedup_substrings_memory(const struct dedup_substrings *substrings);

#endif
