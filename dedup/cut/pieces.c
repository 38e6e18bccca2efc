#include "dedup/cut/pieces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

#define CHUNK ((size_t)1 << 20)

struct dedup_pieces_chunk {
	struct dedup_pieces_chunk *next;
	size_t used;
	char bytes[CHUNK];
};

/* The bytes [from, to) of the text; as much as is there already is not stored again. */
static const char *keep(struct dedup_pieces *p, uint32_t id, const char *text, size_t from, size_t to)
{
	struct dedup_pieces_chunk *chunk = p->chunk;
	size_t has = chunk && p->id == id && p->from <= from && from < p->to ? p->to - from : 0;

	if (has >= to - from)
		return chunk->bytes + chunk->used - has;
	if (!chunk || CHUNK - chunk->used < to - from - has) {
		chunk = malloc(sizeof *chunk);
		if (!chunk)
			return NULL;
		chunk->next = p->chunk;
		chunk->used = 0;
		p->chunk = chunk;
		p->bytes += sizeof *chunk;
		has = 0;
	}
	if (!has) {
		p->id = id;
		p->from = from;
	}
	memcpy(chunk->bytes + chunk->used, text + from + has, to - from - has);
	chunk->used += to - from - has;
	p->to = to;
	return chunk->bytes + chunk->used - (to - from);
}

int dedup_pieces_add(
	struct dedup_pieces *p, uint32_t id, const char *text, size_t length, const struct dedup_pick *pick)
{
	struct dedup_piece_list *list = &p->lists[pick->key % DEDUP_PIECE_LISTS];
	size_t before = list->capacity;
	struct dedup_piece *grown = array_grow(list->v, list->count, &list->capacity, sizeof *grown);
	const char *bytes;

	if (!grown)
		return -ENOMEM;
	list->v = grown;
	p->bytes += (list->capacity - before) * sizeof *grown;
	bytes = keep(p, id, text, pick->first, pick->first + pick->windows - 1 + length);
	if (!bytes)
		return -ENOMEM;
	grown[list->count++] = (struct dedup_piece){
		.key = pick->key, .text = bytes, .id = id, .first = pick->first, .windows = pick->windows};
	return 0;
}

void dedup_pieces_release(struct dedup_pieces *p)
{
	struct dedup_pieces_chunk *next;

	for (unsigned i = 0; i < DEDUP_PIECE_LISTS; i++)
		free(p->lists[i].v);
	for (struct dedup_pieces_chunk *chunk = p->chunk; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*p = (struct dedup_pieces){0};
}
