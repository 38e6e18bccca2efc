#include "fs/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/loop.h"
#include "fs/mount.h"
#include "store/util/array.h"
#include "store/util/clock.h"
#include "store/util/log.h"

#define BUCKETS 64u
#define FLUSH_MS 30000u	 /* between writing last uses down */
#define RECENT_MS 10000u /* what was used since stays in memory */
#define GRACE_MS 2000u	 /* a group that was just used is whole for its reader */
#define RETRY_MS 200u	 /* after a pass that all was in use for */
#define PATIENCE_MS 2000u
#define DAMAGED_MAX 256u

/* One cache. Never freed before the keeper. */
struct kept {
	struct kept *next;
	uint64_t cache;
	_Atomic uint64_t max_size,
		estimate;  /* estimate: bytes, at most what there is but for what was deleted */
	atomic_bool known; /* the estimate stands on a walk */
	_Atomic uint64_t hits, misses, evicted_groups, evicted_bytes, quarantined;
};

struct damaged {
	uint64_t cache, ino;
};

struct keeper {
	struct mount *mount;
	struct fuse_session *fuse;
	struct cache_env env;
	pthread_rwlock_t table_lock; /* the chains; their members are atomic */
	struct kept *buckets[BUCKETS];
	pthread_mutex_t work; /* held by whoever walks or changes caches */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake, eased;
	struct damaged damaged[DAMAGED_MAX];
	size_t damaged_count;
	bool over, refresh, stop;
};

static struct kept *find(struct keeper *keeper, uint64_t cache)
{
	struct kept *kept;

	pthread_rwlock_rdlock(&keeper->table_lock);
	for (kept = keeper->buckets[cache % BUCKETS]; kept && kept->cache != cache; kept = kept->next)
		;
	pthread_rwlock_unlock(&keeper->table_lock);
	return kept;
}

/* What comes into a bucket later comes before it. */
static struct kept *first(struct keeper *keeper, unsigned bucket)
{
	struct kept *kept;

	pthread_rwlock_rdlock(&keeper->table_lock);
	kept = keeper->buckets[bucket];
	pthread_rwlock_unlock(&keeper->table_lock);
	return kept;
}

static struct kept *find_or_add(struct keeper *keeper, uint64_t cache)
{
	struct kept *kept = cache ? find(keeper, cache) : NULL;

	if (kept || !cache)
		return kept;
	pthread_rwlock_wrlock(&keeper->table_lock);
	for (kept = keeper->buckets[cache % BUCKETS]; kept && kept->cache != cache; kept = kept->next)
		;
	if (!kept && (kept = calloc(1, sizeof *kept))) {
		kept->cache = cache;
		kept->next = keeper->buckets[cache % BUCKETS];
		keeper->buckets[cache % BUCKETS] = kept;
	}
	pthread_rwlock_unlock(&keeper->table_lock);
	return kept;
}

static void wake(struct keeper *keeper, bool *why)
{
	pthread_mutex_lock(&keeper->lock);
	*why = true;
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

static bool is_over(const struct kept *kept)
{
	uint64_t max_size = kept->max_size;

	return max_size && (!kept->known || kept->estimate > max_size);
}

/* So that who makes files in it waits. */
static bool is_far_over(const struct kept *kept)
{
	uint64_t max_size = kept->max_size;

	return max_size && kept->estimate > max_size + max_size / 30;
}

/* --- from requests --- */

void keeper_hit(struct keeper *keeper, uint64_t cache, uint64_t ino)
{
	struct kept *kept = find_or_add(keeper, cache);

	if (!kept)
		return;
	kept->hits++;
	usage_note(keeper->env.usage, ino);
}

void keeper_miss(struct keeper *keeper, uint64_t cache)
{
	struct kept *kept = find_or_add(keeper, cache);

	if (kept)
		kept->misses++;
}

void keeper_wrote(struct keeper *keeper, uint64_t cache, uint64_t ino, uint64_t bytes)
{
	struct kept *kept = find_or_add(keeper, cache);

	if (!kept)
		return;
	usage_note(keeper->env.usage, ino);
	kept->estimate += bytes;
	if (is_over(kept))
		wake(keeper, &keeper->over);
}

void keeper_made(struct keeper *keeper, uint64_t cache, uint64_t directory)
{
	struct kept *kept = cache ? find(keeper, cache) : NULL;
	struct timespec until;

	if (!kept)
		return;
	usage_note(keeper->env.usage, directory);
	if (!is_far_over(kept))
		return;
	loop_slow(atomic_load(&keeper->mount->loop));
	until = clock_deadline(PATIENCE_MS);
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop && keeper->started && is_far_over(kept)) {
		keeper->over = true;
		pthread_cond_signal(&keeper->wake);
		if (pthread_cond_timedwait(&keeper->eased, &keeper->lock, &until))
			break;
	}
	pthread_mutex_unlock(&keeper->lock);
	usage_note(keeper->env.usage, directory);
}

void keeper_damaged(struct keeper *keeper, uint64_t cache, uint64_t ino)
{
	bool there = false;

	if (!cache)
		return;
	pthread_mutex_lock(&keeper->lock);
	for (size_t i = 0; i < keeper->damaged_count; i++)
		there |= keeper->damaged[i].ino == ino;
	if (!there && keeper->damaged_count < DAMAGED_MAX)
		keeper->damaged[keeper->damaged_count++] = (struct damaged){cache, ino};
	pthread_cond_signal(&keeper->wake);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_refresh(struct keeper *keeper)
{
	wake(keeper, &keeper->refresh);
}

/* --- the work --- */

/* A name is gone: its inode's content too, when the kernel lets go of it, which it is told to. */
static void gone(void *ctx, uint64_t directory, const char *name, uint64_t ino, bool unlinked)
{
	struct keeper *keeper = ctx;
	size_t len = strlen(name);

	if (unlinked)
		note_unlinked(keeper->mount, ino);
	if (!keeper->fuse)
		return;
	if (!unlinked || fuse_lowlevel_notify_delete(keeper->fuse, directory, ino, name, len))
		fuse_lowlevel_notify_inval_entry(keeper->fuse, directory, name, len);
}

struct listed {
	struct keeper *keeper;
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
	if (names_get(listed->keeper->mount->names, ino, &inode) || !inode.nlink)
		return 0;
	counts[listed->count++] = (struct kept_counts){.cache = ino, .max_size = max_size};
	return 0;
}

int keeper_counts(struct keeper *keeper, struct kept_counts **counts, size_t *count)
{
	struct listed listed = {.keeper = keeper};
	int rc = names_caches(keeper->mount->names, list_cache, &listed);

	for (size_t i = 0; !rc && i < listed.count; i++) {
		struct kept_counts *c = &listed.counts[i];
		struct kept *kept = find(keeper, c->cache);
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

/* Bounds as they are now. */
static int read_bounds(struct keeper *keeper)
{
	struct kept_counts *counts;
	size_t count;
	int rc = keeper_counts(keeper, &counts, &count);

	if (rc)
		return rc;
	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct kept *kept = first(keeper, b); kept; kept = kept->next) {
			uint64_t max_size = 0;
			for (size_t i = 0; i < count; i++)
				if (counts[i].cache == kept->cache)
					max_size = counts[i].max_size;
			kept->max_size = max_size;
		}
	for (size_t i = 0; i < count; i++) {
		struct kept *kept = find_or_add(keeper, counts[i].cache);
		if (kept)
			kept->max_size = counts[i].max_size;
	}
	free(counts);
	return 0;
}

void keeper_evicted(struct keeper *keeper, uint64_t cache, const struct cache_evicted *evicted)
{
	struct kept *kept = find_or_add(keeper, cache);

	if (!kept)
		return;
	kept->evicted_groups += evicted->groups;
	kept->evicted_bytes += evicted->bytes;
}

void keeper_quarantined(struct keeper *keeper, uint64_t cache, uint64_t files)
{
	struct kept *kept = find_or_add(keeper, cache);

	if (kept)
		kept->quarantined += files;
}

static int stopping(void *ctx, const char *phase, double share)
{
	struct keeper *keeper = ctx;

	(void)phase, (void)share;
	pthread_mutex_lock(&keeper->lock);
	bool stop = keeper->stop;
	pthread_mutex_unlock(&keeper->lock);
	return stop;
}

/* Brings one cache below its bound. False: what is above it is in use. */
static bool hold(struct keeper *keeper, struct kept *kept)
{
	uint64_t max_size = kept->max_size, before = kept->estimate;
	struct cache_evicted evicted;
	int rc;

	pthread_mutex_lock(&keeper->work);
	rc = cache_evict(&keeper->env, kept->cache, max_size, max_size - max_size / 10, GRACE_MS, stopping,
		keeper, &evicted);
	pthread_mutex_unlock(&keeper->work);
	if (rc == -ENOENT || rc == -ENOTDIR) {
		kept->max_size = 0;
		return true;
	}
	if (rc) {
		if (rc != -EINTR)
			log_warning("a cache cannot be kept within its bound: %s", strerror(-rc));
		return false;
	}
	keeper_evicted(keeper, kept->cache, &evicted);
	/* What was written meanwhile may be in the walk or not. */
	kept->estimate += evicted.left - before;
	kept->known = true;
	return evicted.left <= max_size;
}

static bool hold_all(struct keeper *keeper)
{
	bool held = true;

	for (unsigned b = 0; b < BUCKETS; b++)
		for (struct kept *kept = first(keeper, b); kept; kept = kept->next)
			if (is_over(kept))
				held &= hold(keeper, kept);
	return held;
}

static void quarantine(struct keeper *keeper, const struct damaged *damaged)
{
	char *path = NULL;
	int rc;

	pthread_mutex_lock(&keeper->work);
	rc = cache_quarantine(&keeper->env, damaged->cache, damaged->ino, &path);
	pthread_mutex_unlock(&keeper->work);
	keeper_quarantined(keeper, damaged->cache, !rc);
	if (!rc)
		log_warning("%s: damaged, moved to " CACHE_QUARANTINE "; it will be made again",
			path ? path : "a cache entry");
	else if (rc != -ENOENT)
		log_error("inode %" PRIu64 " is damaged and cannot be moved aside: %s", damaged->ino,
			strerror(-rc));
	free(path);
}

static bool wait_for_work(struct keeper *keeper, unsigned ms)
{
	struct timespec until = clock_deadline(ms);
	bool stop;

	pthread_mutex_lock(&keeper->lock);
	while (!keeper->stop && !keeper->over && !keeper->refresh && !keeper->damaged_count)
		if (pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until))
			break;
	stop = keeper->stop;
	pthread_mutex_unlock(&keeper->lock);
	return !stop;
}

static void work(struct keeper *keeper)
{
	struct damaged damaged[DAMAGED_MAX];
	size_t count;
	bool refresh, held;

	pthread_mutex_lock(&keeper->lock);
	count = keeper->damaged_count;
	memcpy(damaged, keeper->damaged, count * sizeof damaged[0]);
	keeper->damaged_count = 0;
	refresh = keeper->refresh;
	keeper->over = keeper->refresh = false;
	pthread_mutex_unlock(&keeper->lock);
	if (refresh)
		read_bounds(keeper);
	for (size_t i = 0; i < count; i++)
		quarantine(keeper, &damaged[i]);
	held = hold_all(keeper);
	pthread_mutex_lock(&keeper->lock);
	pthread_cond_broadcast(&keeper->eased);
	if (!held && !keeper->stop) {
		struct timespec until = clock_deadline(RETRY_MS);
		pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
		keeper->over = true;
	}
	pthread_mutex_unlock(&keeper->lock);
}

static void flush(struct keeper *keeper, uint64_t before)
{
	int rc;

	pthread_mutex_lock(&keeper->work);
	rc = usage_flush(keeper->env.usage, keeper->mount->names, before);
	pthread_mutex_unlock(&keeper->work);
	if (rc)
		log_warning("when cache entries were last used cannot be written down: %s", strerror(-rc));
}

static void *run(void *arg)
{
	struct keeper *keeper = arg;
	uint64_t flushed = usage_now();

	pthread_setname_np(pthread_self(), "keeper");
	while (wait_for_work(keeper, FLUSH_MS)) {
		uint64_t now = usage_now();
		work(keeper);
		if (now - flushed >= FLUSH_MS) {
			flush(keeper, now - RECENT_MS);
			flushed = now;
		}
	}
	return NULL;
}

const struct cache_env *keeper_take(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->work);
	return &keeper->env;
}

void keeper_give(struct keeper *keeper)
{
	pthread_mutex_unlock(&keeper->work);
}

/* --- its life --- */

int keeper_new(struct mount *mount, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof *keeper);
	pthread_condattr_t attr;
	int rc;

	if (!keeper)
		return -ENOMEM;
	keeper->mount = mount;
	keeper->env = (struct cache_env){
		.parts = &mount->store->parts, .usage = usage_new(), .gone = gone, .ctx = keeper};
	pthread_rwlock_init(&keeper->table_lock, NULL);
	pthread_mutex_init(&keeper->work, NULL);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attr);
	pthread_cond_init(&keeper->eased, &attr);
	pthread_condattr_destroy(&attr);
	rc = keeper->env.usage ? read_bounds(keeper) : -ENOMEM;
	if (rc) {
		keeper_free(keeper);
		return rc;
	}
	*out = keeper;
	return 0;
}

int keeper_start(struct keeper *keeper, struct fuse_session *fuse)
{
	int rc;

	keeper->fuse = fuse;
	keeper->over = true; /* bounds may be passed already */
	rc = -pthread_create(&keeper->thread, NULL, run, keeper);
	keeper->started = !rc;
	return rc;
}

void keeper_halt(struct keeper *keeper)
{
	if (!keeper || !keeper->started)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->stop = true;
	pthread_cond_broadcast(&keeper->wake);
	pthread_cond_broadcast(&keeper->eased);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	keeper->started = false;
	flush(keeper, UINT64_MAX);
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	for (unsigned b = 0; b < BUCKETS; b++)
		while (keeper->buckets[b]) {
			struct kept *kept = keeper->buckets[b];
			keeper->buckets[b] = kept->next;
			free(kept);
		}
	usage_free(keeper->env.usage);
	pthread_cond_destroy(&keeper->wake);
	pthread_cond_destroy(&keeper->eased);
	pthread_mutex_destroy(&keeper->lock);
	pthread_mutex_destroy(&keeper->work);
	pthread_rwlock_destroy(&keeper->table_lock);
	free(keeper);
}
