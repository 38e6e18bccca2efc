/*
 * The list of clusters: a JSON object a line for each line that stays and others go for, {"keeper":
 * "FILE:LINE", "size": N, "members": [{"id": "FILE:LINE", "similarity": S, "method": M}, ...]}, in the order
 * of the keepers. The size counts the keeper; members are those that go for it, in the order of lines.
 */
#ifndef MITHRIL_DEDUP_CLUSTERS_H
#define MITHRIL_DEDUP_CLUSTERS_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/work.h"
#include "dedup/write/outfile.h"

/* 12 bytes a line that goes, in memory or, with a work, on disk. -ENOMEM; errors as dedup_outfile_write and
 * dedup_sorter_finish. */
int dedup_clusters_write(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_outfile *file);

#endif
