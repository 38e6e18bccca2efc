#include "fs/kept.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/array.h"

void kept_init(struct kept_table *table)
{
	*table = (struct kept_table){0};
	pthread_rwlock_init(&table->lock, NULL);
}

void kept_release(struct kept_table *table)
{
	for (unsigned b = 0; b < KEPT_BUCKETS; b++)
		while (table->buckets[b]) {
			struct kept *kept = table->buckets[b];
			table->buckets[b] = kept->next;
			free(kept);
		}
	pthread_rwlock_destroy(&table->lock);
}

struct kept *kept_find(struct kept_table *table, uint64_t cache)
{
	struct kept *kept;

	pthread_rwlock_rdlock(&table->lock);
	for (kept = table->buckets[cache % KEPT_BUCKETS]; kept && kept->cache != cache; kept = kept->next)
		;
	pthread_rwlock_unlock(&table->lock);
	return kept;
}

struct kept *kept_first(struct kept_table *table, unsigned bucket)
{
	struct kept *kept;

	pthread_rwlock_rdlock(&table->lock);
	kept = table->buckets[bucket];
	pthread_rwlock_unlock(&table->lock);
	return kept;
}

struct kept *kept_find_or_add(struct kept_table *table, uint64_t cache)
{
	struct kept *kept = cache ? kept_find(table, cache) : NULL;

	if (kept || !cache)
		return kept;
	pthread_rwlock_wrlock(&table->lock);
	for (kept = table->buckets[cache % KEPT_BUCKETS]; kept && kept->cache != cache; kept = kept->next)
		;
	if (!kept && (kept = calloc(1, sizeof *kept))) {
		kept->cache = cache;
		kept->next = table->buckets[cache % KEPT_BUCKETS];
		table->buckets[cache % KEPT_BUCKETS] = kept;
	}
	pthread_rwlock_unlock(&table->lock);
	return kept;
}

bool kept_is_over(const struct kept *kept)
{
	uint64_t max_size = kept->max_size;

	return max_size && (!kept->known || kept->estimate > max_size);
}

bool kept_is_far_over(const struct kept *kept)
{
	uint64_t max_size = kept->max_size;

	return max_size && kept->estimate > max_size + max_size / 30;
}

struct listed {
	struct names *names;
	struct kept_counts *counts;
	size_t count, capacity;
};

static int list_cache(void *ctx, uint64_t ino, uint64_t max_size)
{
	struct listed *listed = ctx;
	struct kept_counts *counts =
		array_grow(listed->counts, listed->count, &listed->capacity, sizeof *counts);
	struct inode inode;

	if (!counts)
		return -ENOMEM;
	listed->counts = counts;
	if (names_get(listed->names, ino, &inode) || !inode.nlink)
		return 0;
	counts[listed->count++] = (struct kept_counts){.cache = ino, .max_size = max_size};
	return 0;
}

int kept_counts(struct kept_table *table, struct names *names, struct kept_counts **counts, size_t *count)
{
	struct listed listed = {.names = names};
	int rc = names_caches(names, list_cache, &listed);

	for (size_t i = 0; !rc && i < listed.count; i++) {
		struct kept_counts *c = &listed.counts[i];
		struct kept *kept = kept_find(table, c->cache);
		if (!kept)
			continue;
		c->hits = kept->hits;
		c->misses = kept->misses;
		c->evicted_groups = kept->evicted_groups;
		c->evicted_bytes = kept->evicted_bytes;
		c->quarantined = kept->quarantined;
	}
	if (rc)
		free(listed.counts);
	*counts = rc ? NULL : listed.counts;
	*count = rc ? 0 : listed.count;
	return rc;
}

int kept_read_bounds(struct kept_table *table, struct names *names)
{
	struct kept_counts *counts;
	size_t count;
	int rc = kept_counts(table, names, &counts, &count);

	if (rc)
		return rc;
	for (unsigned b = 0; b < KEPT_BUCKETS; b++)
		for (struct kept *kept = kept_first(table, b); kept; kept = kept->next) {
			uint64_t max_size = 0;
			for (size_t i = 0; i < count; i++)
				if (counts[i].cache == kept->cache)
					max_size = counts[i].max_size;
			kept->max_size = max_size;
		}
	for (size_t i = 0; i < count; i++) {
		struct kept *kept = kept_find_or_add(table, counts[i].cache);
		if (kept)
			kept->max_size = counts[i].max_size;
	}
	free(counts);
	return 0;
}
