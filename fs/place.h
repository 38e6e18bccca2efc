/*
 * Where a mount goes, checked before anything is changed, and the mount options it gets. Private to fs/.
 */
#ifndef MITHRIL_FS_PLACE_H
#define MITHRIL_FS_PLACE_H

#include <stddef.h>

#include "fs/fs.h"

/* Resolves the mount point to an absolute path that the caller frees, or says in `text` (may be NULL) why it
 * will not do. */
int place_check(const char *mountpoint, const struct fs_options *options, char **resolved, char *text,
	size_t capacity);

/* The argument of -o for libfuse; the caller frees it. `store`: the store's path. */
int place_arguments(const char *store, const struct fs_options *options, char **arguments);

#endif
