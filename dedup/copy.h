/*
 * The lines of a block that stay, put together.
 */
#ifndef MITHRIL_DEDUP_COPY_H
#define MITHRIL_DEDUP_COPY_H

#include "dedup/cut/rewrite.h"
#include "dedup/cut_set.h"
#include "dedup/dedup.h"
#include "dedup/gone.h"
#include "dedup/outcome.h"
#include "dedup/read/reader.h"

/* One thread's; zero it but for what is said. */
struct dedup_copy {
	struct dedup_sorter *lines; /* where something is cut: those that go (gone.h), of all threads */
	unsigned thread;	    /* of these */
	struct dedup_cut_reader cuts;
	struct dedup_result seen; /* counts: kept, cut, gone */
	struct dedup_rewritten rewritten;
};

/* Moves what stays of the block's lines to the start of its data, *len bytes, without what is
 * cut out of them; a line of whose text too little would be left is marked in the outcome. Every line of such
 * a block is looked at by one thread, so blocks may be gone through side by side. -ESTALE: a line is no
 * record any more; -ENOMEM; errors as dedup_cut_set_of and dedup_sorter_add. */
int dedup_copy_block(struct dedup_copy *copy, const struct dedup_options *options,
	const struct dedup_outcome *outcome, const struct dedup_cut_set *cuts, struct dedup_block *block,
	size_t *len);
/* Adds to result what was counted, but for `lines`. */
void dedup_copy_count(const struct dedup_copy *copy, struct dedup_result *result);
void dedup_copy_release(struct dedup_copy *copy);

#endif
