// links: m_dedup_sketch
/* Both sketches estimate the similarity, the fast one better; bands find pairs with the chance that is
 * promised. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/sketch/sketch.h"

#define K 128u
#define PAIRS 1500u

static uint64_t random_of(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

/* Two sets of n elements each with `common` of them in both. */
static void pair(uint64_t *state, uint64_t *a, uint64_t *b, size_t n, size_t common)
{
	for (size_t i = 0; i < n; i++) {
		a[i] = random_of(state);
		b[i] = i < common ? a[i] : random_of(state);
	}
}

/* The root of the mean square error of the estimate, and its mean error. */
static double error_of(enum dedup_sketch_kind kind, size_t n, size_t common, double *bias)
{
	struct dedup_sketcher s;
	uint64_t a[512], b[512], x[K], y[K], state = n * 1000 + common;
	double is = (double)common / (double)(2 * n - common), squares = 0, sum = 0;

	dedup_sketcher_init(&s, kind, K);
	for (unsigned p = 0; p < PAIRS; p++) {
		unsigned equal = 0;
		double error;

		pair(&state, a, b, n, common);
		dedup_sketch(&s, a, n, x);
		dedup_sketch(&s, b, n, y);
		for (unsigned i = 0; i < K; i++)
			equal += x[i] == y[i];
		error = (double)equal / K - is;
		sum += error;
		squares += error * error;
	}
	*bias = sum / PAIRS;
	return sqrt(squares / PAIRS);
}

static void estimates(void **state)
{
	static const size_t sizes[][2] = {{20, 16}, {100, 82}, {200, 165}, {400, 360}, {400, 200}};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t n = sizes[i][0], common = sizes[i][1];
		double is = (double)common / (double)(2 * n - common), ideal = sqrt(is * (1 - is) / K), bias;
		double fast = error_of(DEDUP_SKETCH_FAST, n, common, &bias);

		assert_true(fabs(bias) < 0.006);
		assert_true(fast < ideal * 1.05);
		assert_true(error_of(DEDUP_SKETCH_PERMUTATIONS, n, common, &bias) < ideal * 1.2);
		assert_true(fabs(bias) < 0.01);
	}
}

/* All of k values are filled, whatever the size; the order of the elements does not matter. */
static void any_size(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 50, 512};
	uint64_t a[512], reversed[512], x[DEDUP_SKETCH_MAX], y[DEDUP_SKETCH_MAX], seed = 1;
	struct dedup_sketcher s;

	(void)state;
	for (unsigned k = 1; k <= DEDUP_SKETCH_MAX; k = k * 3 + 1) {
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			size_t n = sizes[i];

			pair(&seed, a, reversed, n, 0);
			for (size_t j = 0; j < n; j++)
				reversed[j] = a[n - 1 - j];
			for (int kind = DEDUP_SKETCH_FAST; kind <= DEDUP_SKETCH_PERMUTATIONS; kind++) {
				dedup_sketcher_init(&s, (enum dedup_sketch_kind)kind, k);
				dedup_sketch(&s, a, n, x);
				dedup_sketch(&s, reversed, n, y);
				assert_memory_equal(x, y, k * sizeof *x);
				for (unsigned j = 0; j < k; j++)
					assert_true(x[j] != UINT64_MAX);
			}
		}
	}
}

/* Sketches are the same for ever: what was found yesterday is found tomorrow. */
static void is_pinned(void **state)
{
	const uint64_t set[] = {1, 2, 3};
	struct dedup_sketcher s;
	uint64_t x[4];

	(void)state;
	dedup_sketcher_init(&s, DEDUP_SKETCH_FAST, 4);
	dedup_sketch(&s, set, 3, x);
	assert_int_equal(x[3], 0x1837f5528e0aa5);
}

static void chooses_bands(void **state)
{
	struct dedup_bands bands = dedup_bands_choose(.8, 128, DEDUP_CHANCE_VERIFIED);

	(void)state;
	assert_int_equal(bands.bands, 18);
	assert_int_equal(bands.rows, 7);
	for (int t = 1; t <= 20; t++) {
		double threshold = t / 20.0;

		for (unsigned k = 16; k <= 1024; k *= 2) {
			bands = dedup_bands_choose(threshold, k, DEDUP_CHANCE_VERIFIED);
			assert_true(bands.bands * bands.rows <= k && bands.rows >= 1);
			assert_true(dedup_bands_chance(bands, threshold) >= .98 || bands.rows == 1);
		}
	}
	bands = dedup_bands_choose(.8, 128, DEDUP_CHANCE_ALONE);
	assert_int_equal(bands.bands, 10);
	assert_int_equal(bands.rows, 12);
	/* The figures of the literature for 14 bands of 8. */
	assert_true(fabs(dedup_bands_chance((struct dedup_bands){14, 8}, .7) - .57) < .01);
	assert_true(fabs(dedup_bands_chance((struct dedup_bands){14, 8}, .8) - .92) < .01);
}

static void bands_find_pairs(void **state)
{
	struct dedup_bands bands = {18, 7};
	struct dedup_sketcher s;
	uint64_t a[200], b[200], x[K], y[K], p[18], q[18], seed = 7;
	unsigned found = 0;
	double is = 170 / 230.0, chance = dedup_bands_chance(bands, is);

	(void)state;
	dedup_sketcher_init(&s, DEDUP_SKETCH_FAST, K);
	for (unsigned i = 0; i < PAIRS; i++) {
		bool shared = false;

		pair(&seed, a, b, 200, 170);
		dedup_sketch(&s, a, 200, x);
		dedup_sketch(&s, b, 200, y);
		dedup_bands_keys(bands, x, p);
		dedup_bands_keys(bands, y, q);
		for (unsigned j = 0; j < 18; j++) {
			shared |= p[j] == q[j];
			assert_true(j == 0 || p[j] != p[j - 1]);
		}
		found += shared;
	}
	assert_true(found >= PAIRS * (chance - .03));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimates),
		cmocka_unit_test(any_size),
		cmocka_unit_test(is_pinned),
		cmocka_unit_test(chooses_bands),
		cmocka_unit_test(bands_find_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
