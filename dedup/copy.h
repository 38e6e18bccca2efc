/*
 * The lines of a block that stay, put together.
 */
#ifndef MITHRIL_DEDUP_COPY_H
#define MITHRIL_DEDUP_COPY_H

#include "dedup/cut/cuts.h"
#include "dedup/cut/rewrite.h"
#include "dedup/dedup.h"
#include "dedup/gone.h"
#include "dedup/outcome.h"
#include "dedup/read/reader.h"

/* One thread's; zero it first. */
struct dedup_copy {
	struct dedup_result seen; /* counts: kept, cut, gone */
	struct dedup_rewritten rewritten;
	struct dedup_gone_lines gone; /* where something is cut */
};

/* Moves what stays of the block's lines to the start of its data, *len bytes, without what `cuts` (settled)
 * cut out of them; a line of whose text too little would be left is marked in the outcome. Every line of such
 * a block is looked at by one thread, so blocks may be gone through side by side. -ESTALE: a line is no
 * record any more; -ENOMEM. */
int dedup_copy_block(struct dedup_copy *copy, const struct dedup_options *options,
	const struct dedup_outcome *outcome, const struct dedup_cuts *cuts, struct dedup_block *block,
	size_t *len);
/* When all blocks of all threads are done: adds to result what was counted. */
void dedup_copy_count(
	struct dedup_copy *copy, const struct dedup_outcome *outcome, struct dedup_result *result);
void dedup_copy_release(struct dedup_copy *copy);

#endif
