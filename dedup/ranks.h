/*
 * Which of duplicates stays: every line has a rank by the policy, the lowest goes first, of equal ones the
 * first line. 8 bytes a line, where ranks are the records' own.
 */
#ifndef MITHRIL_DEDUP_RANKS_H
#define MITHRIL_DEDUP_RANKS_H

#include <stdbool.h>

#include "dedup/dedup.h"
#include "dedup/json/json.h"
#include "dedup/outcome.h"

struct dedup_ranks {
	enum dedup_keep keep;
	const char *by;
	const struct dedup_outcome *outcome;
	uint32_t *of_inputs; /* DEDUP_KEEP_PREFER */
	uint64_t
		*segments[1u << 14]; /* of DEDUP_LINES_SEGMENT lines; the other policies, but for the first */
};

/* options and outcome are kept. -ENOMEM. */
int dedup_ranks_init(
	struct dedup_ranks *ranks, const struct dedup_options *options, const struct dedup_outcome *outcome);
void dedup_ranks_release(struct dedup_ranks *ranks);
size_t dedup_ranks_memory(const struct dedup_ranks *ranks);

/* Whether ranks are the records' own, not the files' or lines'. */
bool dedup_ranks_are_own(const struct dedup_ranks *ranks);
/* Room for lines up to `id`, itself included. One thread at a time. -ENOMEM. */
int dedup_ranks_room(struct dedup_ranks *ranks, uint32_t id);
/* The rank of a record whose text has `bytes`, parsed by `json` just now (NULL: no JSON). */
uint64_t dedup_rank_of(const struct dedup_ranks *ranks, struct dedup_json *json, size_t bytes);
/* Line `id`, which room was made for, has this rank. */
void dedup_ranks_note(struct dedup_ranks *ranks, uint32_t id, uint64_t rank);

/* What was noted; all lines of all files are known. */
uint64_t dedup_ranks_at(const struct dedup_ranks *ranks, uint32_t id);
/* Whether line `a` rather than `b` stays. `ranks` is a struct dedup_ranks, as dedup_outcome_settle has it. */
bool dedup_ranks_before(const void *ranks, uint32_t a, uint32_t b);

#endif
