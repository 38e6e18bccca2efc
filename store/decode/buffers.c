#include "store/decode/buffers.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SLOT (256u << 10)
#define SLOT_LEN_MIN (SLOT / 2 + 1) /* shorter ones would waste more than half of it */
#define SLAB (2u << 20)
#define SLOTS (SLAB / SLOT)

struct slot {
	struct slot *next;
};

struct slab {
	struct slab *next;
	void *memory;
};

struct buffers {
	pthread_mutex_t lock;
	struct slot *free_slots;
	struct slab *slabs;
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
	while (buffers->slabs) {
		struct slab *slab = buffers->slabs;
		buffers->slabs = slab->next;
		free(slab->memory);
		free(slab);
	}
	pthread_mutex_destroy(&buffers->lock);
	free(buffers);
}

static struct slab *slab_new(void)
{
	struct slab *slab = malloc(sizeof *slab);

	if (!slab)
		return NULL;
	slab->memory = aligned_alloc(SLAB, SLAB);
	if (!slab->memory) {
		free(slab);
		return NULL;
	}
	madvise(slab->memory, SLAB, MADV_HUGEPAGE); /* only faster */
	return slab;
}

static void put_slot(struct buffers *buffers, void *p)
{
	struct slot *slot = p;

	slot->next = buffers->free_slots;
	buffers->free_slots = slot;
}

static void *take_slot(struct buffers *buffers)
{
	struct slot *slot;

	pthread_mutex_lock(&buffers->lock);
	slot = buffers->free_slots;
	if (slot)
		buffers->free_slots = slot->next;
	pthread_mutex_unlock(&buffers->lock);
	return slot;
}

/* Adds a slab and gives its first slot. */
static void *grow(struct buffers *buffers)
{
	struct slab *slab = slab_new();

	if (!slab)
		return NULL;
	pthread_mutex_lock(&buffers->lock);
	slab->next = buffers->slabs;
	buffers->slabs = slab;
	for (unsigned i = SLOTS - 1; i > 0; i--)
		put_slot(buffers, (char *)slab->memory + i * SLOT);
	pthread_mutex_unlock(&buffers->lock);
	return slab->memory;
}

static int in_slot(size_t len)
{
	return len >= SLOT_LEN_MIN && len <= SLOT;
}

void *buffers_get(struct buffers *buffers, size_t len)
{
	void *p;

	if (!in_slot(len))
		return malloc(len);
	p = take_slot(buffers);
	return p ? p : grow(buffers);
}

void buffers_put(struct buffers *buffers, void *p, size_t len)
{
	if (!p)
		return;
	if (!in_slot(len)) {
		free(p);
		return;
	}
	pthread_mutex_lock(&buffers->lock);
	put_slot(buffers, p);
	pthread_mutex_unlock(&buffers->lock);
}
