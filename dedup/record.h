/*
 * The record of a run, by which reports are made later: a directory with
 *
 *	run.json              what was run on what, and what came of it: an object with "version", "time",
 *	                      "directory" (that paths are relative to), "output", "options", "inputs" ("path",
 *	                      "bytes", "mtime_ns" of each) and "summary", which is what --json prints
 *	duplicates.jsonl.zst  dedup/duplicates.h, compressed
 */
#ifndef MITHRIL_DEDUP_RECORD_H
#define MITHRIL_DEDUP_RECORD_H

#include <jansson.h>

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

#define DEDUP_RECORD_DIR ".mithril-dedup" /* in the output directory */
#define DEDUP_RECORD_RUN "run.json"
#define DEDUP_RECORD_DUPLICATES "duplicates.jsonl.zst"

/* What mithril-dedup --json prints; the caller's. NULL: no memory. */
json_t *dedup_record_summary(const struct dedup_options *options, const struct dedup_result *result);

/* Writes run.json. -ENOMEM; errors as dedup_outfile_write. */
int dedup_record_write(
	const struct dedup_options *options, const struct dedup_result *result, struct dedup_outfile *file);

#endif
