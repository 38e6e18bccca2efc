#include "fs/tended.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/array.h"

void tended_init(struct tended_table *table)
{
	*table = (struct tended_table){0};
	pthread_rwlock_init(&table->lock, NULL);
}

void tended_release(struct tended_table *table)
{
	for (unsigned b = 0; b < TENDED_BUCKETS; b++)
		while (table->buckets[b]) {
			struct tended *tended = table->buckets[b];
			table->buckets[b] = tended->next;
			free(tended);
		}
	pthread_rwlock_destroy(&table->lock);
}

struct tended *tended_find(struct tended_table *table, uint64_t cache)
{
	struct tended *tended;

	pthread_rwlock_rdlock(&table->lock);
	for (tended = table->buckets[cache % TENDED_BUCKETS]; tended && tended->cache != cache;
		tended = tended->next)
		;
	pthread_rwlock_unlock(&table->lock);
	return tended;
}

struct tended *tended_first(struct tended_table *table, unsigned bucket)
{
	struct tended *tended;

	pthread_rwlock_rdlock(&table->lock);
	tended = table->buckets[bucket];
	pthread_rwlock_unlock(&table->lock);
	return tended;
}

struct tended *tended_find_or_add(struct tended_table *table, uint64_t cache)
{
	struct tended *tended = cache ? tended_find(table, cache) : NULL;

	if (tended || !cache)
		return tended;
	pthread_rwlock_wrlock(&table->lock);
	for (tended = table->buckets[cache % TENDED_BUCKETS]; tended && tended->cache != cache;
		tended = tended->next)
		;
	if (!tended && (tended = calloc(1, sizeof *tended))) {
		tended->cache = cache;
		tended->next = table->buckets[cache % TENDED_BUCKETS];
		table->buckets[cache % TENDED_BUCKETS] = tended;
	}
	pthread_rwlock_unlock(&table->lock);
	return tended;
}

bool tended_is_over(const struct tended *tended)
{
	uint64_t max_size = tended->max_size;

	return max_size && (!tended->known || tended->estimate > max_size);
}

bool tended_is_far_over(const struct tended *tended)
{
	uint64_t max_size = tended->max_size;

	return max_size && tended->estimate > max_size + max_size / 30;
}

struct listed {
	struct names *names;
	struct tended_counts *counts;
	size_t count, capacity;
};

static int list_cache(void *ctx, uint64_t ino, uint64_t max_size)
{
	struct listed *listed = ctx;
	struct tended_counts *counts =
		array_grow(listed->counts, listed->count, &listed->capacity, sizeof *counts);
	struct inode inode;

	if (!counts)
		return -ENOMEM;
	listed->counts = counts;
	if (names_get(listed->names, ino, &inode) || !inode.nlink)
		return 0;
	counts[listed->count++] = (struct tended_counts){.cache = ino, .max_size = max_size};
	return 0;
}

int tended_counts(
	struct tended_table *table, struct names *names, struct tended_counts **counts, size_t *count)
{
	struct listed listed = {.names = names};
	int rc = names_caches(names, list_cache, &listed);

	for (size_t i = 0; !rc && i < listed.count; i++) {
		struct tended_counts *c = &listed.counts[i];
		struct tended *tended = tended_find(table, c->cache);
		if (!tended)
			continue;
		c->hits = tended->hits;
		c->misses = tended->misses;
		c->evicted_groups = tended->evicted_groups;
		c->evicted_bytes = tended->evicted_bytes;
		c->quarantined = tended->quarantined;
	}
	if (rc)
		free(listed.counts);
	*counts = rc ? NULL : listed.counts;
	*count = rc ? 0 : listed.count;
	return rc;
}

int tended_read_bounds(struct tended_table *table, struct names *names)
{
	struct tended_counts *counts;
	size_t count;
	int rc = tended_counts(table, names, &counts, &count);

	if (rc)
		return rc;
	for (unsigned b = 0; b < TENDED_BUCKETS; b++)
		for (struct tended *tended = tended_first(table, b); tended; tended = tended->next) {
			uint64_t max_size = 0;
			for (size_t i = 0; i < count; i++)
				if (counts[i].cache == tended->cache)
					max_size = counts[i].max_size;
			tended->max_size = max_size;
		}
	for (size_t i = 0; i < count; i++) {
		struct tended *tended = tended_find_or_add(table, counts[i].cache);
		if (tended)
			tended->max_size = counts[i].max_size;
	}
	free(counts);
	return 0;
}
