#include "dedup/group/filter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dedup/group/parallel.h"

#define STEP 1024u /* texts a thread takes at once */

/* Two bits a place: seen, and seen again. */
struct filter {
	struct dedup_text *texts;
	size_t count;
	unsigned bands;
	_Atomic uint64_t *words; /* 32 places each */
	uint64_t mask;		 /* of places */
	atomic_size_t next, left;
};

static bool note(struct filter *f, uint64_t key)
{
	uint64_t place = key & f->mask;
	_Atomic uint64_t *word = &f->words[place / 32];
	uint64_t seen = (uint64_t)1 << (place % 32 * 2), again = seen << 1;
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	if (now & again)
		return true;
	if (!(now & seen) && !(atomic_fetch_or_explicit(word, seen, memory_order_relaxed) & seen))
		return false;
	atomic_fetch_or_explicit(word, again, memory_order_relaxed);
	return true;
}

static bool is_shared(const struct filter *f, uint64_t key)
{
	uint64_t place = key & f->mask;

	return atomic_load_explicit(&f->words[place / 32], memory_order_relaxed) >> (place % 32 * 2) & 2;
}

static bool take(struct filter *f, size_t *from, size_t *to)
{
	*from = atomic_fetch_add(&f->next, STEP);
	*to = *from + STEP < f->count ? *from + STEP : f->count;
	return *from < f->count;
}

static int note_all(void *ctx, unsigned thread)
{
	struct filter *f = ctx;
	size_t from, to;

	(void)thread;
	while (take(f, &from, &to))
		for (size_t i = from; i < to; i++)
			for (unsigned b = 0; f->texts[i].shingles && b < f->bands; b++)
				note(f, f->texts[i].keys[b]);
	return 0;
}

static int strike_all(void *ctx, unsigned thread)
{
	struct filter *f = ctx;
	size_t from, to, left = 0;

	(void)thread;
	while (take(f, &from, &to))
		for (size_t i = from; i < to; i++)
			for (unsigned b = 0; f->texts[i].shingles && b < f->bands; b++) {
				uint64_t *key = &f->texts[i].keys[b];

				if (!is_shared(f, *key))
					*key = 0;
				left += *key != 0;
			}
	atomic_fetch_add(&f->left, left);
	return 0;
}

int dedup_filter_keys(struct dedup_text *texts, size_t count, unsigned bands, unsigned threads, size_t *left,
	size_t *memory)
{
	struct filter f = {.texts = texts, .count = count, .bands = bands};
	uint64_t places = 4096;

	while (places < (uint64_t)count * bands * 2)
		places *= 2;
	f.mask = places - 1;
	f.words = calloc(places / 32, sizeof *f.words);
	if (!f.words)
		return -ENOMEM;
	dedup_parallel(threads, note_all, &f);
	f.next = 0;
	dedup_parallel(threads, strike_all, &f);
	free(f.words);
	*left = f.left;
	*memory = places / 32 * sizeof *f.words;
	return 0;
}
