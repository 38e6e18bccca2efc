/* A store that keeps raw copies of files of 2 MiB, two of them, and what may be asked of it. */
#ifndef MITHRIL_TESTS_UNIT_KEPT_WORLD_H
#define MITHRIL_TESTS_UNIT_KEPT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/unit/scratch_store.h"

#define SIZE (2u << 20)
#define ROOM (5u << 20)

struct fixture {
	char dir[SCRATCH_PATH], kept[SCRATCH_PATH + 8];
	struct store *store;
	uint8_t *bytes; /* what put writes: SIZE, other for each seed */
};

static inline void open_with(struct fixture *f, uint64_t keep_raw)
{
	struct store_options options = {.quiet_ms = 1, .threads = 1, .keep_raw = keep_raw};

	scratch_store_open(f->dir, &options, &f->store);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	scratch_store_make(f->dir);
	snprintf(f->kept, sizeof f->kept, "%s/kept", f->dir);
	f->bytes = malloc(SIZE);
	open_with(f, ROOM);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	scratch_remove(f->dir);
	free(f->bytes);
	free(f);
	return 0;
}

static inline const uint8_t *pattern(struct fixture *f, uint32_t seed)
{
	for (size_t i = 0; i < SIZE; i++) {
		seed = seed * 1664525u + 1013904223u;
		f->bytes[i] = (uint8_t)(seed >> 28); /* half of it is left to save */
	}
	return f->bytes;
}

static inline struct content *open_file(struct fixture *f, uint64_t ino, int flags)
{
	struct content *content;

	assert_int_equal(content_open(f->store->parts.stage, ino, flags, &content), 0);
	return content;
}

static inline uint64_t put(struct fixture *f, uint32_t seed)
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
	scratch_store_drain(f->store);
	assert_int_equal(names_get(f->store->parts.names, inode.ino, &inode), 0);
	assert_int_equal(inode.content, CONTENT_ENCODED);
	return inode.ino;
}

/* Reads all of it and compares; whether it came from a raw copy. */
static inline bool reads_raw(struct fixture *f, uint64_t ino, uint32_t seed)
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

static inline unsigned files_in(const char *path)
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

static inline void expect_kept(struct fixture *f, unsigned files)
{
	struct stage_counts counts;

	stage_counts(f->store->parts.stage, &counts);
	assert_int_equal(counts.kept_files, files);
	assert_int_equal(files_in(f->kept), files);
	assert_true(files ? counts.kept_bytes >= (uint64_t)files * SIZE : !counts.kept_bytes);
	assert_int_equal(counts.staged_files, 0);
	assert_int_equal(counts.staged_bytes, 0);
}

#endif
