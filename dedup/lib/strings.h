/*
 * Strings of the options that outlive those of the caller.
 */
#ifndef MITHRIL_DEDUP_LIB_STRINGS_H
#define MITHRIL_DEDUP_LIB_STRINGS_H

#include <stddef.h>

#include "dedup/lib/mithril-dedup.h"

/* Zero it first. */
struct dedup_strings {
	char **v;
	size_t count;
};

/* Copies what the options point to and lets them point to the copies. -ENOMEM. */
int dedup_strings_copy(struct dedup_strings *strings, struct mithril_dedup_options *options);
void dedup_strings_release(struct dedup_strings *strings);

#endif
