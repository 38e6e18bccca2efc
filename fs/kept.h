/*
 * The caches that a keeper knows: what was counted of each, and its bound. Private to fs/.
 *
 * Any thread: the table has a lock, and what changes in its members is atomic. A member stays until
 * kept_release.
 */
#ifndef MITHRIL_FS_KEPT_H
#define MITHRIL_FS_KEPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/names/names.h"

#define KEPT_BUCKETS 64u

struct kept {
	struct kept *next;
	uint64_t cache;
	_Atomic uint64_t max_size,
		estimate;  /* estimate: bytes, at most what there is but for what was deleted */
	atomic_bool known; /* the estimate stands on a walk */
	_Atomic uint64_t hits, misses, evicted_groups, evicted_bytes, quarantined;
};

struct kept_table {
	pthread_rwlock_t lock; /* the chains */
	struct kept *buckets[KEPT_BUCKETS];
};

struct kept_counts {
	uint64_t cache, max_size;
	uint64_t hits, misses, evicted_groups, evicted_bytes, quarantined; /* since the start */
};

void kept_init(struct kept_table *table);
void kept_release(struct kept_table *table);

/* NULL: not there. */
struct kept *kept_find(struct kept_table *table, uint64_t cache);
/* NULL: cache 0, or out of memory. */
struct kept *kept_find_or_add(struct kept_table *table, uint64_t cache);
/* The chain of a bucket; what comes into it later comes before. */
struct kept *kept_first(struct kept_table *table, unsigned bucket);

/* Above its bound, or not known not to be. */
bool kept_is_over(const struct kept *kept);
/* So that who makes files in it waits. */
bool kept_is_far_over(const struct kept *kept);

/* As keeper_counts. */
int kept_counts(struct kept_table *table, struct names *names, struct kept_counts **counts, size_t *count);
/* Sets the bounds as they are now. Errors of kept_counts. */
int kept_read_bounds(struct kept_table *table, struct names *names);

#endif
