#include "fs/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs/keeper_private.h"
#include "store/util/clock.h"
#include "store/util/log.h"

#define FLUSH_MS 30000u	 /* between writing last uses down */
#define RECENT_MS 10000u /* what was used since stays in memory */
#define RETRY_MS 200u	 /* after a pass that all was in use for */

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
static bool hold(struct keeper *keeper, struct tended *tended)
{
	uint64_t max_size = tended->max_size, before = tended->estimate;
	struct cache_evicted evicted;
	int rc;

	pthread_mutex_lock(&keeper->work);
	rc = cache_evict(&keeper->env, tended->cache, max_size, max_size - max_size / 10, GRACE_MS, stopping,
		keeper, &evicted);
	pthread_mutex_unlock(&keeper->work);
	if (rc == -ENOENT || rc == -ENOTDIR) {
		tended->max_size = 0;
		return true;
	}
	if (rc) {
		if (rc != -EINTR)
			log_warning("a cache cannot be kept within its bound: %s", strerror(-rc));
		return false;
	}
	keeper_evicted(keeper, tended->cache, &evicted);
	/* What was written meanwhile may be in the walk or not. */
	tended->estimate += evicted.left - before;
	tended->known = true;
	return evicted.left <= max_size;
}

static bool hold_all(struct keeper *keeper)
{
	bool held = true;

	for (unsigned b = 0; b < TENDED_BUCKETS; b++)
		for (struct tended *tended = tended_first(&keeper->table, b); tended; tended = tended->next)
			if (tended_is_over(tended))
				held &= hold(keeper, tended);
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
		tended_read_bounds(&keeper->table, keeper->mount->names);
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
	tended_init(&keeper->table);
	pthread_mutex_init(&keeper->work, NULL);
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->wake, &attr);
	pthread_cond_init(&keeper->eased, &attr);
	pthread_condattr_destroy(&attr);
	rc = keeper->env.usage ? tended_read_bounds(&keeper->table, keeper->mount->names) : -ENOMEM;
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
	usage_free(keeper->env.usage);
	pthread_cond_destroy(&keeper->wake);
	pthread_cond_destroy(&keeper->eased);
	pthread_mutex_destroy(&keeper->lock);
	pthread_mutex_destroy(&keeper->work);
	tended_release(&keeper->table);
	free(keeper);
}
