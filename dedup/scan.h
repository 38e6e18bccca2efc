/*
 * The first pass over the inputs: every record's text, its exact duplicates, and a sketch of each distinct
 * text.
 */
#ifndef MITHRIL_DEDUP_SCAN_H
#define MITHRIL_DEDUP_SCAN_H

#include "dedup/arena.h"
#include "dedup/dedup.h"
#include "dedup/group/near.h"
#include "dedup/outcome.h"
#include "dedup/ranks.h"

struct dedup_scan_fault {
	uint32_t id;
	uint32_t input;
	uint64_t line; /* from 1 */
	const char *why;
};

struct dedup_scan {
	struct dedup_text
		*texts; /* distinct, in the order of preference; none unless near duplicates are asked for */
	size_t text_count;
	struct dedup_scan_fault *faults; /* in order */
	size_t fault_count;
	struct dedup_arena *arenas; /* hold what the texts point to; one a thread */
	unsigned threads;
	size_t table_memory;
};

/* Settles in `outcome`, an initialised one, what has the same text by `ranks`, another one, and adds to
 * result what it has counted. -EBADMSG with DEDUP_STOP: the first fault alone is in `scan`. Otherwise as
 * dedup_run. */
int dedup_scan(const struct dedup_options *options, struct dedup_outcome *outcome, struct dedup_ranks *ranks,
	struct dedup_scan *scan, struct dedup_result *result);
void dedup_scan_release(struct dedup_scan *scan);

#endif
