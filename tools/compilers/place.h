/*
 * The directories of compiler caches. Below the cache's root (MNT/cache):
 *
 *   CLIENT/ID/             the namespace: what the compiler keeps; user.mithril.profile=cache
 *   CLIENT/ID.fingerprint  the components whose digest ID is, as text (tools/compilers/fingerprint.h)
 *   runs                   one JSON line for each of the last jobs (tools/compilers/runs.h)
 *
 * ID is that of the components that the client's artifacts depend on.
 */
#ifndef MITHRIL_COMPILERS_PLACE_H
#define MITHRIL_COMPILERS_PLACE_H

#include <limits.h>

#include "tools/compilers/clients.h"
#include "tools/compilers/fingerprint.h"

#define PLACE_SUFFIX ".fingerprint"
/* Less than this free, and compilers would fail rather than cache. */
#define PLACE_FREE_MIN (64u << 20)

/* Where a client's namespace is; `own` gets its part of the machine's fingerprint. 0; -ENAMETOOLONG. */
int place_of(const char *root, const struct client *client, const struct fingerprint *machine,
	struct fingerprint *own, char dir[PATH_MAX]);

/* Makes the namespaces of the clients for which `use` is true, with their profile, and with the bound
 * `max_size` (text as user.mithril.max-size takes it; NULL: as they are). A process of its own does it and is
 * given five seconds, so that a file system that hangs hangs nothing else. 0; -EROFS; -ENOSPC less than
 * PLACE_FREE_MIN is free; -ETIMEDOUT; -EINVAL not a bound; -errno of mkdir(2), statvfs(3). */
int place_make(const char *root, const struct fingerprint *machine, const bool *use, const char *max_size);

/* The fingerprint of namespace `dir`. 0; -ENOENT; -EBADMSG. */
int place_read_fingerprint(const char *dir, struct fingerprint *out);

#endif
