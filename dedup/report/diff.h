/*
 * What two texts differ in, word by word.
 */
#ifndef MITHRIL_DEDUP_REPORT_DIFF_H
#define MITHRIL_DEDUP_REPORT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_word {
	const char *text;
	size_t len;
	uint64_t hash;
	bool glued; /* no white space stands between it and the one before */
};

/* Words as white space (ASCII's) separates them; a wide letter or punctuation mark, as Chinese and Japanese
 * are written in without white space, is a word by itself. */
struct dedup_word_list {
	struct dedup_word *v; /* point into the text */
	size_t count, capacity;
};
/* -ENOMEM. Zero it first. */
int dedup_word_list_of(struct dedup_word_list *list, const char *text, size_t len);
void dedup_word_list_release(struct dedup_word_list *list);

enum dedup_edit_kind { DEDUP_EDIT_SAME, DEDUP_EDIT_GONE, DEDUP_EDIT_NEW };

/* `count` words from word a of the first list and word b of the second; words that are GONE are of the first
 * only, NEW ones of the second only. */
struct dedup_edit {
	enum dedup_edit_kind kind;
	size_t a, b, count;
};
struct dedup_edits {
	struct dedup_edit *v;
	size_t count, capacity;
};

#define DEDUP_DIFF_MAX 2000 /* words in which texts may differ and the shortest way be found */

/* The edits that lead from one list to the other: Myers, "An O(ND) difference algorithm and its variations",
 * 1986, the shortest way; where more than DEDUP_DIFF_MAX words differ, all between their common beginning and
 * end is GONE and NEW. O(N + DEDUP_DIFF_MAX^2) time and memory. -ENOMEM. Zero `edits` first. */
int dedup_diff(struct dedup_edits *edits, const struct dedup_word_list *a, const struct dedup_word_list *b);
void dedup_edits_release(struct dedup_edits *edits);

#endif
