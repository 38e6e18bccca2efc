/*
 * How far a run is, on a terminal: what is done of how much, how fast, and the time left.
 */
#ifndef MITHRIL_TOOLS_DEDUP_PROGRESS_H
#define MITHRIL_TOOLS_DEDUP_PROGRESS_H

#include <stdint.h>

#include "tools/print.h"

/* Zero it first. */
struct dedup_progress {
	struct print_progress line;
	const char *stage; /* the one at hand */
	uint64_t last;	   /* what of it was done */
	uint64_t start_ns; /* of it */
};

/* As dedup_options.progress calls it; the stage is in static storage. Bytes, but for "comparing", which is of
 * texts, and "merging", of hashes and keys. */
void dedup_progress_show(struct dedup_progress *progress, const char *stage, uint64_t done, uint64_t of);

#define DEDUP_PROGRESS_TEXT 160
/* The line, for a stage that has taken so many seconds. */
void dedup_progress_format(
	char text[DEDUP_PROGRESS_TEXT], const char *stage, uint64_t done, uint64_t of, double seconds);

#endif
