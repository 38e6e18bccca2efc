/*
 * What a report tells, put together for showing.
 */
#ifndef MITHRIL_DEDUP_REPORT_PARTS_H
#define MITHRIL_DEDUP_REPORT_PARTS_H

#include "dedup/report/report.h"

/* "FILE:LINE", as the run named it; `text` is returned. */
#define DEDUP_PLACE (PATH_MAX + 16)
char *dedup_report_name(
	char text[DEDUP_PLACE], const struct dedup_report *report, struct dedup_report_place place);
/* How similar the least similar member is to its keeper. */
double dedup_report_least(const struct dedup_report *report, const struct dedup_report_cluster *cluster);

/* What was looked for, as --method names it; `text` is returned. */
#define DEDUP_METHODS 320
const char *dedup_report_methods(char text[DEDUP_METHODS], const struct dedup_report *report);

/* Clusters by their size, the keeper counted: 2, 3, 4, 5 to 8, 9 to 16, ...; the classes that there are up to
 * the largest. */
#define DEDUP_SIZES 34
struct dedup_sizes {
	struct {
		uint64_t from, to, clusters;
	} v[DEDUP_SIZES];
	size_t count;
};
void dedup_report_sizes(struct dedup_sizes *sizes, const struct dedup_report *report);

/* Bins of the histogram put together until all that are filled are at most `most`: each is `width` bins wide,
 * from bin `first` on. */
struct dedup_bars {
	size_t first, width, count;
};
struct dedup_bars dedup_report_bars(const struct dedup_report *report, size_t most);
uint64_t dedup_report_bar(const struct dedup_report *report, struct dedup_bars bars, size_t bar);

/* All of it as mithril-dedup report --json prints it; the caller's. NULL: no memory. */
json_t *dedup_report_object(const struct dedup_report *report, size_t largest);

#endif
