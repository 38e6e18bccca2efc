/* A store in a directory of the test's own. */
#ifndef MITHRIL_TESTS_UNIT_SCRATCH_STORE_H
#define MITHRIL_TESTS_UNIT_SCRATCH_STORE_H

#include <fcntl.h>
#include <stdlib.h>

#include "store/store.h"
#include "tests/unit/scratch.h"

/* The directory, and a store in it. */
static inline void scratch_store_make(char dir[SCRATCH_PATH])
{
	struct store_error error;

	scratch_make(dir);
	if (store_init(dir, 0, 0, &error))
		fail_msg("%s", error.text);
}

/* Closes *store, if it is open, and opens it with these options. */
static inline void scratch_store_open(
	const char *dir, const struct store_options *options, struct store **store)
{
	struct store_error error;

	store_close(*store);
	*store = NULL;
	if (store_open(dir, options, store, &error))
		fail_msg("%s", error.text);
}

static inline enum content_state scratch_store_state(struct store *store, uint64_t ino)
{
	struct inode inode;

	assert_int_equal(names_get(store->parts.names, ino, &inode), 0);
	return inode.content;
}

/* The file has exactly these bytes, by all that tell. */
static inline void scratch_store_expect(struct store *store, uint64_t ino, const void *bytes, size_t len)
{
	struct stage *stage = store->parts.stage;
	struct content *content;
	struct inode inode;
	uint8_t *read = malloc(len + 1);

	assert_int_equal(content_getattr(stage, ino, &inode), 0);
	assert_int_equal(inode.size, len);
	assert_int_equal(content_open(stage, ino, O_RDONLY, &content), 0);
	assert_int_equal(content_size(content), len);
	assert_int_equal(content_read(content, read, len + 1, 0), len);
	assert_memory_equal(read, bytes, len);
	content_release(stage, content, O_RDONLY);
	free(read);
}

static inline void scratch_store_drain(struct store *store)
{
	assert_int_equal(stage_drain(store->parts.stage, NULL, NULL), 0);
}

#endif
