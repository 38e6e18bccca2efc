/*
 * From an n-gram's hash to the items that have it. Read by many threads once it is built.
 */
#ifndef MITHRIL_DEDUP_AGAINST_INDEX_H
#define MITHRIL_DEDUP_AGAINST_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct dedup_posting {
	uint64_t hash; /* not 0 */
	uint32_t item;
};

struct dedup_postings {
	struct dedup_posting *v;
	size_t count, capacity;
	struct dedup_postings_slot *slots; /* where the postings of a hash begin */
	size_t mask;
};

int dedup_postings_add(struct dedup_postings *postings, uint64_t hash, uint32_t item); /* -ENOMEM */
/* After the last one. -ENOMEM. */
int dedup_postings_build(struct dedup_postings *postings);
void dedup_postings_release(struct dedup_postings *postings);
size_t dedup_postings_memory(const struct dedup_postings *postings);

/* The postings of a hash, by item; they end where the hash is another. NULL: none. */
const struct dedup_posting *dedup_postings_of(const struct dedup_postings *postings, uint64_t hash);

#endif
