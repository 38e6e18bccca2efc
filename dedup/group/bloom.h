/*
 * Bands in Bloom filters: whether an earlier text shared a band, in memory that does not grow. One filter a
 * band, after LSHBloom (Khan et al., "LSHBloom: memory-efficient, extreme-scale document deduplication",
 * 2024, arXiv:2411.04257). It says yes where nothing was (within the bound), never no where something was.
 */
#ifndef MITHRIL_DEDUP_GROUP_BLOOM_H
#define MITHRIL_DEDUP_GROUP_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_bloom {
	uint64_t *words;
	uint64_t bits; /* of each band's filter */
	unsigned bands, hashes;
};

/* For `texts` texts of which, when all are in, a share of at most `wrong` (0 < wrong < 1) would be taken for
 * one that shares a band: bands * texts * -ln(wrong / bands) / (ln 2)^2 bits. -ENOMEM, also where that is
 * beyond reason. */
int dedup_bloom_init(struct dedup_bloom *bloom, unsigned bands, uint64_t texts, double wrong);
void dedup_bloom_release(struct dedup_bloom *bloom);
size_t dedup_bloom_memory(const struct dedup_bloom *bloom);

/* Whether a text put before shared one of the keys (one a band). */
bool dedup_bloom_has(const struct dedup_bloom *bloom, const uint64_t *keys);
/* The same, and then these are in too. One thread at a time. */
bool dedup_bloom_put(struct dedup_bloom *bloom, const uint64_t *keys);

#endif
