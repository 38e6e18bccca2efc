#include <errno.h>
#include <stdlib.h>

#include "store/encode/private.h"

int window_init(struct window *window)
{
	pthread_mutex_init(&window->lock, NULL);
	pthread_cond_init(&window->ready, NULL);
	pthread_cond_init(&window->done, NULL);
	for (size_t i = 0; i < WINDOW; i++) {
		window->jobs[i].raw = malloc(ENCODE_CHUNK);
		window->jobs[i].payload = malloc(CODEC_BOUND(ENCODE_CHUNK));
		if (!window->jobs[i].raw || !window->jobs[i].payload)
			return -ENOMEM;
	}
	return 0;
}

void window_release(struct window *window)
{
	for (size_t i = 0; i < WINDOW; i++) {
		free(window->jobs[i].raw);
		free(window->jobs[i].payload);
	}
	pthread_mutex_destroy(&window->lock);
	pthread_cond_destroy(&window->ready);
	pthread_cond_destroy(&window->done);
}

/* head and tail belong to the coordinator alone; next and the states of jobs are shared. */
struct chunk_job *window_slot(struct window *window)
{
	return window->head - window->tail < WINDOW ? &window->jobs[window->head % WINDOW] : NULL;
}

void window_submit(struct window *window)
{
	pthread_mutex_lock(&window->lock);
	struct chunk_job *job = &window->jobs[window->head++ % WINDOW];
	job->state = job->kind == JOB_CHUNK || job->kind == JOB_SMALL ? JOB_READY : JOB_DONE;
	if (job->state == JOB_READY)
		pthread_cond_signal(&window->ready);
	pthread_mutex_unlock(&window->lock);
}

struct chunk_job *window_oldest(struct window *window)
{
	struct chunk_job *job = &window->jobs[window->tail % WINDOW];

	if (window->tail == window->head)
		return NULL;
	pthread_mutex_lock(&window->lock);
	while (job->state != JOB_DONE)
		pthread_cond_wait(&window->done, &window->lock);
	pthread_mutex_unlock(&window->lock);
	return job;
}

void window_collected(struct window *window)
{
	pthread_mutex_lock(&window->lock);
	window->jobs[window->tail++ % WINDOW].state = JOB_FREE;
	pthread_mutex_unlock(&window->lock);
}

struct chunk_job *window_take(struct window *window)
{
	struct chunk_job *job = NULL;

	pthread_mutex_lock(&window->lock);
	while (!window->stop) {
		while (window->next < window->head && window->jobs[window->next % WINDOW].state != JOB_READY)
			window->next++;
		if (window->next < window->head)
			break;
		pthread_cond_wait(&window->ready, &window->lock);
	}
	if (!window->stop) {
		job = &window->jobs[window->next++ % WINDOW];
		job->state = JOB_TAKEN;
	}
	pthread_mutex_unlock(&window->lock);
	return job;
}

void window_finish(struct window *window, struct chunk_job *job)
{
	pthread_mutex_lock(&window->lock);
	job->state = JOB_DONE;
	pthread_cond_signal(&window->done);
	pthread_mutex_unlock(&window->lock);
}

void window_stop(struct window *window)
{
	pthread_mutex_lock(&window->lock);
	window->stop = true;
	pthread_cond_broadcast(&window->ready);
	pthread_mutex_unlock(&window->lock);
}
