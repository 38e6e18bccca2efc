#include "dedup/group/exact.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SHARD_BITS 8
#define SHARDS (1u << SHARD_BITS)
#define EMPTY UINT32_MAX /* no line has this id */
#define SPILL 24u	 /* slots after the last home, at first */
#define FIRST_HOMES 40u

struct slot {
	uint64_t key;
	uint32_t check, id;
};

/* Slots are sorted by key with gaps between; each stands at its home or after it. */
struct shard {
	struct slot *slots; /* homes + spill */
	size_t homes, spill, count;
	size_t most; /* homes + spill at most */
	bool lacks;  /* something that found no room */
};

struct dedup_exact {
	struct shard shards[SHARDS];
	pthread_mutex_t locks[SHARDS];
};

static int slots_new(struct shard *shard)
{
	size_t count = shard->homes + shard->spill;

	shard->slots = malloc(count * sizeof *shard->slots);
	for (size_t i = 0; shard->slots && i < count; i++)
		shard->slots[i].id = EMPTY;
	return shard->slots ? 0 : -ENOMEM;
}

int dedup_exact_new(struct dedup_exact **exact)
{
	struct dedup_exact *e = calloc(1, sizeof *e);

	*exact = e;
	if (!e)
		return -ENOMEM;
	for (unsigned i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&e->locks[i], NULL);
		e->shards[i].homes = FIRST_HOMES;
		e->shards[i].spill = SPILL;
		e->shards[i].most = SIZE_MAX;
		if (slots_new(&e->shards[i])) {
			dedup_exact_free(e);
			*exact = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

void dedup_exact_free(struct dedup_exact *exact)
{
	if (!exact)
		return;
	for (unsigned i = 0; i < SHARDS; i++)
		free(exact->shards[i].slots);
	free(exact);
}

/* Rises with the key. */
static size_t home(const struct shard *shard, uint64_t key)
{
	return (size_t)(((key >> 32) * shard->homes) >> 32);
}

static bool is_full(const struct shard *shard)
{
	return shard->count + 1 > shard->homes / 10 * 9;
}

/* Puts all into a larger table; false where they do not fit into that either. */
static bool move(const struct shard *from, struct shard *to)
{
	size_t next = 0;

	for (size_t i = 0; i < from->homes + from->spill; i++) {
		size_t at;

		if (from->slots[i].id == EMPTY)
			continue;
		at = home(to, from->slots[i].key);
		at = at < next ? next : at;
		if (at == to->homes + to->spill)
			return false;
		to->slots[at] = from->slots[i];
		next = at + 1;
	}
	return true;
}

/* More homes where they are nearly all taken, more room after them where keys crowd at the end. */
static int grow(struct shard *shard)
{
	struct shard larger = *shard;

	if (is_full(shard))
		larger.homes += larger.homes / 10 + 4;
	else
		larger.spill *= 2;
	if (larger.homes + larger.spill > shard->most)
		return -ENOSPC;
	if (slots_new(&larger))
		return -ENOMEM;
	while (!move(shard, &larger)) {
		free(larger.slots);
		larger.spill *= 2;
		if (slots_new(&larger))
			return -ENOMEM;
	}
	free(shard->slots);
	*shard = larger;
	return 0;
}

/* Where the key is (true), or where it would have to stand. */
static bool find(const struct shard *shard, uint64_t key, uint32_t check, size_t *found)
{
	size_t at = home(shard, key), end = shard->homes + shard->spill;

	for (; at < end && shard->slots[at].id != EMPTY && shard->slots[at].key <= key; at++)
		if (shard->slots[at].key == key && shard->slots[at].check == check) {
			*found = at;
			return true;
		}
	*found = at;
	return false;
}

static bool insert(struct shard *shard, size_t at, struct slot slot)
{
	size_t end = shard->homes + shard->spill, gap = at;

	while (gap < end && shard->slots[gap].id != EMPTY)
		gap++;
	if (gap == end)
		return false;
	memmove(&shard->slots[at + 1], &shard->slots[at], (gap - at) * sizeof slot);
	shard->slots[at] = slot;
	shard->count++;
	return true;
}

static int put(struct shard *shard, struct slot slot, uint32_t *first, uint32_t *again)
{
	size_t at;
	int rc;

	if (find(shard, slot.key, slot.check, &at)) {
		uint32_t known = shard->slots[at].id;

		*first = known < slot.id ? known : slot.id;
		*again = known < slot.id ? slot.id : known;
		shard->slots[at].id = *first;
		return 0;
	}
	while (is_full(shard) || !insert(shard, at, slot)) {
		rc = grow(shard);
		if (rc == -ENOSPC)
			shard->lacks = true;
		if (rc)
			return rc == -ENOSPC ? 1 : rc;
		find(shard, slot.key, slot.check, &at);
	}
	return 1;
}

int dedup_exact_put(struct dedup_exact *exact, uint64_t hash, uint32_t check, uint32_t id, uint32_t *first,
	uint32_t *again)
{
	size_t number = hash >> (64 - SHARD_BITS);
	/* Rotated, so that the shard's bits are the last ones of the key's order. */
	struct slot slot = {hash << SHARD_BITS | number, check, id};
	int rc;

	pthread_mutex_lock(&exact->locks[number]);
	rc = put(&exact->shards[number], slot, first, again);
	pthread_mutex_unlock(&exact->locks[number]);
	return rc;
}

void dedup_exact_limit(struct dedup_exact *exact, size_t bytes)
{
	for (unsigned i = 0; i < SHARDS; i++)
		exact->shards[i].most = bytes / SHARDS / sizeof(struct slot);
}

bool dedup_exact_lacks(const struct dedup_exact *exact)
{
	for (unsigned i = 0; i < SHARDS; i++)
		if (exact->shards[i].lacks)
			return true;
	return false;
}

uint32_t dedup_exact_get(const struct dedup_exact *exact, uint64_t hash, uint32_t check)
{
	size_t number = hash >> (64 - SHARD_BITS), at;
	const struct shard *shard = &exact->shards[number];

	return find(shard, hash << SHARD_BITS | number, check, &at) ? shard->slots[at].id : EMPTY;
}

size_t dedup_exact_memory(const struct dedup_exact *exact)
{
	size_t bytes = sizeof *exact;

	for (unsigned i = 0; i < SHARDS; i++)
		bytes += (exact->shards[i].homes + exact->shards[i].spill) * sizeof(struct slot);
	return bytes;
}
