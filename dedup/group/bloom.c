#include "dedup/group/bloom.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define HASHES_MAX 64u

int dedup_bloom_init(struct dedup_bloom *bloom, unsigned bands, uint64_t texts, double wrong)
{
	double share =
		-expm1(log1p(-wrong) / bands); /* a band's: all together are wrong as often as asked for */
	double each = -log(share) / (M_LN2 * M_LN2), bits = ceil(each * (double)(texts ? texts : 1));
	double hashes = round(each * M_LN2);

	*bloom = (struct dedup_bloom){.bands = bands};
	if (!(bits * bands < 0x1p50))
		return -ENOMEM;
	bloom->bits = ((uint64_t)bits + 63) / 64 * 64;
	bloom->hashes = hashes < 1 ? 1 : hashes > HASHES_MAX ? HASHES_MAX : (unsigned)hashes;
	bloom->words = calloc(bloom->bits / 64 * bands, sizeof *bloom->words);
	return bloom->words ? 0 : -ENOMEM;
}

void dedup_bloom_release(struct dedup_bloom *bloom)
{
	free(bloom->words);
	bloom->words = NULL;
}

size_t dedup_bloom_memory(const struct dedup_bloom *bloom)
{
	return bloom->bits / 8 * bloom->bands;
}

/* Double hashing (Kirsch, Mitzenmacher, "Less hashing, same performance", 2006) on the two halves of a
 * 128-bit product, which both depend on the whole key. */
static inline bool look(const struct dedup_bloom *bloom, uint64_t *words, uint64_t key, bool put)
{
	unsigned __int128 product = (unsigned __int128)(key ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
	uint64_t at = (uint64_t)product ^ (uint64_t)(product >> 64);
	uint64_t step = (key * 0xff51afd7ed558ccdu) ^ (key >> 32);
	bool all = true;

	step |= 1;
	for (unsigned i = 0; i < bloom->hashes; i++, at += step) {
		uint64_t bit = (uint64_t)(((unsigned __int128)at * bloom->bits) >> 64);
		uint64_t mask = (uint64_t)1 << (bit % 64);

		all &= (words[bit / 64] & mask) != 0;
		if (put)
			words[bit / 64] |= mask;
	}
	return all;
}

static inline bool any_band(const struct dedup_bloom *bloom, const uint64_t *keys, bool put)
{
	bool any = false;

	for (unsigned b = 0; b < bloom->bands; b++)
		any |= look(bloom, bloom->words + bloom->bits / 64 * b, keys[b], put);
	return any;
}

bool dedup_bloom_has(const struct dedup_bloom *bloom, const uint64_t *keys)
{
	return any_band(bloom, keys, false);
}

bool dedup_bloom_put(struct dedup_bloom *bloom, const uint64_t *keys)
{
	return any_band(bloom, keys, true);
}
