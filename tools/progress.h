/*
 * What gc, fsck and scrub show while they run, and how they end.
 */
#ifndef MITHRIL_TOOLS_PROGRESS_H
#define MITHRIL_TOOLS_PROGRESS_H

#include <jansson.h>
#include <stdint.h>

#include "tools/print.h"

/* As gc_run and fsck_options want it, with a struct print_progress as ctx: shows the phase; non-zero after
 * Ctrl-C. */
int progress_phase(void *ctx, const char *phase, double share);
/* As fsck_options want it, with the same ctx: prints the line to standard output. */
void progress_finding(void *ctx, const char *line);
/* Shows the phase that {"phase", "share"} tells; false: it tells none. */
bool progress_line(struct print_progress *progress, json_t *object);
/* Clears the line when work on the store at `path` gave `result`. Where Ctrl-C ended it (-EINTR), the process
 * dies of that. TOOL_OK for what is not negative, or the exit code of that error, which has been reported. */
int progress_done(struct print_progress *progress, const char *path, int64_t result);

#endif
