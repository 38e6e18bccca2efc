#include <math.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/sketch/sketch.h"

double dedup_bands_chance(struct dedup_bands bands, double s)
{
	return 1 - pow(1 - pow(s, bands.rows), bands.bands);
}

struct dedup_bands dedup_bands_choose(double threshold, unsigned k, double chance)
{
	struct dedup_bands best = {k, 1};

	for (unsigned rows = 2; rows <= k; rows++) {
		struct dedup_bands bands = {k / rows, rows};

		if (dedup_bands_chance(bands, threshold) < chance)
			break;
		best = bands;
	}
	return best;
}

void dedup_bands_keys(struct dedup_bands bands, const uint64_t *sketch, uint64_t *keys)
{
	for (unsigned i = 0; i < bands.bands; i++)
		keys[i] =
			XXH3_64bits_withSeed(sketch + (size_t)i * bands.rows, bands.rows * sizeof *sketch, i);
}
