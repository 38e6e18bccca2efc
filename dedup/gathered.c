#include "dedup/gathered.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/spill/record.h"
#include "store/util/array.h"

#define PER_KEY 40u /* bytes of the tables at most */

size_t dedup_gathered_size(const struct dedup_merge_shape *shape, const uint8_t *head)
{
	return DEDUP_SHINGLES + 8 * ((size_t)shape->bands + get_be32(head + DEDUP_SHINGLES_COUNT));
}

struct dedup_merge_shape dedup_gathered_shape(unsigned bands, size_t key)
{
	return (struct dedup_merge_shape){
		.head = DEDUP_SHINGLES, .key = key, .size = dedup_gathered_size, .bands = bands};
}

uint64_t dedup_gathered_cost(unsigned bands, size_t size)
{
	return size + sizeof(struct dedup_text) + bands * PER_KEY;
}

int dedup_gathered_add(struct dedup_gathered *texts, unsigned bands, const uint8_t *record, size_t size)
{
	size_t words = (size - DEDUP_SHINGLES) / 8;
	struct dedup_text *grown = array_grow(texts->v, texts->count, &texts->capacity, sizeof *grown);
	uint64_t *data;

	if (!grown)
		return -ENOMEM;
	texts->v = grown;
	data = dedup_arena_take(&texts->arena, words);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < words; i++)
		data[i] = get_be64(record + DEDUP_SHINGLES + 8 * i);
	grown[texts->count++] = (struct dedup_text){
		.keys = data,
		.shingles = get_be32(record + DEDUP_SHINGLES_COUNT),
		.id = (uint32_t)get_be48(record + DEDUP_SHINGLES_LINE),
	};
	texts->cost += dedup_gathered_cost(bands, size);
	return 0;
}

int dedup_gathered_put(
	struct dedup_table_writer *w, const struct dedup_text *text, unsigned bands, uint32_t component)
{
	uint8_t head[DEDUP_SHINGLES] = {0}, bytes[8];
	size_t words = (size_t)bands + text->shingles;
	int rc;

	put_be32(head, component);
	put_be48(head + DEDUP_SHINGLES_LINE, text->id);
	put_be32(head + DEDUP_SHINGLES_COUNT, text->shingles);
	rc = dedup_table_put(w, head, sizeof head);
	for (size_t i = 0; !rc && i < words; i++) {
		put_be64(bytes, text->keys[i]);
		rc = dedup_table_put(w, bytes, sizeof bytes);
	}
	return rc;
}

void dedup_gathered_clear(struct dedup_gathered *texts)
{
	dedup_arena_release(&texts->arena);
	texts->count = 0;
	texts->cost = 0;
}

void dedup_gathered_release(struct dedup_gathered *texts)
{
	dedup_gathered_clear(texts);
	free(texts->v);
	*texts = (struct dedup_gathered){0};
}
