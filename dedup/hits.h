/*
 * Which items of the second set the texts hit that go for it.
 */
#ifndef MITHRIL_DEDUP_HITS_H
#define MITHRIL_DEDUP_HITS_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"

struct dedup_hit {
	uint32_t id, item;
	float overlap;
};

struct dedup_hits {
	struct dedup_hit *v; /* by id */
	size_t count, capacity;
};

/* Looks all of them up again, in a pass over the inputs; `hits` is zeroed. Errors as dedup_run. */
int dedup_hits_find(const struct dedup_options *options, const struct dedup_outcome *outcome,
	struct dedup_hits *hits, struct dedup_result *result);
void dedup_hits_release(struct dedup_hits *hits);

/* NULL: the line is none of them. */
const struct dedup_hit *dedup_hits_of(const struct dedup_hits *hits, uint32_t id);

#endif
