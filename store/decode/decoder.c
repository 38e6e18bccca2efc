#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/decode/internal.h"
#include "store/util/processors.h"

#define CACHE_DEFAULT (128u << 20)
#define WINDOW_MAX (8u << 20)
#define THREADS_DEFAULT_MAX 8

static void workspace_free(struct workspace *ws)
{
	if (!ws)
		return;
	codec_workspace_free(ws->codec);
	free(ws->payload);
	free(ws);
}

static struct workspace *workspace_new(void)
{
	struct workspace *ws = calloc(1, sizeof *ws);

	if (!ws)
		return NULL;
	ws->codec = codec_workspace_new();
	ws->payload = malloc(FRAME_PAYLOAD_MAX);
	if (ws->codec && ws->payload)
		return ws;
	workspace_free(ws);
	return NULL;
}

struct workspace *workspace_take(struct decoder *decoder)
{
	struct workspace *ws;

	pthread_mutex_lock(&decoder->lock);
	ws = decoder->pool;
	if (ws) {
		decoder->pool = ws->next;
		decoder->pooled--;
	}
	pthread_mutex_unlock(&decoder->lock);
	return ws ? ws : workspace_new();
}

void workspace_give(struct decoder *decoder, struct workspace *ws)
{
	if (!ws)
		return;
	pthread_mutex_lock(&decoder->lock);
	if (decoder->pooled < decoder->pool_max) {
		ws->next = decoder->pool;
		decoder->pool = ws;
		decoder->pooled++;
		ws = NULL;
	}
	pthread_mutex_unlock(&decoder->lock);
	workspace_free(ws);
}

static void decode_ahead(void *ctx, const struct chunk_id *id)
{
	struct decoder *decoder = ctx;
	struct chunk_data *data;

	if (!cache_has(decoder->cache, id) && !decode_chunk(decoder, id, &data))
		decode_release(decoder, data);
}

int decoder_open(struct chunks *chunks, struct packs *packs, struct recipes *recipes, size_t cache_bytes,
	unsigned read_ahead, struct decoder **out)
{
	struct decoder *decoder = calloc(1, sizeof *decoder);
	unsigned processors = processors_count();
	int rc = -ENOMEM;

	if (!decoder)
		return rc;
	if (!cache_bytes)
		cache_bytes = CACHE_DEFAULT;
	if (!read_ahead)
		read_ahead = processors < THREADS_DEFAULT_MAX ? processors : THREADS_DEFAULT_MAX;
	pthread_mutex_init(&decoder->lock, NULL);
	decoder->chunks = chunks;
	decoder->packs = packs;
	decoder->recipes = recipes;
	decoder->pool_max = 2 * processors + read_ahead;
	decoder->window_max = cache_bytes / 4 < WINDOW_MAX ? cache_bytes / 4 : WINDOW_MAX;
	decoder->cache = cache_new(cache_bytes);
	if (decoder->cache)
		rc = ahead_start(read_ahead, decode_ahead, decoder, &decoder->ahead);
	if (rc) {
		decoder_close(decoder);
		return rc;
	}
	*out = decoder;
	return 0;
}

void decoder_close(struct decoder *decoder)
{
	if (!decoder)
		return;
	ahead_stop(decoder->ahead);
	cache_free(decoder->cache);
	while (decoder->pool) {
		struct workspace *ws = decoder->pool;
		decoder->pool = ws->next;
		workspace_free(ws);
	}
	pthread_mutex_destroy(&decoder->lock);
	free(decoder);
}

/* Garbage collection moves frames and then removes their pack; the index has the new place by then. Each
 * further try is for a record that has changed since the last, so without it there is one try. */
static int load(struct decoder *decoder, struct chunk_data *data)
{
	int rc;

	do {
		rc = chain_load(decoder, data);
	} while (rc == -EAGAIN);
	return rc;
}

int decode_chunk(struct decoder *decoder, const struct chunk_id *id, struct chunk_data **out)
{
	struct chunk_data *data = NULL;
	int rc;

	do {
		rc = cache_acquire(decoder->cache, id, true, &data);
	} while (rc == -EAGAIN);
	if (rc < 0)
		return rc;
	if (rc == CACHE_READY) {
		atomic_fetch_add_explicit(&decoder->cache_hits, 1, memory_order_relaxed);
		*out = data;
		return 0;
	}
	rc = load(decoder, data);
	if (rc) {
		atomic_fetch_add_explicit(&decoder->failures, 1, memory_order_relaxed);
		cache_fail(decoder->cache, data, rc);
		return rc;
	}
	cache_publish(decoder->cache, data);
	*out = data;
	return 0;
}

const void *chunk_data_bytes(const struct chunk_data *data, size_t *len)
{
	*len = data->len;
	return data->bytes;
}

void decode_release(struct decoder *decoder, struct chunk_data *data)
{
	if (data)
		cache_release(decoder->cache, data, false);
}

void decoder_counts(struct decoder *decoder, struct decoder_counts *out)
{
	out->chunks_decoded = atomic_load_explicit(&decoder->chunks_decoded, memory_order_relaxed);
	out->raw_bytes = atomic_load_explicit(&decoder->raw_bytes, memory_order_relaxed);
	out->cache_hits = atomic_load_explicit(&decoder->cache_hits, memory_order_relaxed);
	out->failures = atomic_load_explicit(&decoder->failures, memory_order_relaxed);
}
