// links: m_dedup_group m_dedup_sketch
/* Exact: whatever the order, the lowest line of a text stands for it. Near: the answer is that of holding
 * every text against every anchor, for any number of threads. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/group/cuckoo.h"
#include "dedup/group/exact.h"
#include "dedup/group/near.h"
#include "dedup/group/parallel.h"
#include "dedup/sketch/sketch.h"
#include "dedup/text/shingles.h"

#define LINES 200000u
#define DISTINCT 50000u

static uint64_t mixed(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

struct putting {
	struct dedup_exact *exact;
	uint32_t *to; /* what stands for a line, and 1; 0: itself */
	unsigned threads;
};

/* Each thread goes through its share of the lines downwards, so that lower ones come later. */
static int put_share(void *ctx, unsigned thread)
{
	struct putting *p = ctx;

	for (uint32_t i = LINES - 1 - thread; i < LINES; i -= p->threads) {
		uint32_t text = i % DISTINCT, first, again;
		int rc = dedup_exact_put(p->exact, mixed(text), (uint32_t)text, i, &first, &again);

		if (rc < 0)
			return rc;
		if (!rc)
			p->to[again] = first + 1;
	}
	return 0;
}

static void lowest_stands(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct putting p = {.to = calloc(LINES, sizeof *p.to), .threads = threads};

		assert_int_equal(dedup_exact_new(&p.exact), 0);
		assert_int_equal(dedup_parallel(threads, put_share, &p), 0);
		for (uint32_t i = 0; i < LINES; i++) {
			uint32_t at = i;

			while (p.to[at])
				at = p.to[at] - 1;
			assert_int_equal(at, i % DISTINCT);
		}
		dedup_exact_free(p.exact);
		free(p.to);
	}
}

/* Together with the four bytes a line that the engine takes, at most 24. */
static void memory_a_text(void **state)
{
	struct dedup_exact *exact;
	uint32_t first, again;

	(void)state;
	assert_int_equal(dedup_exact_new(&exact), 0);
	for (uint32_t i = 0; i < 400000; i++) {
		assert_int_equal(dedup_exact_put(exact, mixed(i), 0, i, &first, &again), 1);
		if (i > 250000 && i % 1000 == 0)
			assert_true(dedup_exact_memory(exact) <= 20 * (size_t)i);
	}
	dedup_exact_free(exact);
}

/* The same first hash, or nearly: told apart by the second, and nothing is lost at the table's end. */
static void collisions(void **state)
{
	struct dedup_exact *exact;
	uint32_t first, again;

	(void)state;
	assert_int_equal(dedup_exact_new(&exact), 0);
	for (uint32_t i = 0; i < 600; i++)
		assert_int_equal(dedup_exact_put(exact, UINT64_MAX - i % 3, i, i, &first, &again), 1);
	for (uint32_t i = 0; i < 600; i++) {
		assert_int_equal(dedup_exact_put(exact, UINT64_MAX - i % 3, i, 9000 + i, &first, &again), 0);
		assert_int_equal(first, i);
		assert_int_equal(again, 9000 + i);
	}
	dedup_exact_free(exact);
}

#define TEXTS 2000u
#define BANDS 25u
#define ROWS 5u

/* Families of texts: each a copy of a random one with some shingles changed; some have none at all. */
static void make_texts(struct dedup_text *texts, uint64_t *memory, size_t stride)
{
	struct dedup_sketcher s;
	uint64_t sketch[BANDS * ROWS], seed = 3;

	dedup_sketcher_init(&s, DEDUP_SKETCH_FAST, BANDS * ROWS);
	for (uint32_t i = 0; i < TEXTS; i++) {
		uint64_t *v = memory + i * stride + BANDS, family = mixed(seed++) % 300;
		uint32_t n = i % 97 == 0 ? 0 : (uint32_t)(20 + family % 80);

		for (uint32_t j = 0; j < n; j++)
			v[j] = mixed(seed++) % 100 < i % 20 ? mixed(seed++) | 1 : mixed(family << 32 | j) | 1;
		texts[i] = (struct dedup_text){.keys = v - BANDS, .shingles = n, .id = i};
		if (!n)
			continue;
		dedup_sketch(&s, v, n, sketch);
		dedup_bands_keys((struct dedup_bands){BANDS, ROWS}, sketch, texts[i].keys);
	}
}

static double jaccard(const struct dedup_text *a, const struct dedup_text *b)
{
	uint32_t common = 0;

	for (uint32_t i = 0; i < a->shingles; i++)
		for (uint32_t j = 0; j < b->shingles; j++)
			common += a->keys[BANDS + i] == b->keys[BANDS + j];
	return (double)common / (a->shingles + b->shingles - common);
}

static void near_is_brute_force(void **state)
{
	size_t stride = BANDS + 100;
	struct dedup_text *texts = calloc(TEXTS, sizeof *texts), *before = calloc(TEXTS, sizeof *before);
	uint64_t *memory = calloc(TEXTS * stride, sizeof *memory);
	struct dedup_near_options options = {.bands = BANDS, .threshold = .7};
	struct dedup_near_stats stats, last = {0};
	unsigned missed = 0, pairs = 0;

	(void)state;
	for (options.threads = 1; options.threads <= 5; options.threads++) {
		make_texts(texts, memory, stride);
		assert_int_equal(dedup_near(texts, TEXTS, &options, &stats), 0);
		if (options.threads > 1) {
			assert_memory_equal(texts, before, TEXTS * sizeof *texts);
			assert_int_equal(stats.candidates, last.candidates);
			assert_int_equal(stats.rejected, last.rejected);
		}
		memcpy(before, texts, TEXTS * sizeof *texts);
		last = stats;
	}
	for (uint32_t i = 0; i < TEXTS; i++) {
		uint32_t anchor = texts[i].anchor;

		if (anchor != i) {
			double is = jaccard(&texts[i], &texts[anchor]);

			assert_true(anchor < i && texts[anchor].anchor == anchor);
			assert_true(is >= .7 && texts[i].similarity == (float)is);
			pairs++;
			continue;
		}
		for (uint32_t j = 0; j < i; j++)
			missed += texts[j].anchor == j && texts[i].shingles && texts[j].shingles &&
				  jaccard(&texts[i], &texts[j]) >= .7;
	}
	assert_int_equal(stats.joined, pairs);
	assert_int_equal(stats.candidates, stats.joined + stats.rejected);
	assert_true(pairs > 600 && missed * 100 < pairs);
	free(texts);
	free(before);
	free(memory);
}

static int refuse(void *ctx, size_t done, size_t of)
{
	(void)ctx;
	(void)done;
	(void)of;
	return 1;
}

static void can_be_ended(void **state)
{
	size_t stride = BANDS + 100;
	struct dedup_text *texts = calloc(TEXTS, sizeof *texts);
	uint64_t *memory = calloc(TEXTS * stride, sizeof *memory);
	struct dedup_near_options options = {
		.bands = BANDS, .threshold = .7, .threads = 2, .progress = refuse};
	struct dedup_near_stats stats;

	(void)state;
	make_texts(texts, memory, stride);
	assert_int_equal(dedup_near(texts, TEXTS, &options, &stats), -EINTR);
	options.progress = NULL;
	assert_int_equal(dedup_near(texts, 0, &options, &stats), 0);
	free(texts);
	free(memory);
}

static void keys_of(uint64_t seed, uint64_t keys[10])
{
	for (unsigned b = 0; b < 10; b++)
		keys[b] = mixed(seed * 10 + b);
}

/* What is in is found by any one band; of what is not, no more than the bound, when as many are in as
 * expected. */
static void filters_keep_their_bound(void **state)
{
	static const double bounds[] = {1e-1, 1e-2, 1e-3};
	uint64_t keys[10], others[10];

	(void)state;
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
		struct dedup_cuckoo cuckoo;
		unsigned wrong = 0, tried = 0;

		assert_int_equal(dedup_cuckoo_init(&cuckoo, 10, 20000, bounds[i]), 0);
		for (uint64_t n = 0; n < 20000; n++) {
			keys_of(n, keys);
			assert_true(dedup_cuckoo_put(&cuckoo, keys) >= 0);
		}
		for (uint64_t n = 0; n < 20000; n++) {
			keys_of(n, keys);
			keys_of(n + 1000000, others);
			others[n % 10] = keys[n % 10];
			assert_true(dedup_cuckoo_has(&cuckoo, others));
		}
		for (uint64_t n = 0; n < 200000; n++, tried++) {
			keys_of(4000000 + n, others);
			wrong += dedup_cuckoo_has(&cuckoo, others);
		}
		assert_true(wrong < tried * bounds[i] * 1.1 + 5);
		assert_true(i || wrong > tried * bounds[i] * .4);
		dedup_cuckoo_release(&cuckoo);
	}
}

/* A few keys, and far more than expected: none is forgotten, and the answers of two that got the same are the
 * same. */
static void filters_forget_nothing(void **state)
{
	static const unsigned expected[] = {0, 1, 3, 100};

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		struct dedup_cuckoo one, two;
		unsigned last = 4 * expected[i] + 20;
		uint64_t keys[10];

		assert_int_equal(dedup_cuckoo_init(&one, 10, expected[i], 1e-5), 0);
		assert_int_equal(dedup_cuckoo_init(&two, 10, expected[i], 1e-5), 0);
		for (uint64_t n = 0; n < last; n++) {
			keys_of(n, keys);
			assert_int_equal(dedup_cuckoo_put(&one, keys), 0);
			assert_int_equal(dedup_cuckoo_put(&one, keys), 1);
			assert_int_equal(dedup_cuckoo_put(&two, keys), 0);
		}
		for (uint64_t n = 0; n < last; n++) {
			keys_of(n, keys);
			assert_true(dedup_cuckoo_has(&one, keys));
		}
		assert_memory_equal(one.bytes, two.bytes, one.size * one.bands);
		dedup_cuckoo_release(&one);
		dedup_cuckoo_release(&two);
	}
}

/* Beside them there are 4 bytes a line: 75 in all. */
static void filters_memory(void **state)
{
	struct dedup_cuckoo cuckoo;
	uint64_t keys[20];
	int wrong = 0;

	(void)state;
	assert_int_equal(dedup_cuckoo_init(&cuckoo, 20, 100000, 1e-5), 0);
	for (uint64_t n = 0; n < 100000; n++) {
		for (unsigned i = 0; i < 20; i++)
			keys[i] = mixed(n * 20 + i);
		wrong += dedup_cuckoo_put(&cuckoo, keys);
	}
	assert_in_range(wrong, 0, 3); /* .5 are to be expected, and the keys are the same each time */
	assert_true(dedup_cuckoo_memory(&cuckoo) <= 64 * 100000);
	assert_int_equal(cuckoo.rest_count, 0);
	dedup_cuckoo_release(&cuckoo);
	assert_int_equal(dedup_cuckoo_init(&cuckoo, 20, UINT64_MAX, 1e-5), -ENOMEM);
	assert_int_equal(dedup_cuckoo_init(&cuckoo, 20, 9, 1e-300), -ENOMEM);
	dedup_cuckoo_release(&cuckoo);
}

/* A table that may not grow forgets texts, but is never wrong about one. */
static void a_bounded_table(void **state)
{
	struct dedup_exact *exact;
	uint32_t first, again, known = 0;

	(void)state;
	assert_int_equal(dedup_exact_new(&exact), 0);
	dedup_exact_limit(exact, 1u << 20);
	for (uint32_t i = 0; i < 200000; i++)
		assert_int_equal(dedup_exact_put(exact, mixed(i), 0, i, &first, &again), 1);
	assert_true(dedup_exact_memory(exact) < (1u << 20) + (1u << 16));
	for (uint32_t i = 0; i < 200000; i++)
		if (!dedup_exact_put(exact, mixed(i), 0, 300000 + i, &first, &again)) {
			assert_int_equal(first, i);
			known++;
		}
	assert_true(known > 40000 && known < 70000);
	dedup_exact_free(exact);
}

/* Some texts first, the others held against them afterwards, until none is left: as all at once. */
static void blocks_are_the_whole(void **state)
{
	size_t stride = BANDS + 120;
	uint64_t *memory = calloc(TEXTS * stride, sizeof *memory);
	struct dedup_text *whole = calloc(TEXTS, sizeof *whole), *left = calloc(TEXTS, sizeof *left);
	struct dedup_near_options options = {.bands = BANDS, .threads = 2, .threshold = .6};
	struct dedup_near_stats all, parts = {0};
	uint32_t keeper[TEXTS];
	size_t count = TEXTS;

	(void)state;
	assert_true(memory && whole && left);
	make_texts(left, memory, stride);
	make_texts(whole, memory, stride);
	while (count) {
		size_t block = count < 150 ? count : 150, kept = 0;
		struct dedup_near *near;

		assert_int_equal(dedup_near_open(left, block, &options, &near), 0);
		assert_int_equal(dedup_near_look(near, left + block, count - block), 0);
		for (size_t i = 0; i < block; i++)
			keeper[left[i].id] = left[left[i].anchor].id;
		for (size_t i = block; i < count; i++)
			if (left[i].anchor != DEDUP_NEAR_NONE)
				keeper[left[i].id] = left[left[i].anchor].id;
		for (size_t i = block; i < count; i++)
			if (left[i].anchor == DEDUP_NEAR_NONE)
				left[kept++] = left[i];
		dedup_near_close(near, &parts);
		count = kept;
	}
	assert_int_equal(dedup_near(whole, TEXTS, &options, &all), 0);
	assert_true(all.joined > 300 && all.joined < TEXTS);
	assert_int_equal(all.joined, parts.joined);
	assert_int_equal(all.candidates, parts.candidates);
	for (size_t i = 0; i < TEXTS; i++)
		assert_int_equal(whole[whole[i].anchor].id, keeper[i]);
	free(memory);
	free(whole);
	free(left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowest_stands),
		cmocka_unit_test(memory_a_text),
		cmocka_unit_test(collisions),
		cmocka_unit_test(a_bounded_table),
		cmocka_unit_test(blocks_are_the_whole),
		cmocka_unit_test(near_is_brute_force),
		cmocka_unit_test(can_be_ended),
		cmocka_unit_test(filters_keep_their_bound),
		cmocka_unit_test(filters_forget_nothing),
		cmocka_unit_test(filters_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
