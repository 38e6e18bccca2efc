/*
 * SimHash: 64 bits of a set, each what most of its elements' hashes have there. Sets that have much in common
 * differ in few bits. Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; for
 * finding all within a distance: Manku, Jain, Das Sarma, "Detecting near-duplicates for web crawling", WWW
 * 2007.
 */
#ifndef MITHRIL_DEDUP_SKETCH_SIMHASH_H
#define MITHRIL_DEDUP_SKETCH_SIMHASH_H

#include <stddef.h>
#include <stdint.h>

#define DEDUP_DISTANCE_MAX 16u

/* Of hashed, distinct elements, at least one; a bit that as many have as have not is 0. */
uint64_t dedup_simhash(const uint64_t *shingles, size_t count);

/* The bits are cut into distance + 2 blocks. Of two fingerprints within `distance` (at most
 * DEDUP_DISTANCE_MAX) two blocks at least are the same, so one of the keys is, one for each two blocks. */
unsigned dedup_simhash_key_count(unsigned distance);
/* None of the keys is 0. */
void dedup_simhash_keys(unsigned distance, uint64_t fingerprint, uint64_t *keys);

static inline unsigned dedup_simhash_distance(uint64_t a, uint64_t b)
{
	return (unsigned)__builtin_popcountll(a ^ b);
}

#endif
