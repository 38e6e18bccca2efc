#include "fs/read_buffers.h"

#include <pthread.h>
#include <stdlib.h>

#define ALIGNMENT 4096u

/* A spare buffer's first bytes say which one is next. */
struct spare {
	struct spare *next;
};

struct read_buffers {
	pthread_mutex_t lock;
	struct spare *first;
};

struct read_buffers *read_buffers_new(void)
{
	struct read_buffers *buffers = calloc(1, sizeof *buffers);

	if (buffers)
		pthread_mutex_init(&buffers->lock, NULL);
	return buffers;
}

void read_buffers_free(struct read_buffers *buffers)
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

void *read_buffer_get(struct read_buffers *buffers)
{
	struct spare *spare;

	pthread_mutex_lock(&buffers->lock);
	spare = buffers->first;
	if (spare)
		buffers->first = spare->next;
	pthread_mutex_unlock(&buffers->lock);
	return spare ? (void *)spare : aligned_alloc(ALIGNMENT, BUFFER_SIZE);
}

void read_buffer_put(struct read_buffers *buffers, void *buffer)
{
	struct spare *spare = buffer;

	pthread_mutex_lock(&buffers->lock);
	spare->next = buffers->first;
	buffers->first = spare;
	pthread_mutex_unlock(&buffers->lock);
}
