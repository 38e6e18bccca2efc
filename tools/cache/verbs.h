/*
 * From what a user names (nothing, a mount, a cache's directory, or CLIENT/FINGERPRINT of the root) to the
 * daemon that keeps it.
 */
#ifndef MITHRIL_TOOLS_CACHE_VERBS_H
#define MITHRIL_TOOLS_CACHE_VERBS_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/open.h"
#include "tools/tool.h"

struct verbs_target {
	char root[PATH_MAX]; /* of the caches */
	char dir[PATH_MAX];  /* what was named; empty: all of them */
	uint64_t ino;	     /* of that; 0: all */
	struct open_target daemon;
};

/* Finds the directory; of the daemon nothing is needed. `argument` may be NULL. TOOL_OK, or the exit code of
 * an error that has been reported. */
int verbs_find(const char *mount, const char *argument, struct verbs_target *out);
/* And the daemon. */
int verbs_find_live(const char *mount, const char *argument, struct verbs_target *out);

/* The part of an absolute path on a mount that is below its mount point, with its first slash; the whole path
 * where it is on no mount. A pointer into `path`. */
const char *verbs_below(const char *path);

#endif
