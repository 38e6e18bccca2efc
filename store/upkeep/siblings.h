/*
 * Siblings of a chunk: what stands at the same place of the same tensor in other files.
 *
 * Asked for places in ascending order of (recipe, offset), it reads each recipe's segments once and keeps a
 * few cursors. One thread.
 */
#ifndef MITHRIL_STORE_UPKEEP_SIBLINGS_H
#define MITHRIL_STORE_UPKEEP_SIBLINGS_H

#include <stddef.h>
#include <stdint.h>

#include "store/recipes/recipes.h"

#define SIBLINGS_MAX 16u

struct siblings;

struct siblings *siblings_new(struct recipes *recipes); /* NULL: no memory */
void siblings_free(struct siblings *siblings);

/* Ids of up to SIBLINGS_MAX chunks that begin where, in the newest files with the same tensor, offset `off`
 * of `recipe` is; those of dead recipes and the chunk itself may be among them. Count, or -ENOMEM, -EIO. What
 * is damaged yields no sibling. */
int siblings_find(
	struct siblings *siblings, uint64_t recipe, uint64_t off, struct chunk_id ids[SIBLINGS_MAX]);

#endif
