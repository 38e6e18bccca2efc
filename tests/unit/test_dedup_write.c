// links: m_dedup_write
/* A file is there whole or not at all, and never where an input is. */
#include <errno.h>

#include "dedup/read/stream.h"
#include "dedup/write/outfile.h"
#include "tests/unit/dedup_world.h"

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* How many entries a directory has. */
static int entries;
static int count_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	entries += ftw->level > 0;
	return 0;
}

static int count(const char *dir)
{
	entries = 0;
	assert_int_equal(nftw(dir, count_entry, 16, FTW_PHYS), 0);
	return entries;
}

static void whole_or_not(void **state)
{
	struct world *world = *state;
	struct dedup_outfile file;

	assert_int_equal(dedup_outfile_open(&file, world->dir, "deep/er/out", DEDUP_CODEC_NONE), 0);
	assert_int_equal(dedup_outfile_write(&file, "hello", 5), 0);
	assert_false(is_there(world_path(world, "deep/er/out")));
	assert_int_equal(dedup_outfile_finish(&file), 0);
	assert_false(is_there(world_path(world, "deep/er/out")));
	assert_int_equal(dedup_outfile_publish(&file, false), 0);
	dedup_outfile_drop(&file);
	assert_true(is_there(world_path(world, "deep/er/out")));
	assert_int_equal(count(world_path(world, "deep/er")), 1);

	assert_int_equal(dedup_outfile_open(&file, world->dir, "deep/er/other", DEDUP_CODEC_NONE), 0);
	assert_int_equal(dedup_outfile_write(&file, "hello", 5), 0);
	dedup_outfile_drop(&file);
	assert_int_equal(count(world_path(world, "deep/er")), 1);
}

static void another_is_not_replaced(void **state)
{
	struct world *world = *state;
	struct dedup_outfile file;

	assert_int_equal(dedup_outfile_open(&file, world->dir, "late", DEDUP_CODEC_NONE), 0);
	assert_int_equal(dedup_outfile_finish(&file), 0);
	world_write(world, "late", "mine", 4);
	assert_int_equal(dedup_outfile_publish(&file, false), -EEXIST);
	assert_int_equal(dedup_outfile_publish(&file, true), 0);
	dedup_outfile_drop(&file);
}

static void compresses(void **state)
{
	struct world *world = *state;
	size_t len = 1500000;
	char *data = malloc(len), *back = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i >> 7 ^ i * 3);
	for (enum dedup_codec codec = DEDUP_CODEC_NONE; codec < DEDUP_CODEC_COUNT; codec++) {
		struct dedup_outfile file;
		struct dedup_stream stream;

		assert_int_equal(dedup_outfile_open(&file, world->dir, "packed", codec), 0);
		for (size_t at = 0; at < len;) {
			size_t n = at % 3 ? 400000 : 7;

			n = n < len - at ? n : len - at;
			assert_int_equal(dedup_outfile_write(&file, data + at, n), 0);
			at += n;
		}
		assert_int_equal(dedup_outfile_finish(&file), 0);
		assert_int_equal(dedup_outfile_publish(&file, true), 0);
		dedup_outfile_drop(&file);
		assert_int_equal(
			dedup_stream_open(&stream, open(world_path(world, "packed"), O_RDONLY), codec), 0);
		assert_int_equal(dedup_stream_read(&stream, back, len + 1), len);
		assert_int_equal(dedup_stream_read(&stream, back + len, 1), 0);
		assert_memory_equal(back, data, len);
		dedup_stream_close(&stream);
	}
	free(data);
	free(back);
}

static void never_over_an_input(void **state)
{
	struct world *world = *state;
	struct dedup_inputs inputs = {0};
	bool is_input;

	assert_int_equal(dedup_inputs_add(&inputs, world_write(world, "in", "{}\n", 3), 0), 0);
	assert_int_equal(dedup_outfile_check(world->dir, "in", &inputs, true, &is_input), -EEXIST);
	assert_true(is_input);
	assert_int_equal(symlink("in", world_path(world, "link")), 0);
	assert_int_equal(dedup_outfile_check(world->dir, "link", &inputs, true, &is_input), -EEXIST);
	assert_true(is_input);
	world_write(world, "there", "", 0);
	assert_int_equal(dedup_outfile_check(world->dir, "there", &inputs, false, &is_input), -EEXIST);
	assert_false(is_input);
	assert_int_equal(dedup_outfile_check(world->dir, "there", &inputs, true, &is_input), 0);
	assert_int_equal(dedup_outfile_check(world->dir, "free", &inputs, false, &is_input), 0);
	assert_int_equal(dedup_outfile_check(NULL, world->dir, &inputs, true, &is_input), -EISDIR);
	dedup_inputs_release(&inputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_or_not),
		cmocka_unit_test(another_is_not_replaced),
		cmocka_unit_test(compresses),
		cmocka_unit_test(never_over_an_input),
	};
	return cmocka_run_group_tests(tests, world_make, world_remove);
}
