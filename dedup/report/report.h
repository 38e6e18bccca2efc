/*
 * The record of a run (dedup/record.h), read again: what went for what, cluster by cluster. A record is a
 * file like any other: all of it is checked.
 */
#ifndef MITHRIL_DEDUP_REPORT_REPORT_H
#define MITHRIL_DEDUP_REPORT_REPORT_H

#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/outcome.h"

struct dedup_report_place {
	uint32_t input; /* of the record's list */
	uint32_t line;	/* from 1 */
};

/* A line that goes for another. */
struct dedup_report_member {
	struct dedup_report_place id, keeper;
	float similarity;
	uint32_t how; /* enum dedup_how */
};

struct dedup_report_cluster {
	size_t first, count; /* members that go; the keeper is one more */
};

#define DEDUP_REPORT_BINS 100u /* of similarity: [0, .01), ..., [.99, 1], 1 in the last */

struct dedup_report {
	char dir[PATH_MAX]; /* of the record */
	json_t *run;	    /* run.json */
	char **inputs;	    /* their paths, absolute or from here */
	size_t input_count;
	struct dedup_report_member *members; /* by keeper, then by line */
	size_t count, capacity;
	struct dedup_report_cluster *clusters; /* the largest first, then by the keeper's place */
	size_t cluster_count;
	uint64_t histogram[DEDUP_REPORT_BINS]; /* of those that go for a similar text */
	/* What was wrong: a line in static storage, and where. */
	const char *why;
	char path[PATH_MAX];
	uint64_t line; /* 0: the file as a whole */
};

/* Reads the record at `place`, the output directory or file of a run, or the record's own directory.
 * 24 bytes of memory a line that goes. -ENOENT: there is none; -EBADMSG: it is damaged; -ENOMEM; errors of
 * the files. `report` is to be released after a failure too. */
int dedup_report_load(struct dedup_report *report, const char *place);
void dedup_report_release(struct dedup_report *report);

/* A number or text of run.json's object `of` ("summary", "options"); 0 or "" where there is none. */
double dedup_report_number(const struct dedup_report *report, const char *of, const char *name);
const char *dedup_report_text(const struct dedup_report *report, const char *of, const char *name);

#endif
