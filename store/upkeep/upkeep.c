/*
 * The background thread: looks every few seconds whether a collection is worth it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/upkeep/upkeep.h"
#include "store/util/clock.h"
#include "store/util/log.h"

#define TICK_S 5
#define IDLE_S 30  /* without anything to encode, before little is collected */
#define BUSY_S 600 /* so long a queue may hold much back */
#define MUCH_MIN (64u << 20)
#define MUCH_RECIPES 4096u /* so many dead files are much, whatever they held */
#define FULL_PERCENT 5	   /* free space below that: at once */
#define FULL_REST_S 5	   /* between collections for want of space */
#define FULL_SHARE 4	   /* of the time, at most a quarter is spent on those */
#define NICE 15

struct upkeep {
	const struct parts *parts;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	_Atomic bool stop;
	time_t idle_since, busy_since, last_run, last_took;
	uint64_t wasted; /* by the encoder, when the last collection began */
};

struct trash {
	struct upkeep *upkeep;
	uint64_t recipes, bytes;
};

static time_t now(void)
{
	return (time_t)(clock_now_ms() / 1000);
}

static int weigh(void *ctx, uint64_t recipe)
{
	struct trash *trash = ctx;
	struct recipe_head head;

	if (!recipe_head_get(trash->upkeep->parts->recipes, recipe, &head))
		trash->bytes += head.new_bytes;
	return ++trash->recipes >= MUCH_RECIPES || trash->upkeep->stop;
}

static bool is_disk_full(const struct parts *parts)
{
	struct statvfs v;

	if (kv_is_full(parts->kv))
		return true;
	return parts->path && !statvfs(parts->path, &v) && v.f_bavail < v.f_blocks / 100 * FULL_PERCENT;
}

/* What was encoded for nothing lies in packs, and no dead file tells of it. */
static uint64_t wasted(const struct upkeep *upkeep)
{
	struct encoder_counts counts;

	encoder_counts(upkeep->parts->encoder, &counts);
	return counts.wasted_bytes;
}

static bool rested_enough(const struct upkeep *upkeep, time_t t)
{
	time_t rest = upkeep->last_took * FULL_SHARE;

	return t - upkeep->last_run >= (rest > FULL_REST_S ? rest : FULL_REST_S);
}

static bool is_due(struct upkeep *upkeep)
{
	const struct parts *parts = upkeep->parts;
	struct trash trash = {.upkeep = upkeep};
	struct stage_counts counts;
	time_t t = now();
	bool much;

	stage_counts(parts->stage, &counts);
	if (counts.queued_files) {
		upkeep->idle_since = t;
	} else {
		upkeep->busy_since = t;
	}
	recipes_each_dead(parts->recipes, weigh, &trash);
	trash.bytes += wasted(upkeep) - upkeep->wasted;
	if (!(trash.recipes || trash.bytes) || upkeep->stop)
		return false;
	much = trash.recipes >= MUCH_RECIPES ||
	       (trash.bytes >= MUCH_MIN && trash.bytes >= packs_bytes(parts->packs) / 10);
	if (is_disk_full(parts))
		return rested_enough(upkeep, t);
	if (much)
		return !counts.queued_files || t - upkeep->busy_since >= BUSY_S;
	return t - upkeep->idle_since >= IDLE_S && t - upkeep->last_run >= IDLE_S;
}

static int keep_going(void *ctx, const char *phase, double share)
{
	struct upkeep *upkeep = ctx;

	(void)phase;
	(void)share;
	return upkeep->stop;
}

static void collect(struct upkeep *upkeep)
{
	struct gc_result result;
	uint64_t wasted_before = wasted(upkeep);
	time_t begin = now();
	int rc = gc_run(upkeep->parts, 0, keep_going, upkeep, &result);

	upkeep->last_run = now();
	upkeep->last_took = upkeep->last_run - begin;
	if (!rc)
		upkeep->wasted = wasted_before;
	if (rc && rc != -EINTR && rc != -EBUSY)
		log_error("gc: %s; it is tried again later",
			rc == -EBADMSG ? "the index is damaged, run mithril fsck" : strerror(-rc));
	else if (!rc && result.bytes_before > result.bytes_after)
		log_info("gc: %" PRIu64 " MiB came back: %" PRIu64 " chunks removed, %" PRIu64
			 " encoded anew, %" PRIu64 " moved",
			(result.bytes_before - result.bytes_after) >> 20, result.chunks_removed,
			result.chunks_rebased, result.frames_moved);
}

static void *run(void *arg)
{
	struct upkeep *upkeep = arg;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&upkeep->lock);
	while (!upkeep->stop) {
		struct timespec until = clock_deadline(TICK_S * 1000u);

		pthread_cond_timedwait(&upkeep->wake, &upkeep->lock, &until);
		pthread_mutex_unlock(&upkeep->lock);
		if (!upkeep->stop && is_due(upkeep))
			collect(upkeep);
		pthread_mutex_lock(&upkeep->lock);
	}
	pthread_mutex_unlock(&upkeep->lock);
	return NULL;
}

int upkeep_start(const struct parts *parts, struct upkeep **out)
{
	struct upkeep *upkeep = calloc(1, sizeof *upkeep);
	pthread_condattr_t attr;
	int rc;

	if (!upkeep)
		return -ENOMEM;
	upkeep->parts = parts;
	upkeep->idle_since = upkeep->busy_since = now();
	pthread_mutex_init(&upkeep->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&upkeep->wake, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&upkeep->thread, NULL, run, upkeep);
	if (rc) {
		pthread_cond_destroy(&upkeep->wake);
		pthread_mutex_destroy(&upkeep->lock);
		free(upkeep);
		return -rc;
	}
	*out = upkeep;
	return 0;
}

void upkeep_stop(struct upkeep *upkeep)
{
	if (!upkeep)
		return;
	pthread_mutex_lock(&upkeep->lock);
	upkeep->stop = true;
	pthread_cond_signal(&upkeep->wake);
	pthread_mutex_unlock(&upkeep->lock);
	pthread_join(upkeep->thread, NULL);
	pthread_cond_destroy(&upkeep->wake);
	pthread_mutex_destroy(&upkeep->lock);
	free(upkeep);
}
