/*
 * Lines of one file, in order, and records picked out of the files of a run.
 */
#ifndef MITHRIL_DEDUP_REPORT_LINES_H
#define MITHRIL_DEDUP_REPORT_LINES_H

#include <stddef.h>

#include "dedup/report/report.h"

/* Calls `use` with each line of a file, decompressed; what it returns, unless 0, ends it and is returned.
 * -EBADMSG with *why (a line in static storage): the file is damaged. -ENOMEM, errors of the file. */
int dedup_lines_each(
	const char *path, int (*use)(void *ctx, const char *text, size_t len), void *ctx, const char **why);

struct dedup_report_text {
	struct dedup_report_place place;
	char *text; /* malloc'd */
	size_t len;
};

/* Reads the texts of `count` places, which are sorted by place and distinct. -ESTALE: the file has changed
 * since the run, or cannot be read twice; -EBADMSG, -ENOENT: the line is no record (any more); report->why
 * and path and line say where. -ENOMEM, errors of the files. What was read is the caller's to free, always.
 */
int dedup_report_texts(struct dedup_report *report, struct dedup_report_text *texts, size_t count);

#endif
