/*
 * Memory that is given out piece by piece and given back all at once.
 */
#ifndef MITHRIL_DEDUP_ARENA_H
#define MITHRIL_DEDUP_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct dedup_arena {
	struct dedup_arena_chunk *chunks;
	size_t used, size; /* of the newest chunk, in words */
	size_t bytes;	   /* allocated, in all */
};

/* `words` times eight bytes, aligned; NULL: no memory. */
uint64_t *dedup_arena_take(struct dedup_arena *arena, size_t words);
void dedup_arena_release(struct dedup_arena *arena);

#endif
