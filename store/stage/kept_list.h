/*
 * Which raw copies are kept: by inode number, and in the order of their last change. Memory only, about 150
 * bytes a copy. Not safe from several threads: struct kept's lock guards it.
 */
#ifndef MITHRIL_STORE_STAGE_KEPT_LIST_H
#define MITHRIL_STORE_STAGE_KEPT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/stage/kept_record.h"

#define KEPT_BUCKETS 1024u

enum kept_seal {
	KEPT_UNSEALED,
	KEPT_SEALED,	 /* its record is written */
	KEPT_UNSEALABLE, /* that failed; it serves until the end of the run */
};

struct kept_file {
	uint64_t ino, bytes; /* bytes: what it takes on disk */
	uint64_t serial;     /* another for each copy */
	struct kept_record record;
	enum kept_seal seal;
	bool held;		/* somebody has it open */
	struct kept_file *next; /* in its bucket */
	struct kept_file *newer, *older;
};

struct kept_list {
	struct kept_file *buckets[KEPT_BUCKETS];
	struct kept_file *newest, *oldest;
	uint64_t files, bytes;
};

/* NULL: it is not there. */
struct kept_file *kept_list_find(const struct kept_list *list, uint64_t ino);
/* Takes `file`, which malloc(3) made and of whose inode number there is none yet. */
void kept_list_enter(struct kept_list *list, struct kept_file *file);
/* Takes it out and frees it. */
void kept_list_remove(struct kept_list *list, struct kept_file *file);
/* The oldest that nobody holds, or NULL. */
struct kept_file *kept_list_oldest_idle(const struct kept_list *list);
/* Whether a copy of time `a` goes before one of time `b`. */
bool kept_is_older(struct timespec a, struct timespec b);

#endif
