/*
 * The second pass where no record is written: how many stay, and how large they are.
 */
#ifndef MITHRIL_DEDUP_COUNT_H
#define MITHRIL_DEDUP_COUNT_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"

/* By all threads, block by block. Adds to result. As dedup_filter. */
int dedup_count(const struct dedup_options *options, const struct dedup_outcome *outcome,
	struct dedup_result *result);

#endif
