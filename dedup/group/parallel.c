#include "dedup/group/parallel.h"

#include <pthread.h>
#include <stdbool.h>

struct job {
	int (*work)(void *ctx, unsigned thread);
	void *ctx;
	unsigned number;
	pthread_t thread;
	bool started;
	int rc;
};

static void *run(void *arg)
{
	struct job *job = arg;

	job->rc = job->work(job->ctx, job->number);
	return NULL;
}

int dedup_parallel(unsigned threads, int (*work)(void *ctx, unsigned thread), void *ctx)
{
	struct job jobs[DEDUP_THREADS_MAX];
	int rc = 0;

	if (threads > DEDUP_THREADS_MAX)
		threads = DEDUP_THREADS_MAX;
	for (unsigned i = 0; i < threads; i++) {
		jobs[i] = (struct job){.work = work, .ctx = ctx, .number = i};
		jobs[i].started = i + 1 < threads && !pthread_create(&jobs[i].thread, NULL, run, &jobs[i]);
	}
	for (unsigned i = 0; i < threads; i++)
		if (!jobs[i].started)
			run(&jobs[i]);
	for (unsigned i = 0; i < threads; i++) {
		if (jobs[i].started)
			pthread_join(jobs[i].thread, NULL);
		rc = rc ? rc : jobs[i].rc;
	}
	return rc;
}
