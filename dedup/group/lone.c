#include "dedup/group/lone.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dedup/group/parallel.h"

#define STEP 1024u /* texts a thread takes at once */

/* Two bits a place: seen, and seen again. */
struct lone {
	struct dedup_text *texts;
	size_t count;
	unsigned bands;
	_Atomic uint64_t *words; /* 32 places each */
	uint64_t mask;		 /* of places */
	atomic_size_t next, left;
};

static bool note(struct lone *l, uint64_t key)
{
	uint64_t place = key & l->mask;
	_Atomic uint64_t *word = &l->words[place / 32];
	uint64_t seen = (uint64_t)1 << (place % 32 * 2), again = seen << 1;
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	if (now & again)
		return true;
	if (!(now & seen) && !(atomic_fetch_or_explicit(word, seen, memory_order_relaxed) & seen))
		return false;
	atomic_fetch_or_explicit(word, again, memory_order_relaxed);
	return true;
}

static bool is_shared(const struct lone *l, uint64_t key)
{
	uint64_t place = key & l->mask;

	return atomic_load_explicit(&l->words[place / 32], memory_order_relaxed) >> (place % 32 * 2) & 2;
}

static bool take(struct lone *l, size_t *from, size_t *to)
{
	*from = atomic_fetch_add(&l->next, STEP);
	*to = *from + STEP < l->count ? *from + STEP : l->count;
	return *from < l->count;
}

static int note_all(void *ctx, unsigned thread)
{
	struct lone *l = ctx;
	size_t from, to;

	(void)thread;
	while (take(l, &from, &to))
		for (size_t i = from; i < to; i++)
			for (unsigned b = 0; l->texts[i].shingles && b < l->bands; b++)
				note(l, l->texts[i].keys[b]);
	return 0;
}

static int strike_all(void *ctx, unsigned thread)
{
	struct lone *l = ctx;
	size_t from, to, left = 0;

	(void)thread;
	while (take(l, &from, &to))
		for (size_t i = from; i < to; i++)
			for (unsigned b = 0; l->texts[i].shingles && b < l->bands; b++) {
				uint64_t *key = &l->texts[i].keys[b];

				if (!is_shared(l, *key))
					*key = 0;
				left += *key != 0;
			}
	atomic_fetch_add(&l->left, left);
	return 0;
}

int dedup_lone_strike(struct dedup_text *texts, size_t count, unsigned bands, unsigned threads, size_t *left,
	size_t *memory)
{
	struct lone l = {.texts = texts, .count = count, .bands = bands};
	uint64_t places = 4096;

	while (places < (uint64_t)count * bands * 2)
		places *= 2;
	l.mask = places - 1;
	l.words = calloc(places / 32, sizeof *l.words);
	if (!l.words)
		return -ENOMEM;
	dedup_parallel(threads, note_all, &l);
	l.next = 0;
	dedup_parallel(threads, strike_all, &l);
	free(l.words);
	*left = l.left;
	*memory = places / 32 * sizeof *l.words;
	return 0;
}
