/* A directory of the test's own, and a key-value side in one. */
#ifndef MITHRIL_TESTS_UNIT_SCRATCH_H
#define MITHRIL_TESTS_UNIT_SCRATCH_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/kv/kv.h"

#define SCRATCH_PATH 128

static inline void scratch_make(char path[SCRATCH_PATH])
{
	const char *in = getenv("TMPDIR");

	assert_true(snprintf(path, SCRATCH_PATH, "%s/mithril-test-XXXXXX", in ? in : "/tmp") < SCRATCH_PATH);
	assert_non_null(mkdtemp(path));
}

static inline int scratch_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const char *path)
{
	nftw(path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Opened, or made, with little memory. */
static inline struct kv *scratch_kv(const char *path)
{
	struct kv_options options = {.create = true, .block_cache = 1 << 20, .write_buffer = 8 << 20};
	struct kv *kv;

	assert_int_equal(kv_open(path, &options, &kv), 0);
	return kv;
}

/* Writes the batch and frees it. */
static inline void scratch_write(struct kv *kv, struct kv_batch *batch)
{
	assert_int_equal(kv_write(kv, batch, false), 0);
	kv_batch_free(batch);
}

#endif
