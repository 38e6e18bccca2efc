#include "dedup/cut/grams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PLACES 8u /* a gram */
#define HUGE ((uint64_t)1 << 21)

int dedup_grams_init(struct dedup_grams *g, uint64_t count, uint64_t bytes)
{
	uint64_t places = 4096;

	while (places < count * PLACES && (!bytes || places / 2 <= bytes))
		places *= 2;
	g->mask = places - 1;
	bytes = places / 4 < HUGE ? places / 4 : (places / 4 + HUGE - 1) / HUGE * HUGE;
	g->words = aligned_alloc(bytes < HUGE ? 64 : HUGE, bytes);
	if (!g->words)
		return -ENOMEM;
	if (bytes >= HUGE) /* every look is at another page */
		madvise((void *)g->words, bytes, MADV_HUGEPAGE);
	memset((void *)g->words, 0, bytes);
	return 0;
}

void dedup_grams_release(struct dedup_grams *g)
{
	free((void *)g->words);
	g->words = NULL;
}

/* The key's last bits choose its list, the first ones the part; these are in the middle. */
static uint64_t place_of(const struct dedup_grams *g, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15u >> 16) & g->mask;
}

void dedup_grams_note(struct dedup_grams *g, uint64_t key)
{
	uint64_t place = place_of(g, key);
	_Atomic uint64_t *word = &g->words[place / 32];
	uint64_t seen = (uint64_t)1 << (place % 32 * 2), again = seen << 1;
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	if (now & again)
		return;
	if (!(now & seen) && !(atomic_fetch_or_explicit(word, seen, memory_order_relaxed) & seen))
		return;
	atomic_fetch_or_explicit(word, again, memory_order_relaxed);
}

void dedup_grams_prefetch(const struct dedup_grams *g, uint64_t key)
{
	__builtin_prefetch((const void *)&g->words[place_of(g, key) / 32]);
}

bool dedup_grams_is_shared(const struct dedup_grams *g, uint64_t key)
{
	uint64_t place = place_of(g, key);

	return atomic_load_explicit(&g->words[place / 32], memory_order_relaxed) >> (place % 32 * 2) & 2;
}
