/*
 * Another pass over the inputs: every text that stays so far, without what is cut out of it so far; or those
 * with some other mark.
 */
#ifndef MITHRIL_DEDUP_WALK_H
#define MITHRIL_DEDUP_WALK_H

#include "dedup/cut_set.h"
#include "dedup/dedup.h"
#include "dedup/outcome.h"

struct dedup_walk {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome; /* of all inputs */
	uint32_t mark;			     /* of lines.h: which lines; 0: those that stay */
	const struct dedup_cut_set *cuts;    /* NULL: none */
	const char *stage;		     /* for progress */
	/* Called by any of options->threads threads, with texts in any order; `text` is theirs meanwhile.
	 * Below 0 ends the walk. */
	int (*text)(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len);
	void *ctx;
};

/* Errors as dedup_run, and what `text` returned; result->fault says which file. */
int dedup_walk(const struct dedup_walk *walk, struct dedup_result *result);

#endif
