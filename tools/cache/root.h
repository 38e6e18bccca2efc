/*
 * Where the compiler caches are: the directory cache/ of a mount.
 */
#ifndef MITHRIL_TOOLS_CACHE_ROOT_H
#define MITHRIL_TOOLS_CACHE_ROOT_H

#include <limits.h>
#include <stdbool.h>

#define ROOT_NAME "cache"

/* MNT/cache of `mount`, or, if that is NULL, of the oldest Mithril mount that has a directory cache/, else of
 * the oldest. Nothing is asked of a mount whose daemon may not answer, if there is only one. 0; -errno with
 * `why`. */
int root_find(const char *mount, char root[PATH_MAX], char why[256]);

/* An absolute path, without . and .., of what need not be there yet. 0, or -errno. */
int root_absolute(const char *path, char absolute[PATH_MAX]);

/* Whether `path`, or what is there of it, is on a Mithril mount. */
bool root_is_mithril(const char *path);

#endif
