/*
 * From a band key to the anchors that have it. Read by many threads, written by one while none reads.
 */
#ifndef MITHRIL_DEDUP_GROUP_INDEX_H
#define MITHRIL_DEDUP_GROUP_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct dedup_index_node {
	uint32_t text, next;
};

struct dedup_index_slot {
	uint32_t tag, head; /* more bits of the key; a node, 0: free */
};

struct dedup_index {
	struct dedup_index_slot *slots;
	uint64_t mask;
	struct dedup_index_node *nodes; /* [0] is no node */
	size_t used;
};

/* Room for `keys` insertions. -ENOMEM. */
int dedup_index_init(struct dedup_index *index, size_t keys);
void dedup_index_release(struct dedup_index *index);
size_t dedup_index_memory(const struct dedup_index *index);

void dedup_index_put(struct dedup_index *index, uint64_t key, uint32_t text);
/* The node of the text that was put last with this key (or, rarely, with one like it); 0: none. */
uint32_t dedup_index_get(const struct dedup_index *index, uint64_t key);

#endif
