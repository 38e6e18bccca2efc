/*
 * All that a run writes, once it is known what becomes of each line: nothing has its name before all is
 * whole.
 */
#ifndef MITHRIL_DEDUP_OUTPUT_H
#define MITHRIL_DEDUP_OUTPUT_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"

/* As dedup_filter and dedup_duplicates_write. */
int dedup_output(const struct dedup_options *options, const struct dedup_outcome *outcome,
	struct dedup_result *result);

#endif
