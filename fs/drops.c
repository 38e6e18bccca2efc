#include "fs/drops.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/util/array.h"
#include "store/util/log.h"

#define PAUSE_MS 50
#define PATIENCE_MS 2000

struct drops {
	struct stage *stage;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	uint64_t *inos;
	size_t count, capacity;
	uint64_t added, dropped; /* ever */
	unsigned awaited;	 /* calls that wait for drops now */
	bool asleep, stopping;
};

static void drop(struct drops *drops, uint64_t ino)
{
	int ret = content_drop(drops->stage, ino);

	if (ret && ret != -ENOENT)
		log_warning("inode %llu: not removed now, but at the next start: %s", (unsigned long long)ino,
			strerror(-ret));
}

/* With the lock: waits for the first, and then while more keep coming, for a while: who removes a tree is
 * done sooner if nobody competes with him for the database. */
static void wait_for_drops(struct drops *drops)
{
	size_t before = 0;
	int waited = 0;

	while (!drops->count && !drops->stopping) {
		drops->asleep = true;
		pthread_cond_wait(&drops->wake, &drops->lock);
		drops->asleep = false;
	}
	while (drops->count > before && waited < PATIENCE_MS && !drops->awaited && !drops->stopping) {
		before = drops->count;
		pthread_mutex_unlock(&drops->lock);
		usleep(PAUSE_MS * 1000);
		waited += PAUSE_MS;
		pthread_mutex_lock(&drops->lock);
	}
}

static void *run(void *arg)
{
	struct drops *drops = arg;

	pthread_setname_np(pthread_self(), "drop");
	pthread_mutex_lock(&drops->lock);
	while (drops->count || !drops->stopping) {
		uint64_t *inos;
		size_t count;

		wait_for_drops(drops);
		inos = drops->inos;
		count = drops->count;
		drops->inos = NULL;
		drops->count = drops->capacity = 0;
		pthread_mutex_unlock(&drops->lock);
		for (size_t i = 0; i < count; i++)
			drop(drops, inos[i]);
		free(inos);
		pthread_mutex_lock(&drops->lock);
		drops->dropped += count;
		pthread_cond_broadcast(&drops->done);
	}
	pthread_mutex_unlock(&drops->lock);
	return NULL;
}

int drops_start(struct stage *stage, struct drops **out)
{
	struct drops *drops = calloc(1, sizeof *drops);
	int ret;

	if (!drops)
		return -ENOMEM;
	drops->stage = stage;
	pthread_mutex_init(&drops->lock, NULL);
	pthread_cond_init(&drops->wake, NULL);
	pthread_cond_init(&drops->done, NULL);
	ret = pthread_create(&drops->thread, NULL, run, drops);
	if (ret) {
		free(drops);
		return -ret;
	}
	*out = drops;
	return 0;
}

static bool reserve_one(struct drops *drops)
{
	uint64_t *inos = array_grow(drops->inos, drops->count, &drops->capacity, sizeof *inos);

	if (!inos)
		return false;
	drops->inos = inos;
	return true;
}

void drops_add(struct drops *drops, uint64_t ino)
{
	bool queued;

	pthread_mutex_lock(&drops->lock);
	queued = reserve_one(drops);
	if (queued)
		drops->inos[drops->count++] = ino;
	drops->added += queued;
	if (drops->asleep && drops->count == 1)
		pthread_cond_signal(&drops->wake);
	pthread_mutex_unlock(&drops->lock);
	if (!queued)
		drop(drops, ino);
}

void drops_settle(struct drops *drops)
{
	pthread_mutex_lock(&drops->lock);
	drops->awaited++;
	for (uint64_t all = drops->added; drops->dropped < all;)
		pthread_cond_wait(&drops->done, &drops->lock);
	drops->awaited--;
	pthread_mutex_unlock(&drops->lock);
}

void drops_stop(struct drops *drops)
{
	if (!drops)
		return;
	pthread_mutex_lock(&drops->lock);
	drops->stopping = true;
	pthread_cond_signal(&drops->wake);
	pthread_mutex_unlock(&drops->lock);
	pthread_join(drops->thread, NULL);
	pthread_cond_destroy(&drops->wake);
	pthread_cond_destroy(&drops->done);
	pthread_mutex_destroy(&drops->lock);
	free(drops->inos);
	free(drops);
}
