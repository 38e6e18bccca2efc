/*
 * What the caches did for one job: groups that it found and used, groups that it had to add, and how long
 * compiling the former took when they were added, as far as their compilers have noted it.
 *
 *   {"seconds", "hits", "misses", "bytes_added", "bytes_used", "seconds_saved", "caches": [{"name",
 * "fingerprint", "hits", "misses", "bytes_added"}, ...]}
 *
 * hits, bytes_used and seconds_saved are null where nobody can know: only the daemon knows what was read, and
 * tells its own user and root. Jobs that run at the same time share the counts.
 */
#ifndef MITHRIL_TOOLS_CACHE_SUMMARY_H
#define MITHRIL_TOOLS_CACHE_SUMMARY_H

#include "tools/cache/job.h"

struct summary;

/* Before the job. NULL: no memory. */
struct summary *summary_begin(const struct job *job, int64_t started_ns);
/* After it; frees. The caller's; NULL: no memory. */
json_t *summary_end(struct summary *summary);
/* A few words on standard error. */
void summary_print(const json_t *told);

#endif
