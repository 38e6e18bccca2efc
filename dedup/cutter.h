/*
 * What the methods that cut have in common. Private to cutting.c, which has them go one after the other, and
 * the files of the methods: cut_units.c lines and paragraphs, cut_substrings.c substrings. Another method is
 * another of these, and a field of struct dedup_cutting.
 */
#ifndef MITHRIL_DEDUP_CUTTER_H
#define MITHRIL_DEDUP_CUTTER_H

#include "dedup/cut/units.h"
#include "dedup/cut_set.h"
#include "dedup/walk.h"

struct dedup_cutter {
	const struct dedup_options *options;
	const struct dedup_outcome *outcome;
	struct dedup_result *result;
	const struct dedup_work *work; /* NULL: all in memory */
	struct dedup_cut_set *cuts;    /* so far */
	uint64_t memory;	       /* bytes that tables may take; 0: any number */
};

/* Goes through the texts as `cuts` leave them. As dedup_walk. */
int dedup_cutter_walk(struct dedup_cutter *cutter, const char *stage, void *ctx,
	int (*text)(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len));
/* So many bytes were in use, beside the outcome. */
void dedup_cutter_memory(struct dedup_cutter *cutter, uint64_t bytes);
/* A sorter for what is found, and the sink that fills it. As dedup_sorter_new. */
int dedup_cutter_sorter(
	struct dedup_cutter *cutter, struct dedup_sorter **found, struct dedup_cut_sink *sink);
/* Finishes the sorter and adds what it holds to `set`, as dedup_cut_set_add; frees it. */
int dedup_cutter_take(struct dedup_cutter *cutter, struct dedup_cut_set *set, struct dedup_sorter **found,
	void (*fix)(struct dedup_cuts *line));

/* Lines or paragraphs of `least` bytes or more. Errors as dedup_run. */
int dedup_cut_units(struct dedup_cutter *cutter, enum dedup_unit_kind kind, size_t least);
/* Substrings of options->cutting. */
int dedup_cut_substrings(struct dedup_cutter *cutter);

#endif
