/*
 * Orphans: live chunks with a base that is not live. A group of them is what stands on the same dead chunks:
 * two orphans that need one of them both are in one group.
 */
#ifndef MITHRIL_STORE_UPKEEP_ORPHANS_H
#define MITHRIL_STORE_UPKEEP_ORPHANS_H

#include "store/upkeep/gc.h"

struct orphan {
	struct chunk_id id;
	struct chunk_id root; /* one of the lowest dead ones below it */
	size_t group;
	uint64_t recipe, off;		    /* where the oldest live file has it */
	uint64_t leader_recipe, leader_off; /* the least of its group */
	uint8_t dtype;
};

struct orphans {
	struct orphan *list;
	size_t count, capacity;
};

/* Fills a zeroed list: groups together, in the order of their leaders' places; in a group those of one root
 * and dtype together, each in the order of their places. 88 bytes an orphan, and 32 more for each dead chunk
 * below it while it works. The caller frees list->list, also after a failure. Chunks with a broken chain are
 * left out. -ENOMEM, -EIO, -EBADMSG. */
int orphans_find(struct gc *gc, struct orphans *orphans);

/* The dead chunks that must be decoded for what `record` is of, each once; the last of them has no dead base.
 * 1; 0: the chain is broken, or out of bounds; -errno. */
int orphans_dead_below(struct gc *gc, const struct chunk_record *record,
	struct chunk_id dead[CHUNK_FRAMES_MAX], size_t *count);

#endif
