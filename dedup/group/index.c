#include "dedup/group/index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int dedup_index_init(struct dedup_index *index, size_t keys)
{
	size_t slots = 64;

	*index = (struct dedup_index){.used = 1};
	if (keys >= UINT32_MAX)
		return -ENOMEM;
	while (slots < keys + keys / 2)
		slots *= 2;
	index->mask = slots - 1;
	index->slots = calloc(slots, sizeof *index->slots);
	index->nodes = malloc((keys + 1) * sizeof *index->nodes);
	if (index->slots && index->nodes)
		return 0;
	dedup_index_release(index);
	return -ENOMEM;
}

void dedup_index_release(struct dedup_index *index)
{
	free(index->slots);
	free(index->nodes);
	*index = (struct dedup_index){0};
}

size_t dedup_index_memory(const struct dedup_index *index)
{
	return (index->mask + 1) * sizeof *index->slots + index->used * sizeof *index->nodes;
}

static struct dedup_index_slot *find(const struct dedup_index *index, uint64_t key)
{
	uint32_t tag = (uint32_t)(key >> 32);
	uint64_t at = key & index->mask;

	while (index->slots[at].head && index->slots[at].tag != tag)
		at = (at + 1) & index->mask;
	return &index->slots[at];
}

void dedup_index_put(struct dedup_index *index, uint64_t key, uint32_t text)
{
	struct dedup_index_slot *slot = find(index, key);

	index->nodes[index->used] = (struct dedup_index_node){text, slot->head};
	slot->tag = (uint32_t)(key >> 32);
	slot->head = (uint32_t)index->used++;
}

uint32_t dedup_index_get(const struct dedup_index *index, uint64_t key)
{
	return find(index, key)->head;
}
