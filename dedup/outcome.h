/*
 * What becomes of each line: the answer of a run, of which every output and report is made. 4 bytes a line,
 * and 4 more where texts go for similar ones.
 *
 * A line that goes has a keeper, one that stays: of the same text, or of one that is similar to it. Lines
 * lead to their keepers in at most two steps, one to the line that stands for all with the same text, and
 * one from there; dedup_outcome_of goes both. Lines are numbered from 0 through all files.
 */
#ifndef MITHRIL_DEDUP_OUTCOME_H
#define MITHRIL_DEDUP_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/lines.h"

enum dedup_how {
	DEDUP_HOW_STAYS,
	DEDUP_HOW_BLANK,   /* no record; it is copied */
	DEDUP_HOW_BAD,	   /* a fault; it is not copied */
	DEDUP_HOW_EXACT,   /* goes: the keeper has the same text */
	DEDUP_HOW_NEAR,	   /* goes: the keeper has a similar one */
	DEDUP_HOW_GONE,	   /* goes, and nobody knows for which */
	DEDUP_HOW_AGAINST, /* goes: its text hits the second set */
	DEDUP_HOW_CUT,	   /* goes: what it has stands in earlier ones, piece by piece */
};

struct dedup_outcome {
	struct dedup_lines lines;
	uint32_t *first_ids; /* of each of `inputs` files' first line, and the number of all lines */
	size_t inputs;
	/* Of DEDUP_LINES_SEGMENT lines each: how similar they are to the one they go for; below 0: that is
	 * not why they go. NULL: none of them goes so. */
	float *similarities[1u << 14];
};

int dedup_outcome_init(struct dedup_outcome *outcome, size_t inputs); /* -ENOMEM */
void dedup_outcome_release(struct dedup_outcome *outcome);
/* Bytes that are in use; room for lines that are not there yet takes none. */
size_t dedup_outcome_memory(const struct dedup_outcome *outcome);

/* Lines with the same text lead, by steps, to the lowest of them; afterwards each leads straight to the one
 * that stays for them: the one that comes before the others by `before`, or (NULL) the lowest. */
void dedup_outcome_settle(struct dedup_outcome *outcome,
	bool (*before)(const void *ctx, uint32_t a, uint32_t b), const void *ctx);
/* Line `id` goes for `keeper`, one that stays, to which it is similar. -ENOMEM. */
int dedup_outcome_tie(struct dedup_outcome *outcome, uint32_t id, uint32_t keeper, double similarity);
/* Whether it does, and how similar it is. */
bool dedup_outcome_is_tied(const struct dedup_outcome *outcome, uint32_t id, float *similarity);

/* Lines of all files. */
uint32_t dedup_outcome_lines(const struct dedup_outcome *outcome);
/* The file that the line is in: its number there is id - first_ids[file], from 0. */
size_t dedup_outcome_input(const struct dedup_outcome *outcome, uint32_t id);

struct dedup_fate {
	enum dedup_how how;
	uint32_t keeper;   /* the line itself where it does not go, and where nobody knows */
	double similarity; /* to the keeper; 1 for the same text */
	bool is_copy;	   /* another line has the same text and stands for it, and may go itself */
};
struct dedup_fate dedup_outcome_of(const struct dedup_outcome *outcome, uint32_t id);

#endif
