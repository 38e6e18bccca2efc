#include "store/chunks/pins.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Linear probing over ids, which are hashes already. An empty slot has the zero id. */
struct pin {
	struct chunk_id id;
	uint32_t count;
	bool sticky; /* pinned at some time since begin */
	bool claimed;
};

struct pins {
	pthread_mutex_t lock;
	pthread_cond_t settled;
	struct pin *slots;
	size_t size, used; /* size: a power of two, or 0 */
	size_t unrecorded; /* pins that found no memory */
	bool collecting;
	size_t claims;
};

struct pins *pins_new(void)
{
	struct pins *pins = calloc(1, sizeof *pins);

	if (!pins)
		return NULL;
	pthread_mutex_init(&pins->lock, NULL);
	pthread_cond_init(&pins->settled, NULL);
	return pins;
}

void pins_free(struct pins *pins)
{
	if (!pins)
		return;
	pthread_cond_destroy(&pins->settled);
	pthread_mutex_destroy(&pins->lock);
	free(pins->slots);
	free(pins);
}

static size_t home(const struct chunk_id *id, size_t size)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof h);
	return (size_t)h & (size - 1);
}

static struct pin *probe(struct pin *slots, size_t size, const struct chunk_id *id)
{
	size_t i = home(id, size);

	while (!chunk_id_is_zero(&slots[i].id) && !chunk_id_equal(&slots[i].id, id))
		i = (i + 1) & (size - 1);
	return slots + i;
}

static bool grow(struct pins *pins)
{
	size_t size = pins->size ? 2 * pins->size : 256;
	struct pin *slots = calloc(size, sizeof *slots);

	if (!slots)
		return false;
	for (size_t i = 0; i < pins->size; i++) {
		if (!chunk_id_is_zero(&pins->slots[i].id))
			*probe(slots, size, &pins->slots[i].id) = pins->slots[i];
	}
	free(pins->slots);
	pins->slots = slots;
	pins->size = size;
	return true;
}

static struct pin *find(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin = pins->size ? probe(pins->slots, pins->size, id) : NULL;

	return pin && !chunk_id_is_zero(&pin->id) ? pin : NULL;
}

/* The slot of the id, made if there is none. NULL: no memory. */
static struct pin *find_or_add(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin = find(pins, id);

	if (pin)
		return pin;
	/* one slot stays empty, so that probing ends */
	if (2 * (pins->used + 1) > pins->size && !grow(pins) && pins->used + 1 >= pins->size)
		return NULL;
	pin = probe(pins->slots, pins->size, id);
	*pin = (struct pin){.id = *id};
	pins->used++;
	return pin;
}

/* Empties a slot and closes the hole it leaves in its run. */
static void erase(struct pins *pins, struct pin *pin)
{
	size_t mask = pins->size - 1, hole = (size_t)(pin - pins->slots), i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (chunk_id_is_zero(&pins->slots[i].id))
			break;
		size_t at = home(&pins->slots[i].id, pins->size);
		if (((i - at) & mask) < ((i - hole) & mask))
			continue;
		pins->slots[hole] = pins->slots[i];
		hole = i;
	}
	memset(pins->slots + hole, 0, sizeof *pins->slots);
	pins->used--;
}

/* Rebuilds the table with what is pinned, forgetting claims. Without memory the old one stays, with pins of
 * count 0 in it. */
static void prune(struct pins *pins)
{
	size_t live = 0, size = 256;
	struct pin *slots;

	for (size_t i = 0; i < pins->size; i++) {
		pins->slots[i].sticky = pins->slots[i].sticky && pins->collecting;
		pins->slots[i].claimed = false;
		live += pins->slots[i].count || pins->slots[i].sticky;
	}
	pins->claims = 0;
	pthread_cond_broadcast(&pins->settled);
	while (size < 4 * live)
		size *= 2;
	slots = calloc(size, sizeof *slots);
	if (!slots)
		return;
	for (size_t i = 0; i < pins->size; i++) {
		struct pin *pin = pins->slots + i;
		if (pin->count || pin->sticky)
			*probe(slots, size, &pin->id) = *pin;
	}
	free(pins->slots);
	pins->slots = slots;
	pins->size = size;
	pins->used = live;
}

void pins_add(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin;

	pthread_mutex_lock(&pins->lock);
	while ((pin = find(pins, id)) && pin->claimed)
		pthread_cond_wait(&pins->settled, &pins->lock);
	pin = find_or_add(pins, id);
	if (pin) {
		pin->count++;
		pin->sticky = pins->collecting;
	} else {
		pins->unrecorded++;
	}
	pthread_mutex_unlock(&pins->lock);
}

void pins_drop(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin;

	pthread_mutex_lock(&pins->lock);
	pin = find(pins, id);
	if (pin && pin->count && !--pin->count && !pin->sticky)
		erase(pins, pin);
	pthread_mutex_unlock(&pins->lock);
}

int pins_begin(struct pins *pins)
{
	int rc = 0;

	pthread_mutex_lock(&pins->lock);
	if (pins->collecting)
		rc = -EBUSY;
	else
		pins->collecting = true;
	for (size_t i = 0; !rc && i < pins->size; i++)
		pins->slots[i].sticky = pins->slots[i].count != 0;
	pthread_mutex_unlock(&pins->lock);
	return rc;
}

bool pins_pinned(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin;
	bool pinned;

	pthread_mutex_lock(&pins->lock);
	pin = find(pins, id);
	pinned = pins->unrecorded || (pin && (pin->count || pin->sticky));
	pthread_mutex_unlock(&pins->lock);
	return pinned;
}

bool pins_claim(struct pins *pins, const struct chunk_id *id)
{
	struct pin *pin = NULL;
	bool claimed = false;

	pthread_mutex_lock(&pins->lock);
	if (pins->collecting && !pins->unrecorded)
		pin = find_or_add(pins, id);
	if (pin && !pin->count && !pin->sticky) {
		claimed = true;
		pin->claimed = true;
		pins->claims++;
	}
	pthread_mutex_unlock(&pins->lock);
	return claimed;
}

void pins_settle(struct pins *pins)
{
	pthread_mutex_lock(&pins->lock);
	if (pins->claims)
		prune(pins);
	pthread_mutex_unlock(&pins->lock);
}

void pins_end(struct pins *pins)
{
	pthread_mutex_lock(&pins->lock);
	pins->collecting = false;
	prune(pins);
	pthread_mutex_unlock(&pins->lock);
}
