#include "dedup/sketch/sketch.h"

#include <stdbool.h>
#include <string.h>

#define GOLDEN 0x9e3779b97f4a7c15u

/* The output function of SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void dedup_sketcher_init(struct dedup_sketcher *s, enum dedup_sketch_kind kind, unsigned k)
{
	uint64_t state = 0;

	s->kind = kind;
	s->k = k;
	for (unsigned i = 0; i < k; i++) {
		uint64_t r = mix(state += GOLDEN);

		s->a[i] = (uint32_t)r | 1;
		s->b[i] = (uint32_t)(r >> 32);
	}
}

/* Round i throws every element into one of k bins with the value i + a fraction (eight bytes: the round, then
 * the fraction); a bin keeps its least. Rounds k..2k-1 aim at bin i - k, so that an end is certain. */
static void fast(const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint64_t *sketch)
{
	unsigned k = s->k, empty = k;

	memset(sketch, 0xff, k * sizeof *sketch);
	for (unsigned round = 0; round < 2 * k && empty; round++) {
		uint64_t seed = mix((round + 1) * GOLDEN), high = (uint64_t)round << 52;

		for (size_t i = 0; i < count; i++) {
			uint64_t h = mix(shingles[i] ^ seed);
			unsigned bin = round < k ? (unsigned)(((h >> 32) * k) >> 32) : round - k;
			uint64_t value = high | (h & 0xfffffffffffff);

			empty -= sketch[bin] == UINT64_MAX;
			sketch[bin] = value < sketch[bin] ? value : sketch[bin];
		}
	}
}

static inline __attribute__((always_inline)) void permute_all(
	const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint32_t *least)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t x = (uint32_t)(shingles[i] >> 32);

		for (unsigned j = 0; j < s->k; j++) {
			uint32_t h = s->a[j] * x + s->b[j];

			least[j] = h < least[j] ? h : least[j];
		}
	}
}

static void permute_plain(
	const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint32_t *least)
{
	permute_all(s, shingles, count, least);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void permute_avx2(
	const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint32_t *least)
{
	permute_all(s, shingles, count, least);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}
#else
#define permute_avx2 permute_plain
static bool has_avx2(void)
{
	return false;
}
#endif

static void permutations(
	const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint64_t *sketch)
{
	uint32_t least[DEDUP_SKETCH_MAX];

	memset(least, 0xff, s->k * sizeof *least);
	(has_avx2() ? permute_avx2 : permute_plain)(s, shingles, count, least);
	for (unsigned j = 0; j < s->k; j++)
		sketch[j] = least[j];
}

void dedup_sketch(const struct dedup_sketcher *s, const uint64_t *shingles, size_t count, uint64_t *sketch)
{
	(s->kind == DEDUP_SKETCH_FAST ? fast : permutations)(s, shingles, count, sketch);
}
