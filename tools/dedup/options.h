/*
 * The command line of mithril-dedup(1).
 */
#ifndef MITHRIL_TOOLS_DEDUP_OPTIONS_H
#define MITHRIL_TOOLS_DEDUP_OPTIONS_H

#include <stdbool.h>

#include "dedup/dedup.h"

struct dedup_command {
	struct dedup_options dedup; /* inputs and ctx are left to the caller */
	enum dedup_format format;
	bool json, dry_run, explain, no_record, threshold_given;
	const char **against; /* `against_count` names of the second set's files; allocated */
	size_t against_count, against_capacity,
		against_few;	   /* few: items of too few words, once it is loaded */
	const char *against_field; /* NULL: as field */
	enum dedup_overlap overlap;
	double overlap_least;	/* below 0: any, or what near duplicates are */
	unsigned overlap_ngram; /* 0: the usual */
	double near_threshold;
	const char *stage; /* the name of the one that is to be run; NULL: all */
	unsigned shard;
	char **files; /* `count` of them, the caller's argv */
	int count;
	char record[PATH_MAX], quarantine[PATH_MAX]; /* what dedup points to, where it is not given */
};

#define DEDUP_QUARANTINE_NAME "mithril-dedup.quarantine.jsonl"

/* argv[1] may be "explain", or "stage" with a name after it. -1: go on; otherwise the command ends now with
 * that exit code, and what is wrong has been reported. */
int dedup_options_parse(struct dedup_command *command, int argc, char **argv);

/* A decimal number of least..most. */
bool dedup_size_of(const char *value, size_t least, size_t most, size_t *size);
bool dedup_number_of(const char *value, unsigned least, unsigned most, unsigned *number);

/* What getopt_long answered with '?' or ':' to the option of `command` before optind, reported. TOOL_USAGE.
 */
int dedup_wrong_option(const char *command, int val, char **argv);

/* "mithril-dedup: WHAT: WHY; NEXT" on standard error; returns `code`. `next` may be NULL. */
int dedup_complain(int code, const char *what, const char *next, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

#endif
