/*
 * A set of chunk ids, each with the place in a recipe where it was first met: what garbage collection knows
 * to be alive.
 *
 * Open addressing over 32-byte entries, at most three quarters full: 43 to 86 bytes a chunk, and half as much
 * again for a moment while it grows. Ids are hashes already, so their first bytes are the hash. One thread.
 */
#ifndef MITHRIL_STORE_UPKEEP_MARKS_H
#define MITHRIL_STORE_UPKEEP_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "store/packs/packs.h"

#define MARK_BASE UINT64_MAX	/* as `recipe`: no recipe has it, it is kept because something stands on it */
#define MARK_NOWHERE UINT64_MAX /* as `off`: it does not begin at one offset of the file */

struct mark {
	struct chunk_id id; /* zero: a free entry */
	uint64_t recipe, off;
};

struct marks {
	struct mark *entries;	/* NULL while empty */
	size_t count, capacity; /* a power of two */
};

/* Adds an id (not zero). One that is there stays as it is, except that a recipe takes the place of MARK_BASE.
 * 1 it is new, 0 it was there, -ENOMEM. */
int marks_add(struct marks *marks, const struct chunk_id *id, uint64_t recipe, uint64_t off);
/* NULL: not in the set. Good until the next marks_add. */
const struct mark *marks_find(const struct marks *marks, const struct chunk_id *id);
/* Frees what it holds; fine on a zeroed one. */
void marks_release(struct marks *marks);

#endif
