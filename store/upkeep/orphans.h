/*
 * Orphans: live chunks whose base is not live. A group of them is what stands on one dead base (a run of dead
 * bases counts as its lowest).
 */
#ifndef MITHRIL_STORE_UPKEEP_ORPHANS_H
#define MITHRIL_STORE_UPKEEP_ORPHANS_H

#include "store/upkeep/gc.h"

struct orphan {
	struct chunk_id id;
	struct chunk_id root;		    /* the lowest of the dead run below it */
	uint64_t recipe, off;		    /* where the oldest live file has it */
	uint64_t leader_recipe, leader_off; /* the same of the first of its group */
};

struct orphans {
	struct orphan *list;
	size_t count, capacity;
};

/* Fills a zeroed list, groups together, in the order of their leaders' places; a group's first is its leader.
 * 80 bytes an orphan. The caller frees list->list, also after a failure. Chunks with a broken chain are left
 * out. */
int orphans_find(struct gc *gc, struct orphans *orphans);

#endif
