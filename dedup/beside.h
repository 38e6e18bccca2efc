/*
 * What a run leaves beside the records: lists of duplicates and clusters, the mask, the quarantine, and the
 * record of the run.
 */
#ifndef MITHRIL_DEDUP_BESIDE_H
#define MITHRIL_DEDUP_BESIDE_H

#include "dedup/dedup.h"
#include "dedup/hits.h"
#include "dedup/outcome.h"
#include "dedup/work.h"
#include "dedup/write/outfile.h"

#define DEDUP_BESIDE 6

struct dedup_beside {
	struct dedup_outfile files[DEDUP_BESIDE]; /* of what is not asked for: zeroed */
};

/* Where one would replace an input or another file, without `force`: -EEXIST, with result->fault. The record
 * of an earlier run may be replaced. */
int dedup_beside_check(const struct dedup_options *options, struct dedup_result *result);
/* Writes and syncs them under temporary names, with the help of the work (NULL: of memory). The result is
 * counted. -ENOMEM, -ESTALE and errors of the files, with result->path. `beside` is zeroed before, and is to
 * be released. */
int dedup_beside_write(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, const struct dedup_hits *hits, struct dedup_beside *beside,
	struct dedup_result *result);
/* Gives them their names. */
int dedup_beside_publish(
	const struct dedup_options *options, struct dedup_beside *beside, struct dedup_result *result);
/* Removes what a process that was killed has left of them. */
void dedup_beside_remove_left(const struct dedup_options *options, uint64_t process);
/* Removes what has not been published. */
void dedup_beside_release(struct dedup_beside *beside);

#endif
