/*
 * The records that could not be used: a JSON object a line, {"file": F, "line": N, "reason": R, "record": T},
 * where a record that is no UTF-8 is "base64" instead, and one that could not be had (too long, or in the
 * damaged part of a file) is null.
 */
#ifndef MITHRIL_DEDUP_QUARANTINE_H
#define MITHRIL_DEDUP_QUARANTINE_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

/* Reads the files that have such records once more, in order. -ENOMEM; -ESTALE: one has changed; errors of
 * the files, and as dedup_outfile_write. */
int dedup_quarantine_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file);

#endif
