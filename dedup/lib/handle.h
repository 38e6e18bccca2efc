/*
 * What is behind a struct mithril_dedup. run.c: its runs; lib_report.c: reports of earlier ones; lib.c: all
 * other calls of mithril-dedup.h.
 */
#ifndef MITHRIL_DEDUP_LIB_HANDLE_H
#define MITHRIL_DEDUP_LIB_HANDLE_H

#include "dedup/arrow/source.h"
#include "dedup/cut/cuts.h"
#include "dedup/lib/job.h"
#include "dedup/lib/strings.h"
#include "dedup/outcome.h"

struct mithril_dedup {
	struct dedup_strings strings;
	struct dedup_job job;
	struct arrow_source source;
	struct dedup_outcome outcome;
	struct dedup_cuts cuts;
	struct dedup_result result;
	double seconds;
	uint64_t rows, kept;
	uint8_t *mask;
	char *summary, *report;
	bool is_good; /* its options */
	bool has_run;
	char error[PATH_MAX + 256];
};

/* Sets the error; returns `rc`. */
int dedup_lib_fail(struct mithril_dedup *dedup, int rc, const char *why);

#endif
