/*
 * Where the files of a run go, from what was asked for.
 */
#ifndef MITHRIL_DEDUP_LIB_OUTPUTS_H
#define MITHRIL_DEDUP_LIB_OUTPUTS_H

#include "dedup/lib/job.h"

/* Sets what of job->options follows from the output and was not said. -EINVAL. */
int dedup_outputs_choose(struct dedup_job *job);
/* Of inputs that go into one file: -EINVAL, they are of different formats. */
int dedup_outputs_check_single(struct dedup_job *job);

#endif
