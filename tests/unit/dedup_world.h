/* A directory of the test's own with files in it, plain or compressed. */
#ifndef MITHRIL_TESTS_UNIT_DEDUP_WORLD_H
#define MITHRIL_TESTS_UNIT_DEDUP_WORLD_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dedup/codec/codec.h"

struct world {
	char dir[128];
	char path[512]; /* what world_path returned last */
};

static inline int world_make(void **state)
{
	static struct world world;
	const char *in = getenv("TMPDIR");

	snprintf(world.dir, sizeof world.dir, "%s/mithril-dedup-XXXXXX", in ? in : "/tmp");
	*state = &world;
	return mkdtemp(world.dir) ? 0 : -1;
}

static inline int world_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int world_remove(void **state)
{
	struct world *world = *state;

	return nftw(world->dir, world_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *world_path(struct world *world, const char *name)
{
	snprintf(world->path, sizeof world->path, "%s/%s", world->dir, name);
	return world->path;
}

static inline const char *world_write(struct world *world, const char *name, const void *data, size_t len)
{
	const char *path = world_path(world, name);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

/* One member; the caller frees it. */
static inline uint8_t *world_encode(enum dedup_codec codec, const void *data, size_t len, size_t *encoded)
{
	const struct dedup_coder *coder = dedup_codec_writer(codec);
	size_t room = len + len / 2 + 4096;
	uint8_t *out = malloc(room);
	struct dedup_buffers b = {.in = data, .in_len = len, .out = out, .out_len = room};
	void *coding;

	assert_non_null(out);
	assert_int_equal(coder->open(&coding), 0);
	while (coder->step(coding, &b, true) == 0)
		assert_true(b.out_len > 0);
	coder->close(coding);
	*encoded = room - b.out_len;
	return out;
}

#endif
