/*
 * The caches that a keeper knows: what was counted of each, and its bound. Private to fs/.
 *
 * Any thread: the table has a lock, and what changes in its members is atomic. A member stays until
 * tended_release.
 */
#ifndef MITHRIL_FS_TENDED_H
#define MITHRIL_FS_TENDED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/names/names.h"

#define TENDED_BUCKETS 64u

struct tended {
	struct tended *next;
	uint64_t cache;
	_Atomic uint64_t max_size,
		estimate;  /* estimate: bytes, at most what there is but for what was deleted */
	atomic_bool known; /* the estimate stands on a walk */
	_Atomic uint64_t hits, misses, evicted_groups, evicted_bytes, quarantined;
};

struct tended_table {
	pthread_rwlock_t lock; /* the chains */
	struct tended *buckets[TENDED_BUCKETS];
};

struct tended_counts {
	uint64_t cache, max_size;
	uint64_t hits, misses, evicted_groups, evicted_bytes, quarantined; /* since the start */
};

void tended_init(struct tended_table *table);
void tended_release(struct tended_table *table);

/* NULL: not there. */
struct tended *tended_find(struct tended_table *table, uint64_t cache);
/* NULL: cache 0, or out of memory. */
struct tended *tended_find_or_add(struct tended_table *table, uint64_t cache);
/* The chain of a bucket; what comes into it later comes before. */
struct tended *tended_first(struct tended_table *table, unsigned bucket);

/* Above its bound, or not known not to be. */
bool tended_is_over(const struct tended *tended);
/* So that who makes files in it waits. */
bool tended_is_far_over(const struct tended *tended);

/* As keeper_counts. */
int tended_counts(
	struct tended_table *table, struct names *names, struct tended_counts **counts, size_t *count);
/* Sets the bounds as they are now. Errors of tended_counts. */
int tended_read_bounds(struct tended_table *table, struct names *names);

#endif
