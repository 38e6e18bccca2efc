/* A store in a temporary directory with checkpoints in it, for the tests of store/upkeep and store/report. */
#ifndef MITHRIL_TESTS_UNIT_UPKEEP_WORLD_H
#define MITHRIL_TESTS_UNIT_UPKEEP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "tests/unit/scratch_store.h"

struct world {
	char dir[SCRATCH_PATH];
	struct store *store;
};

static const struct names_owner owner = {.umask = 022};

static inline void world_shut(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
}

static inline void world_open(struct world *w, bool background)
{
	struct store_options options = {.quiet_ms = 1, .threads = 2, .no_background = !background};

	scratch_store_open(w->dir, &options, &w->store);
}

static inline struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	scratch_store_make(w->dir);
	world_open(w, true);
	return w;
}

static inline void world_free(struct world *w)
{
	world_shut(w);
	scratch_remove(w->dir);
	free(w);
}

static inline uint64_t world_put_in(
	struct world *w, uint64_t parent, const char *name, const void *bytes, size_t len)
{
	struct stage *stage = w->store->parts.stage;
	struct content *content;
	struct inode inode;

	assert_int_equal(
		content_create(stage, parent, name, S_IFREG | 0644, &owner, O_WRONLY, &content, &inode), 0);
	assert_int_equal(content_write(content, bytes, len, 0, false), len);
	content_release(stage, content, O_WRONLY);
	return inode.ino;
}

static inline uint64_t world_put(struct world *w, const char *name, const void *bytes, size_t len)
{
	return world_put_in(w, NAMES_ROOT, name, bytes, len);
}

static inline void world_drain(struct world *w)
{
	assert_int_equal(stage_drain(w->store->parts.stage, NULL, NULL), 0);
}

static inline void world_delete(struct world *w, const char *name)
{
	struct inode inode;

	assert_int_equal(names_unlink(w->store->parts.names, NAMES_ROOT, name, &inode), 0);
	assert_int_equal(content_drop(w->store->parts.stage, inode.ino), 0);
}

/* Bytes read, or -errno. */
static inline ssize_t world_read(struct world *w, uint64_t ino, void *dst, size_t len)
{
	struct stage *stage = w->store->parts.stage;
	struct content *content;
	ssize_t n;
	int rc = content_open(stage, ino, O_RDONLY, &content);

	if (rc)
		return rc;
	n = content_read(content, dst, len, 0);
	content_release(stage, content, O_RDONLY);
	return n;
}

static inline void world_expect(struct world *w, const char *name, const void *bytes, size_t len)
{
	uint8_t *read = malloc(len + 1);
	struct inode inode;

	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, name, &inode), 0);
	assert_int_equal(world_read(w, inode.ino, read, len + 1), len);
	assert_memory_equal(read, bytes, len);
	free(read);
}

static inline uint64_t world_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static inline float near_gaussian(uint64_t *state)
{
	uint64_t x = world_random(state);

	return ((float)(x & 0xffff) + (float)(x >> 16 & 0xffff) + (float)(x >> 32 & 0xffff) +
		       (float)(x >> 48)) /
		       65536 -
	       2;
}

/* A safetensors file of `count` f32 tensors of `elements` each: a random walk, seen after `step` steps of a
 * size that leaves a delta of a little more than half. The caller frees. */
static inline uint8_t *checkpoint(unsigned step, unsigned count, size_t elements, size_t *len)
{
	size_t bytes = elements * 4;
	char *header = malloc(128 * count + 64);
	size_t n = (size_t)sprintf(header, "{");
	uint8_t *file;

	for (unsigned i = 0; i < count; i++)
		n += (size_t)sprintf(header + n,
			"%s\"layer.%u.weight\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]"
			"}",
			i ? "," : "", i, elements, i * bytes, (i + 1) * bytes);
	n += (size_t)sprintf(header + n, "}");
	file = malloc(8 + n + count * bytes);
	for (int i = 0; i < 8; i++)
		file[i] = (uint8_t)((uint64_t)n >> 8 * i);
	memcpy(file + 8, header, n);
	for (size_t i = 0; i < count * elements; i++) {
		uint64_t state = (i + 1) * 0x9e3779b97f4a7c15u;
		float v;

		world_random(&state);
		v = 0.02f * near_gaussian(&state);
		for (unsigned s = 0; s < step; s++)
			v += 2e-5f * near_gaussian(&state);
		memcpy(file + 8 + n + 4 * i, &v, 4);
	}
	free(header);
	*len = 8 + n + count * bytes;
	return file;
}

#endif
