#include "store/stage/tally.h"

#include <stdlib.h>

void tally_init(struct tally *tally)
{
	*tally = (struct tally){0};
	pthread_mutex_init(&tally->lock, NULL);
}

void tally_release(struct tally *tally)
{
	free(tally->slots);
	pthread_mutex_destroy(&tally->lock);
}

static struct tally_slot *find(struct tally *tally, uint64_t ino)
{
	size_t mask = tally->capacity - 1;
	size_t i = (size_t)(ino * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (tally->slots[i].ino && tally->slots[i].ino != ino)
		i = (i + 1) & mask;
	return &tally->slots[i];
}

static int grow(struct tally *tally)
{
	struct tally_slot *old = tally->slots;
	size_t old_capacity = tally->capacity, capacity = old_capacity ? 2 * old_capacity : 256;
	struct tally_slot *slots = calloc(capacity, sizeof *slots);

	if (!slots)
		return -1;
	tally->slots = slots;
	tally->capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].ino)
			*find(tally, old[i].ino) = old[i];
	free(old);
	return 0;
}

void tally_set(struct tally *tally, uint64_t ino, uint64_t bytes)
{
	pthread_mutex_lock(&tally->lock);
	if (4 * (tally->files + 1) <= 3 * tally->capacity || !grow(tally)) {
		struct tally_slot *slot = find(tally, ino);
		tally->files += !slot->ino;
		tally->bytes += bytes - slot->bytes;
		*slot = (struct tally_slot){.ino = ino, .bytes = bytes};
	}
	pthread_mutex_unlock(&tally->lock);
}

void tally_remove(struct tally *tally, uint64_t ino)
{
	pthread_mutex_lock(&tally->lock);
	struct tally_slot *slot = tally->capacity ? find(tally, ino) : NULL;
	if (slot && slot->ino) {
		size_t mask = tally->capacity - 1;
		tally->files--;
		tally->bytes -= slot->bytes;
		*slot = (struct tally_slot){0};
		/* Entries behind the hole that hash at or before it move up, so that probing still finds
		 * them. */
		for (size_t i = ((size_t)(slot - tally->slots) + 1) & mask; tally->slots[i].ino;
			i = (i + 1) & mask) {
			struct tally_slot moved = tally->slots[i];
			tally->slots[i] = (struct tally_slot){0};
			*find(tally, moved.ino) = moved;
		}
	}
	pthread_mutex_unlock(&tally->lock);
}

void tally_sums(struct tally *tally, uint64_t *files, uint64_t *bytes)
{
	pthread_mutex_lock(&tally->lock);
	*files = tally->files;
	*bytes = tally->bytes;
	pthread_mutex_unlock(&tally->lock);
}
