// links: m_store
/* Raw copies kept of encoded files: read, written to, pushed out, dropped, and never trusted after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/unit/scratch_store.h"

#define SIZE (2u << 20)

struct fixture {
	char dir[SCRATCH_PATH], kept[SCRATCH_PATH + 8];
	struct store *store;
	uint8_t *bytes; /* what put writes: SIZE, other for each seed */
};

static void open_with(struct fixture *f, uint64_t keep_raw)
{
	struct store_options options = {.quiet_ms = 1, .threads = 1, .keep_raw = keep_raw};

	scratch_store_open(f->dir, &options, &f->store);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	scratch_store_make(f->dir);
	snprintf(f->kept, sizeof f->kept, "%s/kept", f->dir);
	f->bytes = malloc(SIZE);
	open_with(f, 5 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	scratch_remove(f->dir);
	free(f->bytes);
	free(f);
	return 0;
}

static const uint8_t *pattern(struct fixture *f, uint32_t seed)
{
	for (size_t i = 0; i < SIZE; i++) {
		seed = seed * 1664525u + 1013904223u;
		f->bytes[i] = (uint8_t)(seed >> 28); /* half of it is left to save */
	}
	return f->bytes;
}

static struct content *open_file(struct fixture *f, uint64_t ino, int flags)
{
	struct content *content;

	assert_int_equal(content_open(f->store->parts.stage, ino, flags, &content), 0);
	return content;
}

static void settle(struct fixture *f)
{
	assert_int_equal(stage_drain(f->store->parts.stage, NULL, NULL), 0);
}

static uint64_t put(struct fixture *f, uint32_t seed)
{
	static const struct names_owner owner = {.umask = 022};
	struct stage *stage = f->store->parts.stage;
	struct content *content;
	struct inode inode;
	char name[16];

	snprintf(name, sizeof name, "file-%u", seed);
	assert_int_equal(
		content_create(stage, NAMES_ROOT, name, S_IFREG | 0644, &owner, O_WRONLY, &content, &inode),
		0);
	assert_int_equal(content_write(content, pattern(f, seed), SIZE, 0, false), SIZE);
	content_release(stage, content, O_WRONLY);
	settle(f);
	assert_int_equal(names_get(f->store->parts.names, inode.ino, &inode), 0);
	assert_int_equal(inode.content, CONTENT_ENCODED);
	return inode.ino;
}

/* Reads all of it and compares; whether it came from a raw copy. */
static bool reads_raw(struct fixture *f, uint64_t ino, uint32_t seed)
{
	struct content *content = open_file(f, ino, O_RDONLY);
	struct decoder_counts before, after;
	uint8_t *got = malloc(SIZE);
	bool raw = content_fd(content) >= 0;

	decoder_counts(f->store->parts.decoder, &before);
	assert_int_equal(content_read(content, got, SIZE, 0), SIZE);
	decoder_counts(f->store->parts.decoder, &after);
	assert_memory_equal(got, pattern(f, seed), SIZE);
	if (raw)
		assert_int_equal(
			after.chunks_decoded + after.cache_hits, before.chunks_decoded + before.cache_hits);
	free(got);
	content_release(f->store->parts.stage, content, O_RDONLY);
	return raw;
}

static unsigned files_in(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static void expect_kept(struct fixture *f, unsigned files)
{
	struct stage_counts counts;

	stage_counts(f->store->parts.stage, &counts);
	assert_int_equal(counts.kept_files, files);
	assert_int_equal(files_in(f->kept), files);
	assert_true(files ? counts.kept_bytes >= (uint64_t)files * SIZE : !counts.kept_bytes);
	assert_int_equal(counts.staged_files, 0);
	assert_int_equal(counts.staged_bytes, 0);
}

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
	settle(f);
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
	settle(f);
	expect_kept(f, 0);
	assert_int_equal(files_in(f->kept), 0);
}

/* After a crash nobody knows what became of a copy. */
static void leftovers_are_not_trusted(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put(f, 1);
	char name[SCRATCH_PATH + 40];

	open_with(f, 0);
	assert_int_equal(access(f->kept, F_OK), -1);
	assert_int_equal(mkdir(f->kept, 0700), 0);
	snprintf(name, sizeof name, "%s/%016llx", f->kept, (unsigned long long)ino);
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(pattern(f, 9), SIZE, 1, file), 1);
	fclose(file);
	open_with(f, 5 << 20);
	expect_kept(f, 0);
	assert_false(reads_raw(f, ino, 1));
	open_with(f, 0);
	assert_int_equal(access(f->kept, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(newest_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(kept_file_is_written_without_decoding, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_gone_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(leftovers_are_not_trusted, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
