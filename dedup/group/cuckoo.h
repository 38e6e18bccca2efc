/*
 * Bands in filters of a fixed size: whether an earlier text shared a band. One filter a band, as LSHBloom has
 * it (Khan et al., "LSHBloom: memory-efficient, extreme-scale document deduplication", 2024,
 * arXiv:2411.04257), but each is a cuckoo filter in the place of a Bloom filter (Fan, Andersen, Kaminsky,
 * Mitzenmacher, "Cuckoo filter: practically better than Bloom", CoNEXT 2014), which for few mistakes takes
 * fewer bits and looks at two places in memory, not at twenty. They say yes where nothing was (within the
 * bound), never no where something was. What is in depends on the keys and their order alone.
 */
#ifndef MITHRIL_DEDUP_GROUP_CUCKOO_H
#define MITHRIL_DEDUP_GROUP_CUCKOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_cuckoo_rest;

struct dedup_cuckoo {
	uint8_t *bytes;
	uint64_t buckets, size;		/* of each band's filter; size: bytes */
	unsigned bands, bits;		/* bits: of a fingerprint */
	uint64_t turn;			/* chooses who makes room */
	struct dedup_cuckoo_rest *rest; /* keys that found no place, which is rare */
	size_t rest_count, rest_capacity;
};

/* For `texts` texts of which, when all are in, a share of at most `wrong` (0 < wrong < 1) would be taken for
 * one that shares a band: bands * texts * bits / .95 bits, where bits is the least with
 * 7.6 / 2^bits <= wrong / bands. -ENOMEM, also where that is beyond reason. */
int dedup_cuckoo_init(struct dedup_cuckoo *cuckoo, unsigned bands, uint64_t texts, double wrong);
void dedup_cuckoo_release(struct dedup_cuckoo *cuckoo);
size_t dedup_cuckoo_memory(const struct dedup_cuckoo *cuckoo);

/* Whether a text put before shared one of the keys (one a band). */
bool dedup_cuckoo_has(const struct dedup_cuckoo *cuckoo, const uint64_t *keys);
/* 1 or 0, the same, and then these are in too. One thread at a time. More texts than were expected can be
 * put, slowly. -ENOMEM. */
int dedup_cuckoo_put(struct dedup_cuckoo *cuckoo, const uint64_t *keys);

#endif
