/*
 * The second pass over the inputs: copies the lines that stay, byte for byte and in order, each file to one
 * of the same name and compression, or all to one. Of those that something is cut out of, only the text
 * changes.
 *
 * filter.c goes through the records, with copy.h; filter_files.c is about the names of what it writes.
 */
#ifndef MITHRIL_DEDUP_FILTER_H
#define MITHRIL_DEDUP_FILTER_H

#include "dedup/cut_set.h"
#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

struct dedup_filter {
	struct dedup_outfile *files; /* one an input, or one */
	size_t count;
};

/* Where the output would replace an input or another file, without `force`: -EEXIST, with result->fault. */
int dedup_filter_check(const struct dedup_options *options, struct dedup_result *result);
/* Writes and syncs all files under temporary names; without an output directory, only counts. Adds to result.
 * `work` NULL: what it needs is in memory. Errors as dedup_run. */
int dedup_filter(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, const struct dedup_cut_set *cuts, struct dedup_filter *filter,
	struct dedup_result *result);
/* Gives all files their names. */
int dedup_filter_publish(
	const struct dedup_options *options, struct dedup_filter *filter, struct dedup_result *result);
/* Removes what has not been published. */
void dedup_filter_release(struct dedup_filter *filter);

#endif
