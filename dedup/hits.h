/*
 * Which items of the second set the texts hit that go for it.
 */
#ifndef MITHRIL_DEDUP_HITS_H
#define MITHRIL_DEDUP_HITS_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/sorter.h"

/* By line, in the order of lines. Zero it first. */
struct dedup_hits {
	struct dedup_sorter *sorter;
};

/* Errors as dedup_run; with a work, what is found is on disk. To be released also after a failure. */
int dedup_hits_find(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_hits *hits, struct dedup_result *result);
void dedup_hits_release(struct dedup_hits *hits);

struct dedup_hit {
	uint32_t item;
	float overlap;
};
/* The hit of line `id`, from a sequence of hits->sorter in which it comes next or later. -ESTALE: there is
 * none; errors as dedup_sequence_next. */
int dedup_hit_next(struct dedup_sequence *sequence, uint32_t id, struct dedup_hit *hit);

#endif
