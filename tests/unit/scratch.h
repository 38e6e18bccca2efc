/* A key-value side in a directory of the test's own. */
#ifndef MITHRIL_TESTS_UNIT_SCRATCH_H
#define MITHRIL_TESTS_UNIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/kv/kv.h"
#include "tests/unit/scratch_dir.h"

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
