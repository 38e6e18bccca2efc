#include "store/cache/usage.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "store/upkeep/numbers.h"

#define SHARDS 16u

struct usage {
	struct shard {
		pthread_mutex_t lock;
		struct numbers last;	/* by inode */
		struct numbers leaving; /* being written into records */
	} shards[SHARDS];
};

uint64_t usage_ms(const struct timespec *t)
{
	return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_nsec / 1000000;
}

uint64_t usage_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return usage_ms(&t);
}

struct usage *usage_new(void)
{
	struct usage *usage = calloc(1, sizeof *usage);

	for (unsigned i = 0; usage && i < SHARDS; i++)
		pthread_mutex_init(&usage->shards[i].lock, NULL);
	return usage;
}

void usage_free(struct usage *usage)
{
	for (unsigned i = 0; usage && i < SHARDS; i++) {
		numbers_release(&usage->shards[i].last);
		numbers_release(&usage->shards[i].leaving);
		pthread_mutex_destroy(&usage->shards[i].lock);
	}
	free(usage);
}

void usage_note(struct usage *usage, uint64_t ino)
{
	struct shard *shard = &usage->shards[ino % SHARDS];
	uint64_t *at, now = usage_now();

	pthread_mutex_lock(&shard->lock);
	at = numbers_at(&shard->last, ino);
	if (at && *at < now)
		*at = now;
	pthread_mutex_unlock(&shard->lock);
}

uint64_t usage_last(struct usage *usage, uint64_t ino)
{
	struct shard *shard = &usage->shards[ino % SHARDS];
	uint64_t last;

	pthread_mutex_lock(&shard->lock);
	last = numbers_get(&shard->last, ino);
	if (!last)
		last = numbers_get(&shard->leaving, ino);
	pthread_mutex_unlock(&shard->lock);
	return last;
}

/* Moves what is older than `before` to `leaving`. Locked. */
static void divide(struct shard *shard, uint64_t before)
{
	struct numbers keep = {0};

	for (size_t i = 0; i < shard->last.capacity; i++) {
		const struct number *n = &shard->last.entries[i];
		uint64_t *at;
		if (!n->key)
			continue;
		at = numbers_at(n->value < before ? &shard->leaving : &keep, n->key);
		if (at)
			*at = n->value;
	}
	numbers_release(&shard->last);
	shard->last = keep;
}

static int flush_shard(struct shard *shard, struct names *names, uint64_t before)
{
	int rc = 0;

	pthread_mutex_lock(&shard->lock);
	divide(shard, before);
	pthread_mutex_unlock(&shard->lock);
	/* Nobody else changes `leaving`. */
	for (size_t i = 0; i < shard->leaving.capacity; i++) {
		const struct number *n = &shard->leaving.entries[i];
		struct timespec when = {
			.tv_sec = (time_t)(n->value / 1000), .tv_nsec = (long)(n->value % 1000) * 1000000};
		int one = n->key ? names_used(names, n->key, when) : 0;
		if (one && one != -ENOENT && !rc)
			rc = one;
	}
	pthread_mutex_lock(&shard->lock);
	numbers_release(&shard->leaving);
	pthread_mutex_unlock(&shard->lock);
	return rc;
}

int usage_flush(struct usage *usage, struct names *names, uint64_t before)
{
	int rc = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		int one = flush_shard(&usage->shards[i], names, before);
		rc = rc ? rc : one;
	}
	return rc;
}
