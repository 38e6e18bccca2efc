#include "store/decode/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define REQUESTS_MAX 512u /* a power of two */
#define THREADS_MAX 64u

struct request {
	struct chunk_id id;
	const void *owner; /* NULL: cancelled */
};

struct ahead {
	void (*work)(void *ctx, const struct chunk_id *id);
	void *ctx;
	unsigned threads;
	pthread_t thread[THREADS_MAX];
	pthread_mutex_t lock; /* protects what follows */
	pthread_cond_t wanted;
	bool stop;
	unsigned first, count;
	struct request requests[REQUESTS_MAX];
};

static void *run(void *arg)
{
	struct ahead *ahead = arg;

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop) {
		if (!ahead->count) {
			pthread_cond_wait(&ahead->wanted, &ahead->lock);
			continue;
		}
		struct request request = ahead->requests[ahead->first];
		ahead->first = (ahead->first + 1) % REQUESTS_MAX;
		ahead->count--;
		if (!request.owner)
			continue;
		pthread_mutex_unlock(&ahead->lock);
		ahead->work(ahead->ctx, &request.id);
		pthread_mutex_lock(&ahead->lock);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

int ahead_start(
	unsigned threads, void (*work)(void *ctx, const struct chunk_id *id), void *ctx, struct ahead **out)
{
	struct ahead *ahead = calloc(1, sizeof *ahead);

	if (!ahead)
		return -ENOMEM;
	ahead->work = work;
	ahead->ctx = ctx;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->wanted, NULL);
	while (ahead->threads < threads && ahead->threads < THREADS_MAX) {
		int error = pthread_create(&ahead->thread[ahead->threads], NULL, run, ahead);
		if (error) {
			ahead_stop(ahead);
			return -error;
		}
		ahead->threads++;
	}
	*out = ahead;
	return 0;
}

void ahead_stop(struct ahead *ahead)
{
	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_broadcast(&ahead->wanted);
	pthread_mutex_unlock(&ahead->lock);
	for (unsigned i = 0; i < ahead->threads; i++)
		pthread_join(ahead->thread[i], NULL);
	pthread_cond_destroy(&ahead->wanted);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

bool ahead_request(struct ahead *ahead, const void *owner, const struct chunk_id *id, bool urgent)
{
	bool room;

	pthread_mutex_lock(&ahead->lock);
	room = ahead->count < REQUESTS_MAX;
	if (room) {
		unsigned at = ahead->first + ahead->count;
		if (urgent)
			at = ahead->first = (ahead->first + REQUESTS_MAX - 1) % REQUESTS_MAX;
		ahead->requests[at % REQUESTS_MAX] = (struct request){*id, owner};
		ahead->count++;
		pthread_cond_signal(&ahead->wanted);
	}
	pthread_mutex_unlock(&ahead->lock);
	return room;
}

void ahead_cancel(struct ahead *ahead, const void *owner)
{
	pthread_mutex_lock(&ahead->lock);
	for (unsigned i = 0; i < ahead->count; i++) {
		struct request *request = &ahead->requests[(ahead->first + i) % REQUESTS_MAX];
		if (request->owner == owner)
			request->owner = NULL;
	}
	pthread_mutex_unlock(&ahead->lock);
}
