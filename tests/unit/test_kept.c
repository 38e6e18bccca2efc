// links: m_store
/* Raw copies kept of encoded files: read, written to, pushed out, dropped. */
#include "tests/unit/kept_world.h"

static void newest_are_kept(void **state)
{
	struct fixture *f = *state;
	uint64_t one = put(f, 1), two = put(f, 2), three = put(f, 3);

	expect_kept(f, 2);
	assert_false(reads_raw(f, one, 1));
	assert_true(reads_raw(f, two, 2));
	assert_true(reads_raw(f, two, 2)); /* and is no newer for it */
	put(f, 4);
	assert_false(reads_raw(f, two, 2));
	assert_true(reads_raw(f, three, 3));
	expect_kept(f, 2);
}

static void kept_file_is_written_without_decoding(void **state)
{
	struct fixture *f = *state;
	struct stage *stage = f->store->parts.stage;
	struct decoder_counts before, after;
	uint64_t ino = put(f, 1);
	uint8_t *got = malloc(SIZE);

	decoder_counts(f->store->parts.decoder, &before);
	struct content *content = open_file(f, ino, O_RDWR);
	decoder_counts(f->store->parts.decoder, &after);
	assert_int_equal(after.chunks_decoded + after.cache_hits, before.chunks_decoded + before.cache_hits);
	assert_int_equal(content_write(content, "changed", 7, 1000000, false), 7);
	content_release(stage, content, O_RDWR);
	scratch_store_drain(f->store);
	for (int i = 0; i < 2; i++) {
		content = open_file(f, ino, O_RDONLY);
		assert_int_equal(content_read(content, got, SIZE, 0), SIZE);
		content_release(stage, content, O_RDONLY);
		pattern(f, 1);
		memcpy(f->bytes + 1000000, "changed", 7);
		assert_memory_equal(got, f->bytes, SIZE);
		open_with(f, 0); /* and so is what was encoded */
		stage = f->store->parts.stage;
	}
	free(got);
}

static void what_is_gone_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct stage *stage = f->store->parts.stage;
	uint64_t ino = put(f, 1), other = put(f, 2);
	struct inode gone;

	expect_kept(f, 2);
	assert_int_equal(names_unlink(f->store->parts.names, NAMES_ROOT, "file-1", &gone), 0);
	assert_int_equal(content_drop(stage, ino), 0);
	expect_kept(f, 1);
	assert_int_equal(content_truncate(stage, other, 10), 0);
	scratch_store_drain(f->store);
	expect_kept(f, 0);
	assert_int_equal(files_in(f->kept), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(newest_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_file_is_written_without_decoding, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_is_not_kept, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
