/*
 * Why a job had to compile: for each group of artifacts that it has added, the nearest group that was there
 * before, and what differs.
 */
#ifndef MITHRIL_COMPILERS_EXPLAIN_H
#define MITHRIL_COMPILERS_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "tools/compilers/fingerprint.h"

#define EXPLAIN_TEXT 512u

/* One miss; all of it is valid for the time of the call. Texts are printable. */
struct explain_miss {
	const char *client, *kind, *group;
	const char *nearest; /* a group; NULL: nothing is near */
	const char *why;     /* what differs from it */
};
typedef void explain_each(void *ctx, const struct explain_miss *miss);

/* What came into the namespace `dir` of `client` at `since_ns` or later, the most telling kinds first. How
 * many groups were there before goes to *before; how many came is returned, or -errno of scan_read. `each`
 * may be NULL. Files that cannot be read are no help, and no failure. */
int explain_misses(
	const char *client, const char *dir, int64_t since_ns, size_t *before, explain_each *each, void *ctx);

/* Among the other namespaces of ROOT/CLIENT, that whose fingerprint differs from `own` in the fewest
 * components (the latest of them). Its ID and fingerprint. 0; -ENOENT there is no other. */
int explain_nearest(const char *root, const char *client, const struct fingerprint *own,
	char id[FINGERPRINT_ID], struct fingerprint *nearest);

#endif
