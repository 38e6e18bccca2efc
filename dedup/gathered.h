/*
 * Texts with their keys and shingles, as records between the stages gather and verify, and in memory.
 */
#ifndef MITHRIL_DEDUP_GATHERED_H
#define MITHRIL_DEDUP_GATHERED_H

#include "dedup/arena.h"
#include "dedup/group/near.h"
#include "dedup/spill/merge.h"

/* The size of the record whose first DEDUP_SHINGLES bytes are `head`. */
size_t dedup_gathered_size(const struct dedup_merge_shape *shape, const uint8_t *head);
/* Records of that size in the order of their first `key` bytes. */
struct dedup_merge_shape dedup_gathered_shape(unsigned bands, size_t key);

/* Texts in the order in which they would be kept. Zero it first. */
struct dedup_gathered {
	struct dedup_text *v;
	size_t count, capacity;
	struct dedup_arena arena;
	uint64_t cost; /* bytes, with what is needed to compare them */
};

/* Bytes that a record of `size` would take in memory. */
uint64_t dedup_gathered_cost(unsigned bands, size_t size);
/* Appends a record. -ENOMEM. */
int dedup_gathered_add(struct dedup_gathered *texts, unsigned bands, const uint8_t *record, size_t size);
/* As a record again, of no rank. Errors of dedup_table_put. */
int dedup_gathered_put(
	struct dedup_table_writer *w, const struct dedup_text *text, unsigned bands, uint32_t component);
void dedup_gathered_clear(struct dedup_gathered *texts); /* keeps some of the memory */
void dedup_gathered_release(struct dedup_gathered *texts);

#endif
