#include "dedup/sketch/simhash.h"

#define BITS 64u
#define PLANES 8u
#define FLUSH 252u /* elements that eight planes can count, in fours */

/* Bit b of plane p is bit p of the number of elements that have bit b: 64 counters at once. */
struct counters {
	uint64_t planes[PLANES];
	uint32_t totals[BITS];
};

/* sum: where one or three of the three have a bit; carry: where two or three have it. */
static inline uint64_t add3(uint64_t *sum, uint64_t b, uint64_t c)
{
	uint64_t half = *sum ^ b, carry = (*sum & b) | (half & c);

	*sum = half ^ c;
	return carry;
}

static inline void add4(struct counters *c, const uint64_t *v)
{
	uint64_t one = add3(&c->planes[0], v[0], v[1]), two = add3(&c->planes[0], v[2], v[3]);
	uint64_t carry = add3(&c->planes[1], one, two);

	for (unsigned p = 2; p < PLANES; p++) {
		uint64_t next = c->planes[p] & carry;

		c->planes[p] ^= carry;
		carry = next;
	}
}

static void flush(struct counters *c)
{
	for (unsigned p = 0; p < PLANES; p++) {
		for (unsigned b = 0; b < BITS; b++)
			c->totals[b] += (uint32_t)(c->planes[p] >> b & 1) << p;
		c->planes[p] = 0;
	}
}

uint64_t dedup_simhash(const uint64_t *shingles, size_t count)
{
	struct counters c = {0};
	uint64_t bits = 0, rest[4] = {0};
	size_t i = 0;

	for (size_t waiting = 0; i + 4 <= count; i += 4) {
		add4(&c, shingles + i);
		waiting += 4;
		if (waiting == FLUSH) {
			flush(&c);
			waiting = 0;
		}
	}
	flush(&c);
	for (size_t left = 0; i + left < count; left++)
		rest[left] = shingles[i + left];
	add4(&c, rest);
	flush(&c);
	for (unsigned b = 0; b < BITS; b++)
		bits |= (uint64_t)(2 * (uint64_t)c.totals[b] > count) << b;
	return bits;
}

unsigned dedup_simhash_key_count(unsigned distance)
{
	return (distance + 2) * (distance + 1) / 2;
}

static uint64_t block_of(uint64_t fingerprint, unsigned block, unsigned blocks)
{
	unsigned from = BITS * block / blocks, to = BITS * (block + 1) / blocks;

	return to - from == BITS ? fingerprint : fingerprint >> from & (((uint64_t)1 << (to - from)) - 1);
}

/* The output function of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	x ^= x >> 31;
	return x ? x : 1;
}

void dedup_simhash_keys(unsigned distance, uint64_t fingerprint, uint64_t *keys)
{
	unsigned blocks = distance + 2;
	uint64_t number = 0;

	for (unsigned a = 0; a < blocks; a++)
		for (unsigned b = a + 1; b < blocks; b++) {
			uint64_t two = block_of(fingerprint, a, blocks) << ((BITS + blocks - 1) / blocks) |
				       block_of(fingerprint, b, blocks);

			/* A table of its own for each two blocks. */
			*keys++ = mix(two ^ (++number * 0x9e3779b97f4a7c15u));
		}
}
