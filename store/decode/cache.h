/*
 * The cache of decoded chunks: bounded, least recently used, sharded by id; one thread fills an entry while
 * others that want it wait.
 *
 * An entry is loading (its owner fills it), ready, or failed. Whoever gets one holds a reference. Memory
 * beyond the bound is used only by entries that somebody holds: such an entry is not kept once it is let go.
 *
 * Any thread. No lock is held while memory is allocated or freed, or while an entry is filled.
 */
#ifndef MITHRIL_STORE_DECODE_CACHE_H
#define MITHRIL_STORE_DECODE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "store/packs/packs.h"

struct chunk_data {
	struct chunk_id id;
	uint8_t *bytes; /* constant once ready */
	size_t len;
	/* the rest belongs to the cache */
	enum { CHUNK_LOADING, CHUNK_READY, CHUNK_FAILED } state;
	int error;
	unsigned refs;
	bool kept; /* in the table */
	bool cold; /* somebody who let it go said so */
	size_t charge;
	struct chunk_data *next;	  /* in the bucket */
	struct chunk_data *newer, *older; /* in the list of those without references */
};

struct cache;

struct cache *cache_new(size_t bytes);
/* No entry may be held. */
void cache_free(struct cache *cache);

enum cache_found {
	CACHE_READY, /* *out is filled */
	CACHE_OWNED, /* *out is the caller's to fill: cache_allocate, then cache_publish, or cache_fail */
	CACHE_BUSY   /* being filled by another thread, and !wait; *out is not set */
};
/* enum cache_found; or -ENOMEM, or what the filling thread failed with. */
int cache_acquire(struct cache *cache, const struct chunk_id *id, bool wait, struct chunk_data **out);
/* An entry of one's own that nobody else will see; to be filled and let go in the same way. NULL: no memory.
 */
struct chunk_data *cache_private(const struct chunk_id *id);

/* Gives a loading entry `len` bytes to fill. -ENOMEM. */
int cache_allocate(struct cache *cache, struct chunk_data *data, size_t len);
/* It is filled: others may have it. */
void cache_publish(struct cache *cache, struct chunk_data *data);
/* It cannot be filled: those who wait get `error`; it is let go and forgotten. */
void cache_fail(struct cache *cache, struct chunk_data *data, int error);

/* Lets an entry go. cold: it will hardly be wanted again, whoever else holds it now. Cold entries go before
 * all others, and have a quarter of the memory at most: what streams through is decoded into the same few
 * buffers, which processors have in their caches, while new ones cost a page fault each. */
void cache_release(struct cache *cache, struct chunk_data *data, bool cold);

/* Ready, or being filled. */
bool cache_has(struct cache *cache, const struct chunk_id *id);

#endif
