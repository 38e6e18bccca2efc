#include "fs/buffers.h"

#include <pthread.h>
#include <stdlib.h>

#define ALIGNMENT 4096u

/* A spare buffer's first bytes say which one is next. */
struct spare {
	struct spare *next;
};

struct buffers {
	pthread_mutex_t lock;
	struct spare *first;
};

struct buffers *buffers_new(void)
{
	struct buffers *buffers = calloc(1, sizeof *buffers);

	if (buffers)
		pthread_mutex_init(&buffers->lock, NULL);
	return buffers;
}

void buffers_free(struct buffers *buffers)
{
	if (!buffers)
		return;
	while (buffers->first) {
		struct spare *spare = buffers->first;

		buffers->first = spare->next;
		free(spare);
	}
	pthread_mutex_destroy(&buffers->lock);
	free(buffers);
}

void *buffer_get(struct buffers *buffers)
{
	struct spare *spare;

	pthread_mutex_lock(&buffers->lock);
	spare = buffers->first;
	if (spare)
		buffers->first = spare->next;
	pthread_mutex_unlock(&buffers->lock);
	return spare ? (void *)spare : aligned_alloc(ALIGNMENT, BUFFER_SIZE);
}

void buffer_put(struct buffers *buffers, void *buffer)
{
	struct spare *spare = buffer;

	pthread_mutex_lock(&buffers->lock);
	spare->next = buffers->first;
	buffers->first = spare;
	pthread_mutex_unlock(&buffers->lock);
}
