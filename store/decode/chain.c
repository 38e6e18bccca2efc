#include <errno.h>
#include <string.h>

#include "store/decode/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

struct link {
	struct chunk_data *data; /* loading, ours */
	struct chunk_record record;
};

struct chain {
	struct decoder *decoder;
	struct workspace *ws;
	bool last_try;
	unsigned depth;
	struct link links[CHUNK_DEPTH_MAX]; /* [0] is what is wanted, each stands on the next */
	struct chunk_data *base;	    /* ready and held: what the last link stands on; NULL: nothing */
};

static int damaged(const struct link *link, int error, const char *why)
{
	log_error("pack %016llx offset %u: chunk %016llx...: %s", (unsigned long long)link->record.place.pack,
		link->record.place.offset, (unsigned long long)get_be64(link->data->id.b), why);
	return error == -EPROTONOSUPPORT ? -EBADMSG : error;
}

/* Whether garbage collection gave the chunk another place or base since its record was read here, or removed
 * it from below what now stands on another. */
static bool has_changed(const struct chain *chain, const struct link *link)
{
	const struct chunk_record *was = &link->record;
	struct chunk_record now;

	return chunks_get(chain->decoder->chunks, &link->data->id, &now) ||
	       now.place.pack != was->place.pack || now.place.offset != was->place.offset;
}

/* A record could not be had. Of a base it means damage to what stands on it. */
static int no_record(const struct chain *chain, int error)
{
	const struct chunk_data *data = chain->links[chain->depth - 1].data;
	const struct link *above = chain->depth > 1 ? &chain->links[chain->depth - 2] : NULL;

	if (!above && error == -ENOENT)
		return error;
	if (above && error == -ENOENT && !chain->last_try && has_changed(chain, above))
		return -EAGAIN;
	if (above && error == -ENOENT)
		return damaged(above, -EBADMSG, "its base is not in the index");
	log_error("chunk %016llx...: %s", (unsigned long long)get_be64(data->id.b),
		error == -EBADMSG ? "damaged record" : strerror(-error));
	return error;
}

static bool in_chain(const struct chain *chain, const struct chunk_id *id)
{
	for (unsigned i = 0; i < chain->depth; i++) {
		if (chunk_id_equal(&chain->links[i].data->id, id))
			return true;
	}
	return false;
}

/* Takes the base of the last link: ready from the cache, or as a new link. 1: ready, nothing more to walk. */
static int step_down(struct chain *chain)
{
	struct link *last = &chain->links[chain->depth - 1];
	const struct chunk_id *id = &last->record.base;
	struct chunk_data *data = NULL;
	int rc;

	if (chunk_id_is_zero(id))
		return damaged(last, -EBADMSG, "a delta without a base");
	if (in_chain(chain, id))
		return damaged(last, -EBADMSG, "stands on itself");
	if (chain->depth == CHUNK_DEPTH_MAX)
		return damaged(last, -EBADMSG, "too many bases below it");
	rc = cache_acquire(chain->decoder->cache, id, false, &data);
	if (rc == CACHE_READY) {
		chain->base = data;
		return 1;
	}
	/* Not to wait for another thread's is what keeps two chains with a loop between them from a deadlock.
	 */
	if (rc == CACHE_BUSY)
		data = cache_private(id);
	if (rc < 0 || !data)
		return -ENOMEM;
	chain->links[chain->depth++].data = data;
	return 0;
}

static int walk_down(struct chain *chain)
{
	int rc = 0;

	while (!rc) {
		struct link *link = &chain->links[chain->depth - 1];
		rc = chunks_get(chain->decoder->chunks, &link->data->id, &link->record);
		if (rc)
			return no_record(chain, rc);
		if (!codec_needs_base((enum codec)link->record.codec))
			return 0;
		rc = step_down(chain);
	}
	return rc < 0 ? rc : 0;
}

static int check_header(const struct link *link, const struct frame *frame)
{
	const struct chunk_record *record = &link->record;

	if (frame->raw_len != record->raw_len || frame->codec != record->codec ||
		!chunk_id_equal(&frame->base, &record->base))
		return damaged(link, -EBADMSG, "frame and record differ");
	return 0;
}

static int decode_frame(struct chain *chain, struct link *link, const struct frame *frame)
{
	const struct chunk_data *base = codec_needs_base((enum codec)frame->codec) ? chain->base : NULL;
	struct chunk_data *data = link->data;
	struct chunk_id id;
	int rc = cache_allocate(chain->decoder->cache, data, frame->raw_len);

	if (rc)
		return rc;
	rc = codec_decode(chain->ws->codec, data->bytes, data->len, chain->ws->payload, frame->payload_len,
		(enum codec)frame->codec, frame->codec_version, (enum dtype)frame->dtype,
		base ? base->bytes : NULL, base ? base->len : 0);
	if (rc)
		return damaged(
			link, rc, rc == -EPROTONOSUPPORT ? "unknown codec" : "payload does not decode");
	id = chunk_id_of(chunks_seed(chain->decoder->chunks), frame->salt, data->bytes, data->len);
	if (!chunk_id_equal(&id, &data->id))
		return damaged(link, -EBADMSG, "decodes to other bytes");
	atomic_fetch_add_explicit(&chain->decoder->chunks_decoded, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&chain->decoder->raw_bytes, data->len, memory_order_relaxed);
	return 0;
}

static int load_link(struct chain *chain, struct link *link)
{
	struct frame frame;
	int rc = packs_read(chain->decoder->packs, &link->record.place, &link->data->id, &frame,
		chain->ws->payload, FRAME_PAYLOAD_MAX);

	if (!chain->last_try && (rc == -ENOENT || (rc == -EBADMSG && has_changed(chain, link))))
		return -EAGAIN;
	if (rc == -ENOENT)
		return damaged(link, -EBADMSG, "no such pack");
	if (rc)
		return damaged(link, rc, rc == -EBADMSG ? "damaged frame" : strerror(-rc));
	rc = check_header(link, &frame);
	return rc ? rc : decode_frame(chain, link, &frame);
}

/* Decodes from the bottom; each link but the first is published and then is the base of the one above. */
static int build_up(struct chain *chain)
{
	struct cache *cache = chain->decoder->cache;
	int rc;

	while (chain->depth) {
		struct link *link = &chain->links[chain->depth - 1];
		rc = load_link(chain, link);
		if (rc)
			return rc;
		if (chain->base)
			cache_release(cache, chain->base, true);
		chain->base = NULL;
		chain->depth--;
		if (chain->depth) {
			cache_publish(cache, link->data);
			chain->base = link->data;
		}
	}
	return 0;
}

int chain_load(struct decoder *decoder, struct chunk_data *top, bool last_try)
{
	struct chain chain = {.decoder = decoder, .last_try = last_try, .depth = 1};
	int rc;

	chain.links[0].data = top;
	rc = walk_down(&chain);
	if (!rc) {
		chain.ws = workspace_take(decoder);
		rc = chain.ws ? build_up(&chain) : -ENOMEM;
		workspace_give(decoder, chain.ws);
	}
	if (chain.base)
		cache_release(decoder->cache, chain.base, true);
	while (chain.depth > 1)
		cache_fail(decoder->cache, chain.links[--chain.depth].data, rc);
	return rc;
}
