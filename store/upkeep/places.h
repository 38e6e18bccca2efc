/*
 * The chunk index turned around: which chunks are in which pack, in the order of their places, so that a walk
 * over them reads each pack from its beginning to its end. 40 bytes a chunk.
 */
#ifndef MITHRIL_STORE_UPKEEP_PLACES_H
#define MITHRIL_STORE_UPKEEP_PLACES_H

#include "store/chunks/chunks.h"

struct place {
	struct chunk_id id;
	struct frame_place place;
};

struct places {
	struct place *list;
	size_t count, capacity;
};

/* Fills a zeroed one with every sound record. -ENOMEM, -EIO; -EBADMSG: some records are damaged, the others
 * are there. */
int places_load(struct chunks *chunks, struct places *places);
/* The first one at or after `offset` of `pack`: an index, `count` if there is none. */
size_t places_from(const struct places *places, uint64_t pack, uint32_t offset);
void places_release(struct places *places);

#endif
