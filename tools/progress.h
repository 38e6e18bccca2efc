/*
 * The progress callback of gc, fsck and scrub, and the lines a daemon sends for it.
 */
#ifndef MITHRIL_TOOLS_PROGRESS_H
#define MITHRIL_TOOLS_PROGRESS_H

#include <jansson.h>

#include "tools/print.h"

/* As gc_run and fsck_options want it, with a struct print_progress as ctx: shows the phase; non-zero after
 * Ctrl-C. */
int progress_phase(void *ctx, const char *phase, double share);
/* Shows the phase that {"phase", "share"} tells; false: it tells none. */
bool progress_line(struct print_progress *progress, json_t *object);

#endif
