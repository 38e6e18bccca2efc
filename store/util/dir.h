/*
 * Walking a directory.
 */
#ifndef MITHRIL_STORE_UTIL_DIR_H
#define MITHRIL_STORE_UTIL_DIR_H

/* Calls `each` for every name in the open directory that does not begin with a dot, in any order, until it
 * gives non-zero, which is then returned. It may remove what it is called for. `dir_fd` stays the caller's,
 * and stays where it was. 0, or -errno of opening the directory anew. */
int dir_each(int dir_fd, int (*each)(void *ctx, const char *name), void *ctx);

#endif
