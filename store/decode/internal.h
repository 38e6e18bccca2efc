/*
 * What the files of store/decode share. Nobody else includes this.
 */
#ifndef MITHRIL_STORE_DECODE_INTERNAL_H
#define MITHRIL_STORE_DECODE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/codec/codec.h"
#include "store/decode/ahead.h"
#include "store/decode/cache.h"
#include "store/decode/decode.h"

/* What one thread needs to decode. */
struct workspace {
	struct codec_workspace *codec;
	uint8_t *payload; /* FRAME_PAYLOAD_MAX bytes */
	struct workspace *next;
};

struct decoder {
	struct chunks *chunks;
	struct packs *packs;
	struct recipes *recipes;
	struct cache *cache;
	struct ahead *ahead;
	size_t window_max; /* bytes that one stream may be ahead of its reader */

	pthread_mutex_t lock; /* protects the pool */
	struct workspace *pool;
	unsigned pooled, pool_max;

	_Atomic uint64_t chunks_decoded, raw_bytes, cache_hits, failures;
};

struct workspace *workspace_take(struct decoder *decoder);
void workspace_give(struct decoder *decoder, struct workspace *ws);

/*
 * Fills the loading entry `top`: reads the frames down to one that stands alone or to a base that is cached,
 * and decodes upwards, leaving the bases in the cache. `top` stays the caller's to publish or to fail.
 * -EAGAIN garbage collection has moved what was looked for, as the index says by now: try again; -ENOENT no
 * such chunk; -EBADMSG, -EIO (logged); -ENOMEM.
 */
int chain_load(struct decoder *decoder, struct chunk_data *top);

#endif
