// links: m_dedup_spill
/* Records come back as they were put, sorted and merged; nothing that is not whole has a name, and no bit of
 * a file can be another one unnoticed. */
#include <errno.h>

#include "dedup/spill/merge.h"
#include "dedup/spill/sort.h"
#include "tests/unit/dedup_world.h"

static const struct dedup_digest digest = {"0123456789abcdef"}, other = {"0123456789abcdeg"};

static uint64_t mixed(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int by_14(const void *a, const void *b)
{
	return memcmp(a, b, 14);
}

static int by_26(const void *a, const void *b)
{
	return memcmp(a, b, 26);
}

/* Of `kinds` different bytes: 1 makes all the same. */
static void fill(uint8_t *v, size_t len, unsigned kinds, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		v[i] = (uint8_t)(mixed(seed + i) % kinds * 255 / kinds);
}

static void sorts(void **state)
{
	(void)state;
	for (unsigned kinds = 1; kinds <= 256; kinds *= 4)
		for (size_t count = 0; count < 5000; count = count * 3 + 1)
			for (size_t size = 14; size <= 26; size += 12) {
				uint8_t *v = malloc(count * size + 1), *should = malloc(count * size + 1);

				fill(v, count * size, kinds, count);
				memcpy(should, v, count * size);
				qsort(should, count, size, size == 14 ? by_14 : by_26);
				dedup_sort(v, count, size);
				assert_memory_equal(v, should, count * size);
				free(v);
				free(should);
			}
}

/* `runs` runs of part 1 between others of part 2, each of `count` sorted numbers of 8 bytes. */
static void write_runs(const char *dir, const char *name, unsigned runs, unsigned count)
{
	struct dedup_table_writer w;

	assert_int_equal(dedup_table_create(&w, dir, name, DEDUP_TABLE_BANDS, &digest), 0);
	for (unsigned r = 0; r < runs; r++) {
		uint8_t *v = malloc(count * 8);

		fill(v, count * 8, 256, r);
		dedup_sort(v, count, 8);
		assert_int_equal(dedup_table_begin(&w, 1), 0);
		for (unsigned i = 0; i < count; i += 7) /* in pieces */
			assert_int_equal(
				dedup_table_put(&w, v + i * 8, (count - i < 7 ? count - i : 7) * 8), 0);
		assert_int_equal(dedup_table_begin(&w, 2), 0);
		assert_int_equal(dedup_table_put(&w, "\xff\xff\xff\xff\xff\xff\xff\xff", 8), 0);
		free(v);
	}
	w.counts[3] = 77;
	assert_int_equal(dedup_table_finish(&w), 0);
	dedup_table_drop(&w);
}

static int merge_all(struct dedup_table *tables, size_t count, uint64_t *seen)
{
	struct dedup_merge_shape shape = {.head = 8, .key = 8, .size = dedup_merge_fixed};
	struct dedup_merge m;
	uint8_t before[8] = {0};
	const uint8_t *record;
	size_t size, table;
	int rc = dedup_merge_open(&m, tables, count, 1, &shape);

	for (*seen = 0; !rc && (rc = dedup_merge_peek(&m, &record, &size, &table)) > 0; ++*seen) {
		assert_true(size == 8 && table < count && memcmp(before, record, 8) <= 0);
		memcpy(before, record, 8);
		rc = dedup_merge_next(&m);
	}
	dedup_merge_close(&m);
	return rc;
}

static void merges(void **state)
{
	struct world *world = *state;
	struct dedup_table tables[2];
	uint64_t seen;

	write_runs(world->dir, "a", 9, 30000); /* more than a block each */
	write_runs(world->dir, "b", 1, 10);
	assert_int_equal(dedup_table_open(&tables[0], world->dir, "a", DEDUP_TABLE_BANDS, &digest), 0);
	assert_int_equal(dedup_table_open(&tables[1], world->dir, "b", DEDUP_TABLE_BANDS, &digest), 0);
	assert_int_equal(tables[1].counts[3], 77);
	assert_int_equal(merge_all(tables, 2, &seen), 0);
	assert_int_equal(seen, 9 * 30000 + 10);
	dedup_table_close(&tables[0]);
	dedup_table_close(&tables[1]);
}

static void is_its_own(void **state)
{
	struct world *world = *state;
	struct dedup_table_writer w, again;
	struct dedup_table t;

	assert_int_equal(dedup_table_open(&t, world->dir, "none", DEDUP_TABLE_BANDS, &digest), -ENOENT);
	write_runs(world->dir, "c", 1, 10);
	assert_int_equal(dedup_table_open(&t, world->dir, "c", DEDUP_TABLE_BANDS, &other), -ESTALE);
	assert_int_equal(dedup_table_open(&t, world->dir, "c", DEDUP_TABLE_TIES, &digest), -EBADMSG);

	assert_int_equal(dedup_table_create(&w, world->dir, "d", DEDUP_TABLE_TIES, &digest), 0);
	assert_int_equal(dedup_table_create(&again, world->dir, "d", DEDUP_TABLE_TIES, &digest), -EBUSY);
	dedup_table_drop(&again);
	assert_int_equal(dedup_table_open(&t, world->dir, "d", DEDUP_TABLE_TIES, &digest), -ENOENT);
	assert_int_equal(dedup_table_finish(&w), 0);
	dedup_table_drop(&w);
	assert_int_equal(dedup_table_open(&t, world->dir, "d", DEDUP_TABLE_TIES, &digest), 0);
	dedup_table_close(&t);

	world_write(world, "e.part", "what a killed process left", 26);
	write_runs(world->dir, "e", 1, 10);
	assert_int_equal(access(world_path(world, "e.part"), F_OK), -1);
}

/* Every single bit, and every length. */
static void damage(void **state)
{
	struct world *world = *state;
	uint8_t bytes[1024];
	struct dedup_table t;
	uint64_t seen;
	size_t len;
	FILE *file;

	write_runs(world->dir, "f", 1, 20);
	file = fopen(world_path(world, "f"), "rb");
	len = fread(bytes, 1, sizeof bytes, file);
	fclose(file);
	assert_true(len > 200 && len < sizeof bytes);
	for (size_t bit = 0; bit < len * 8 + len; bit++) {
		size_t size = bit < len * 8 ? len : bit - len * 8;
		int rc;

		if (bit < len * 8)
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		world_write(world, "g", bytes, size);
		rc = dedup_table_open(&t, world->dir, "g", DEDUP_TABLE_BANDS, &digest);
		rc = rc ? rc : merge_all(&t, 1, &seen);
		dedup_table_close(&t);
		/* What nobody reads is not missed: the zeros in a block's head, and the other part. */
		if (!rc)
			assert_true(seen == 20 && bit < len * 8 && bit / 8 >= 40);
		if (bit < len * 8)
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A run that is not sorted is not merged, and a record's size may not lie. */
static void odd_runs(void **state)
{
	struct world *world = *state;
	struct dedup_table_writer w;
	struct dedup_table t;
	struct dedup_cursor c;
	const uint8_t *bytes;
	uint64_t seen;

	assert_int_equal(dedup_table_create(&w, world->dir, "h", DEDUP_TABLE_BANDS, &digest), 0);
	assert_int_equal(dedup_table_begin(&w, 1), 0);
	assert_int_equal(dedup_table_put(&w,
				 "00000002"
				 "00000001"
				 "0",
				 17),
		0);
	assert_int_equal(dedup_table_finish(&w), 0);
	dedup_table_drop(&w);
	assert_int_equal(dedup_table_open(&t, world->dir, "h", DEDUP_TABLE_BANDS, &digest), 0);
	assert_int_equal(merge_all(&t, 1, &seen), -EBADMSG);
	dedup_cursor_open(&c, &t, 0);
	assert_int_equal(dedup_cursor_peek(&c, SIZE_MAX / 2, &bytes), -EBADMSG);
	assert_int_equal(dedup_cursor_peek(&c, 16, &bytes), 1);
	dedup_cursor_skip(&c, 16);
	assert_int_equal(dedup_cursor_peek(&c, 2, &bytes), -EBADMSG);
	assert_int_equal(dedup_cursor_peek(&c, 1, &bytes), 1);
	dedup_cursor_skip(&c, 1);
	assert_int_equal(dedup_cursor_peek(&c, 1, &bytes), 0);
	dedup_cursor_close(&c);
	dedup_table_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts),
		cmocka_unit_test(merges),
		cmocka_unit_test(is_its_own),
		cmocka_unit_test(damage),
		cmocka_unit_test(odd_runs),
	};
	return cmocka_run_group_tests(tests, world_make, world_remove);
}
