/*
 * ROOT/runs: the last jobs, one JSON object a line, oldest first:
 *
 *   {"started_ns": ..., "pid": ..., "command": "python train.py", "namespaces": {"inductor":
 * "0123456789abcdef", ...}}
 *
 * What a job has missed are the artifacts of its namespaces that are newer than its start.
 */
#ifndef MITHRIL_COMPILERS_RUNS_H
#define MITHRIL_COMPILERS_RUNS_H

#include <jansson.h>
#include <stdint.h>

#include "tools/compilers/clients.h"
#include "tools/compilers/fingerprint.h"

/* Adds a job that starts now. When the file has grown past 256 KiB, its older half goes. A loss of lines by
 * jobs that start at the same moment is possible then, and harmless. 0, or -errno. */
int runs_add(const char *root, char *const argv[], const struct fingerprint *machine, const bool *use,
	int64_t started_ns);

/* The `back`th job counted from the last, which is 1; the caller's. NULL: there is none, or it cannot be
 * read. */
json_t *runs_get(const char *root, unsigned back);

#endif
