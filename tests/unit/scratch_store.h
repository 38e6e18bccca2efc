/* A store in a directory of the test's own. */
#ifndef MITHRIL_TESTS_UNIT_SCRATCH_STORE_H
#define MITHRIL_TESTS_UNIT_SCRATCH_STORE_H

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

#endif
