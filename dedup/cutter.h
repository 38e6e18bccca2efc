/*
 * What the methods that cut have in common. Private to cutting.c, which has them go one after the other, and
 * the files of the methods: cut_units.c lines and paragraphs, cut_substrings.c substrings. Another method is
 * another of these, and a field of struct dedup_cutting.
 */
#ifndef MITHRIL_DEDUP_CUTTER_H
#define MITHRIL_DEDUP_CUTTER_H

#include "dedup/cut/units.h"
#include "dedup/walk.h"

struct dedup_cutter {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_result *result;
	struct dedup_cuts *cuts; /* so far, settled */
};

/* Goes through the texts as `cuts` leave them. As dedup_walk. */
int dedup_cutter_walk(struct dedup_cutter *cutter, const char *stage, void *ctx,
	int (*text)(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len));
/* So many bytes were in use, beside the outcome. */
void dedup_cutter_memory(struct dedup_cutter *cutter, uint64_t bytes);
/* Each thread's cuts to `all`, which are settled, and releases them. -ENOMEM. */
int dedup_cutter_gather(struct dedup_cutter *cutter, struct dedup_cuts *found, struct dedup_cuts *all);

/* Lines or paragraphs of `least` bytes or more. Errors as dedup_run. */
int dedup_cut_units(struct dedup_cutter *cutter, enum dedup_unit_kind kind, size_t least);
/* Substrings of options->cutting. */
int dedup_cut_substrings(struct dedup_cutter *cutter);

#endif
