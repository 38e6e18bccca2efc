/* A namespace in a temporary directory, for the tests of store/names. */
#ifndef MITHRIL_TESTS_UNIT_NAMES_WORLD_H
#define MITHRIL_TESTS_UNIT_NAMES_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/names/internal.h"
#include "store/names/names.h"

struct world {
	char dir[64];
	struct kv *kv;
	struct names *names;
};

static const struct names_owner user = {.uid = 1000, .gid = 100, .umask = 022};

static inline int world_open(struct world *w)
{
	const struct kv_options options = {.create = true};
	int rc = kv_open(w->dir, &options, &w->kv);

	return rc ? rc : names_open(w->kv, 42, 7, 8, &w->names);
}

static inline void world_shut(struct world *w)
{
	names_close(w->names);
	kv_close(w->kv);
	w->names = NULL;
	w->kv = NULL;
}

/* As after a death: what names_close would have written is not there. */
static inline void world_crash(struct world *w)
{
	struct kv_batch *batch = kv_batch_new();

	names_close(w->names);
	kv_batch_delete(w->kv, batch, KV_META, "names.counts", 12);
	kv_batch_delete(w->kv, batch, KV_META, "names.next", 10);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	kv_close(w->kv);
	assert_int_equal(world_open(w), 0);
}

static inline int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	strcpy(w->dir, "/tmp/mithril-names-XXXXXX");
	*state = w;
	return mkdtemp(w->dir) ? world_open(w) : -1;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	if (w->names)
		world_shut(w);
	snprintf(command, sizeof command, "rm -rf %s", w->dir);
	free(w);
	return system(command) ? -1 : 0;
}

static inline struct inode make(struct world *w, uint64_t parent, const char *name, uint32_t mode)
{
	struct inode inode;

	assert_int_equal(names_make(w->names, parent, name, mode, 0, &user, CONTENT_NONE, 0, &inode), 0);
	return inode;
}

static inline struct inode get(struct world *w, uint64_t ino)
{
	struct inode inode;

	assert_int_equal(names_get(w->names, ino, &inode), 0);
	return inode;
}

#endif
