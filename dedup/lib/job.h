/*
 * From what a user asks for, in the structure that the command line and other programs fill, to what
 * dedup_run takes. Both go the same way: dedup_job_open, dedup_job_files or an input of their own,
 * dedup_job_against.
 *
 * job.c: files and the second set. settings.c: defaults, checks, and what the engine is told; a new option is
 * a field of mithril-dedup.h, its range or rule in settings.c, and a parser of its value in tools/dedup.
 * outputs.c: where files go.
 *
 * Errors are 0 or -errno, -EINVAL for an option that is not what it may be; job->what then names what it is
 * about, and job->why, unless it is NULL, says what is wrong, in static storage.
 */
#ifndef MITHRIL_DEDUP_LIB_JOB_H
#define MITHRIL_DEDUP_LIB_JOB_H

#include "dedup/dedup.h"
#include "dedup/lib/mithril-dedup.h"

#define DEDUP_QUARANTINE_NAME "mithril-dedup.quarantine.jsonl"
#define DEDUP_MEMORY_MIN (1u << 20)
#define DEDUP_THRESHOLD 0.8

struct dedup_job {
	struct mithril_dedup_options asked; /* strings are the caller's */
	struct dedup_options options; /* what comes of it; points into this structure, which must stay */
	struct dedup_inputs inputs, against_inputs;
	const char *what, *why;
	uint64_t line;				     /* of `what`, where that is a file; 0: all of it */
	char record[PATH_MAX], quarantine[PATH_MAX]; /* where options->output decides */
};

/* Says what `rc`, which is returned, is about. */
int dedup_job_blame(struct dedup_job *job, int rc, const char *what, const char *why);
/* Half of what the machine has. */
uint64_t dedup_job_memory(void);
/* What is asked for where nothing is said. */
void dedup_job_defaults(struct mithril_dedup_options *options);
/* Checks what was asked and sets options, but for inputs, `against` and a bound of memory that depends on the
 * inputs. */
int dedup_job_open(struct dedup_job *job, const struct mithril_dedup_options *asked);
/* Files, patterns or "-"; then the default bound of memory. -EEXIST: named twice, or two would have one name.
 * Otherwise as dedup_inputs_add. */
int dedup_job_files(struct dedup_job *job, const char *const *files, size_t count);
/* Reads the second set, if one was asked for. As dedup_against_load. */
int dedup_job_against(struct dedup_job *job);
/* Zeroed is fine. */
void dedup_job_release(struct dedup_job *job);

#endif
