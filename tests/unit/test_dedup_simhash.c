// links: m_dedup_group m_dedup_sketch
/* Fingerprints are what the definition says; all that are near are found, and what is joined is near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/group/near.h"
#include "dedup/sketch/simhash.h"

static uint64_t random_of(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

static void bits_of_most(void **state)
{
	static uint64_t v[2000];
	uint64_t seed = 1;

	(void)state;
	for (size_t count = 1; count <= 2000; count += count < 20 ? 1 : 97) {
		uint64_t want = 0;

		for (size_t i = 0; i < count; i++)
			v[i] = random_of(&seed) | (i % 3 ? 0xff00 : 0);
		for (unsigned b = 0; b < 64; b++) {
			size_t ones = 0;

			for (size_t i = 0; i < count; i++)
				ones += v[i] >> b & 1;
			want |= (uint64_t)(2 * ones > count) << b;
		}
		assert_true(dedup_simhash(v, count) == want);
	}
}

/* Whatever `distance` bits differ, a key is the same; keys differ where all blocks do. */
static void keys_of_near_ones_meet(void **state)
{
	uint64_t a[160], b[160], seed = 2;

	(void)state;
	for (unsigned distance = 0; distance <= DEDUP_DISTANCE_MAX; distance++)
		for (unsigned round = 0; round < 500; round++) {
			unsigned count = dedup_simhash_key_count(distance), same = 0;
			uint64_t x = random_of(&seed), y = x;

			assert_true(count <= 160);
			while (dedup_simhash_distance(x, y) < distance)
				y ^= (uint64_t)1 << random_of(&seed) % 64;
			dedup_simhash_keys(distance, x, a);
			dedup_simhash_keys(distance, y, b);
			for (unsigned i = 0; i < count; i++) {
				assert_true(a[i] != 0);
				same += a[i] == b[i];
			}
			assert_true(same >= 1);
			dedup_simhash_keys(distance, ~x, b);
			for (unsigned i = 0; i < count; i++)
				assert_true(a[i] != b[i]);
		}
}

#define TEXTS 6000u

static void near_is_brute_force(void **state)
{
	static struct dedup_text texts[TEXTS];
	static uint64_t prints[TEXTS], data[TEXTS][64];
	static uint32_t want[TEXTS];

	(void)state;
	for (unsigned distance = 0; distance <= 6; distance += 3) {
		unsigned bands = dedup_simhash_key_count(distance);
		uint64_t seed = distance;

		for (uint32_t i = 0; i < TEXTS; i++) {
			prints[i] =
				i && random_of(&seed) % 2 ? prints[random_of(&seed) % i] : random_of(&seed);
			for (unsigned n = random_of(&seed) % (distance + 3); n; n--)
				prints[i] ^= (uint64_t)1 << random_of(&seed) % 64;
			want[i] = i;
			for (uint32_t j = 0; j < i && want[i] == i; j++)
				if (want[j] == j && dedup_simhash_distance(prints[i], prints[j]) <= distance)
					want[i] = j;
		}
		for (unsigned threads = 1; threads <= 3; threads++) {
			struct dedup_near_options options = {
				.bands = bands, .threads = threads, .simhash = true, .distance = distance};
			struct dedup_near_stats stats;

			for (uint32_t i = 0; i < TEXTS; i++) {
				dedup_simhash_keys(distance, prints[i], data[i]);
				data[i][bands] = prints[i];
				texts[i] = (struct dedup_text){.keys = data[i], .shingles = 1, .id = i};
			}
			assert_int_equal(dedup_near(texts, TEXTS, &options, &stats), 0);
			for (uint32_t i = 0; i < TEXTS; i++) {
				unsigned d = dedup_simhash_distance(prints[i], prints[want[i]]);

				assert_int_equal(texts[i].anchor, want[i]);
				assert_true(texts[i].similarity == 1 - (float)d / 64);
			}
			assert_true(stats.joined > 500);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_of_most),
		cmocka_unit_test(keys_of_near_ones_meet),
		cmocka_unit_test(near_is_brute_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
