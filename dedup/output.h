/*
 * All that a run writes, once it is known what becomes of each line: nothing has its name before all is
 * whole.
 */
#ifndef MITHRIL_DEDUP_OUTPUT_H
#define MITHRIL_DEDUP_OUTPUT_H

#include "dedup/cut/cuts.h"
#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/work.h"

/* Where it would replace an input or another file: dedup_filter_check and dedup_beside_check. */
int dedup_output_check(const struct dedup_options *options, struct dedup_result *result);
/* As dedup_filter and dedup_beside_write. `cuts` (NULL: not wanted), zeroed before, becomes what is cut
 * out of the texts that stay, settled, and is the caller's to release, after a failure too. `work` NULL: all
 * is in memory. `start` is when the run began, by clock_now_ns. */
int dedup_output(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_cuts *cuts, uint64_t start,
	struct dedup_result *result);

#endif
