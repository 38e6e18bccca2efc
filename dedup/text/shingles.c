#include "dedup/text/shingles.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEP 0x9e3779b97f4a7c15u /* odd: the n-gram is a polynomial of the word hashes in it, modulo 2^64 */

/* The finaliser of MurmurHash3, so that all bits of a shingle are good; 0 is the mark of an empty slot. */
static uint64_t mixed(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	h ^= h >> 33;
	return h ? h : 1;
}

static size_t slots_for(size_t count)
{
	size_t slots = 64;

	while (slots < 2 * count)
		slots *= 2;
	return slots;
}

static int grow(uint64_t **v, size_t *capacity, size_t want)
{
	uint64_t *grown;

	if (*capacity >= want)
		return 0;
	grown = malloc(2 * want * sizeof *grown);
	if (!grown)
		return -ENOMEM;
	free(*v);
	*v = grown;
	*capacity = 2 * want;
	return 0;
}

/* Whether it was not there; then it is. */
static inline bool put(uint64_t *slots, size_t mask, uint64_t h)
{
	size_t at = (size_t)h & mask;

	while (slots[at]) {
		if (slots[at] == h)
			return false;
		at = (at + 1) & mask;
	}
	slots[at] = h;
	return true;
}

static inline bool has(const uint64_t *slots, size_t mask, uint64_t h)
{
	size_t at = (size_t)h & mask;

	while (slots[at] && slots[at] != h)
		at = (at + 1) & mask;
	return slots[at] != 0;
}

int dedup_shingles_of(struct dedup_shingles *s, const uint64_t *words, size_t count, unsigned n)
{
	uint64_t h = 0, last = 1;
	size_t slots, first;

	s->count = 0;
	if (!count)
		return 0;
	if (n > count)
		n = (unsigned)count;
	slots = slots_for(count);
	if (grow(&s->v, &s->capacity, count) || grow(&s->seen, &s->seen_capacity, slots))
		return -ENOMEM;
	memset(s->seen, 0, slots * sizeof *s->seen);
	for (unsigned i = 0; i < n; i++)
		last *= STEP;
	for (first = 0; first < n; first++)
		h = h * STEP + words[first];
	for (size_t i = n;; i++) {
		/* Together with n, so that a short text is not the n-gram that it would be as a part. */
		uint64_t shingle = mixed(h + n);

		if (put(s->seen, slots - 1, shingle))
			s->v[s->count++] = shingle;
		if (i == count)
			return 0;
		h = h * STEP + words[i] - words[i - n] * last;
	}
}

void dedup_shingles_release(struct dedup_shingles *s)
{
	free(s->v);
	free(s->seen);
	*s = (struct dedup_shingles){0};
}

int dedup_set_fill(struct dedup_set *set, const uint64_t *v, size_t count)
{
	size_t slots = slots_for(count);

	if (grow(&set->slots, &set->capacity, slots))
		return -ENOMEM;
	memset(set->slots, 0, slots * sizeof *set->slots);
	set->mask = slots - 1;
	set->count = count;
	for (size_t i = 0; i < count; i++)
		put(set->slots, set->mask, v[i]);
	return 0;
}

void dedup_set_release(struct dedup_set *set)
{
	free(set->slots);
	*set = (struct dedup_set){0};
}

double dedup_set_jaccard(const struct dedup_set *set, const uint64_t *v, size_t count, double threshold)
{
	size_t both = set->count + count, common = 0, misses = 0, allowed;
	/* |A and B| >= t / (1 + t) * (|A| + |B|), one less against rounding */
	double needed = threshold / (1 + threshold) * (double)both - 1;

	if (!both || (double)count < needed)
		return 0;
	allowed = needed > 0 ? count - (size_t)needed : count;
	for (size_t i = 0; i < count; i++) {
		if (has(set->slots, set->mask, v[i]))
			common++;
		else if (++misses > allowed)
			return 0;
	}
	return (double)common / (double)(both - common);
}

size_t dedup_set_common(const struct dedup_set *set, const uint64_t *v, size_t count)
{
	size_t common = 0;

	for (size_t i = 0; i < count; i++)
		common += has(set->slots, set->mask, v[i]);
	return common;
}
