/*
 * Whether a store is only ours to write. Its parts are opened by name, as whoever runs this: another user who
 * can write to its directory could put a symbolic link in the place of one, and have root remove or read what
 * it leads to.
 */
#ifndef MITHRIL_STORE_TRUST_H
#define MITHRIL_STORE_TRUST_H

#include <stddef.h>

/* 0: the directory is the caller's (by effective user) or root's, and neither group nor others may write to
 * it. -EPERM not so, with why and what to do in `text`; -errno of stat(2). */
int trust_check(const char *path, char *text, size_t size);
/* The same of the owner alone. */
int trust_owner(const char *path, char *text, size_t size);

#endif
