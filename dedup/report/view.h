/*
 * Records that go beside those that stay for them, cluster by cluster, what they differ in marked.
 */
#ifndef MITHRIL_DEDUP_REPORT_VIEW_H
#define MITHRIL_DEDUP_REPORT_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "dedup/report/report.h"
#include "dedup/report/side.h"

#define DEDUP_VIEW_CLUSTERS 10u
#define DEDUP_VIEW_MEMBERS 3u
#define DEDUP_VIEW_WIDTH 120u
#define DEDUP_VIEW_CONTEXT 8u /* words around a difference */
#define DEDUP_VIEW_WHOLE (SIZE_MAX / 4)

struct dedup_view_options {
	size_t largest, members;  /* clusters, where none is named, and of each those that go */
	const char *const *names; /* records, as FILE:LINE, whose clusters are shown */
	size_t name_count;
	struct side_style style;
	bool json; /* one object instead, as mithril-dedup clusters --json has it */
};

/* Writes what mithril-dedup clusters prints; the inputs of the run are read once. Members of the report's
 * clusters change their order. -ESRCH: *unknown, one of the names, is in no cluster. -ENOMEM; errors of
 * dedup_report_texts, and then report->why, path and line say more. Errors of `out` are left to ferror. */
int dedup_view(FILE *out, struct dedup_report *report, const struct dedup_view_options *options,
	const char **unknown);

#endif
