/*
 * What an error of dedup/ means for a user.
 */
#ifndef MITHRIL_TOOLS_DEDUP_ERRORS_H
#define MITHRIL_TOOLS_DEDUP_ERRORS_H

#include "dedup/lib/job.h"

/* Reports it for what is named on the command line; the exit code. */
int dedup_error_report(const char *what, int error);
/* With the place and the reason of a fault; `path`, unless it is empty, is the file instead of the fault's.
 */
int dedup_error_report_fault(const struct dedup_fault *fault, const char *path, int error);

/* With what a job says it is about. */
int dedup_error_report_job(const struct dedup_job *job, int error);

#endif
