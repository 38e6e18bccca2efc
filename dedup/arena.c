#include "dedup/arena.h"

#include <stdlib.h>

#define CHUNK ((size_t)1 << 18) /* words: 2 MiB */

struct dedup_arena_chunk {
	struct dedup_arena_chunk *next;
	uint64_t words[];
};

uint64_t *dedup_arena_take(struct dedup_arena *arena, size_t words)
{
	uint64_t *taken;

	if (!arena->chunks || arena->size - arena->used < words) {
		size_t size = words > CHUNK / 8 ? words : CHUNK;
		struct dedup_arena_chunk *chunk = malloc(sizeof *chunk + size * sizeof chunk->words[0]);

		if (!chunk)
			return NULL;
		arena->bytes += size * sizeof chunk->words[0];
		if (arena->chunks && size != CHUNK) {
			/* A large piece has a chunk of its own; what is left of the newest one stays in use.
			 */
			chunk->next = arena->chunks->next;
			arena->chunks->next = chunk;
			return chunk->words;
		}
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->size = size;
		arena->used = 0;
	}
	taken = arena->chunks->words + arena->used;
	arena->used += words;
	return taken;
}

void dedup_arena_release(struct dedup_arena *arena)
{
	struct dedup_arena_chunk *next;

	for (struct dedup_arena_chunk *chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*arena = (struct dedup_arena){0};
}
