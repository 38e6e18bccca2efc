#include <errno.h>
#include <string.h>

#include "store/decode/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

/* One chunk that is needed: loading and ours, or ready and held. */
struct node {
	struct chunk_data *data;
	struct chunk_record record; /* of a loading one */
	unsigned bases[FRAME_BASES_MAX], base_count, next_base;
	unsigned
		height; /* frames on the longest way down, as far as they are loaded here; 0: not known yet */
	unsigned users; /* nodes that stand on it and are not decoded yet */
	bool loading;
};

/* What is wanted, [0], and all below it down to what is cached: each once. */
struct chain {
	struct decoder *decoder;
	struct workspace *ws;
	unsigned count, order_count, depth;
	struct node nodes[CHUNK_FRAMES_MAX];
	unsigned order[CHUNK_FRAMES_MAX]; /* loading ones, bases first */
	unsigned path[CHUNK_DEPTH_MAX];	  /* from [0] down to where the walk is */
};

static int damaged(const struct node *node, int error, const char *why)
{
	log_error("pack %016llx offset %u: chunk %016llx...: %s", (unsigned long long)node->record.place.pack,
		node->record.place.offset, (unsigned long long)get_be64(node->data->id.b), why);
	return error == -EPROTONOSUPPORT ? -EBADMSG : error;
}

/* Whether garbage collection gave the chunk another place or base since its record was read here, or removed
 * it from below what now stands on another. */
static bool has_changed(const struct chain *chain, const struct node *node)
{
	const struct chunk_record *was = &node->record;
	struct chunk_record now;

	return chunks_get(chain->decoder->chunks, &node->data->id, &now) ||
	       now.place.pack != was->place.pack || now.place.offset != was->place.offset;
}

/* A record could not be had. Of a base it means damage to what stands on it. */
static int no_record(const struct chain *chain, int error)
{
	const struct chunk_data *data = chain->nodes[chain->path[chain->depth - 1]].data;
	const struct node *above = chain->depth > 1 ? &chain->nodes[chain->path[chain->depth - 2]] : NULL;

	if (!above && error == -ENOENT)
		return error;
	if (above && error == -ENOENT && has_changed(chain, above))
		return -EAGAIN;
	if (above && error == -ENOENT)
		return damaged(above, -EBADMSG, "its base is not in the index");
	log_error("chunk %016llx...: %s", (unsigned long long)get_be64(data->id.b),
		error == -EBADMSG ? "damaged record" : strerror(-error));
	return error;
}

/* Enters a node at the end of the path and reads its record. */
static int enter(struct chain *chain, unsigned at)
{
	struct node *node = &chain->nodes[at];
	int rc;

	chain->path[chain->depth++] = at;
	rc = chunks_get(chain->decoder->chunks, &node->data->id, &node->record);
	if (rc)
		return no_record(chain, rc);
	if (!codec_needs_base((enum codec)node->record.codec))
		return 0;
	node->base_count = node->record.bases.count;
	return node->base_count ? 0 : damaged(node, -EBADMSG, "a delta without a base");
}

static int find(const struct chain *chain, const struct chunk_id *id, unsigned *at)
{
	for (*at = 0; *at < chain->count; ++*at) {
		if (chunk_id_equal(&chain->nodes[*at].data->id, id))
			return 1;
	}
	return 0;
}

/* A node for a base that was not met before: ready from the cache, or loading. */
static int add(struct chain *chain, const struct node *above, const struct chunk_id *id)
{
	struct node *node = &chain->nodes[chain->count];
	struct chunk_data *data = NULL;
	int rc;

	if (chain->count == CHUNK_FRAMES_MAX)
		return damaged(above, -EBADMSG, "too many bases below it");
	rc = cache_acquire(chain->decoder->cache, id, false, &data);
	/* Not to wait for another thread's is what keeps chains with a loop between them from a deadlock. */
	if (rc == CACHE_BUSY)
		data = cache_private(id);
	if (rc < 0 || !data)
		return -ENOMEM;
	*node = (struct node){.data = data, .loading = rc != CACHE_READY};
	chain->count++;
	return 0;
}

/* Takes the next base of the last node of the path: as a node that is done, or as the path's next. */
static int step_down(struct chain *chain, struct node *node)
{
	const struct chunk_id *id = &node->record.bases.id[node->next_base];
	unsigned at;
	int rc = find(chain, id, &at) ? 0 : add(chain, node, id);

	if (rc)
		return rc;
	struct node *base = &chain->nodes[at];
	if (!base->loading || base->height) {
		node->bases[node->next_base++] = at;
		base->users++;
		return 0;
	}
	if (base->base_count)
		return damaged(node, -EBADMSG, "stands on itself");
	if (chain->depth == CHUNK_DEPTH_MAX)
		return damaged(node, -EBADMSG, "too many bases below it");
	return enter(chain, at);
}

/* All bases of the last node of the path are known. */
static int leave(struct chain *chain, struct node *node)
{
	unsigned height = 0;

	for (unsigned i = 0; i < node->base_count; i++) {
		unsigned below = chain->nodes[node->bases[i]].height;
		height = below > height ? below : height;
	}
	node->height = height + 1;
	if (node->height > CHUNK_DEPTH_MAX)
		return damaged(node, -EBADMSG, "too many bases below it");
	chain->order[chain->order_count++] = chain->path[--chain->depth];
	return 0;
}

/* Depth first, so that each node comes into the order after its bases. What is on the path has bases and no
 * height: to meet it again is a loop. */
static int walk_down(struct chain *chain)
{
	int rc = enter(chain, 0);

	while (!rc && chain->depth) {
		struct node *node = &chain->nodes[chain->path[chain->depth - 1]];
		rc = node->next_base < node->base_count ? step_down(chain, node) : leave(chain, node);
	}
	return rc;
}

static int decode_frame(struct chain *chain, struct node *node, const struct frame *frame)
{
	struct codec_bases bases = {.count = node->base_count};
	struct chunk_data *data = node->data;
	struct chunk_id id;
	int rc = cache_allocate(chain->decoder->cache, data, frame->raw_len);

	if (rc)
		return rc;
	for (unsigned i = 0; i < bases.count; i++) {
		const struct chunk_data *base = chain->nodes[node->bases[i]].data;
		bases.at[i] = (struct codec_base){base->bytes, base->len};
	}
	rc = codec_decode(chain->ws->codec, data->bytes, data->len, chain->ws->payload, frame->payload_len,
		(enum codec)frame->codec, frame->codec_version, (enum dtype)frame->dtype, &bases);
	if (rc)
		return damaged(
			node, rc, rc == -EPROTONOSUPPORT ? "unknown codec" : "payload does not decode");
	id = chunk_id_of(chunks_seed(chain->decoder->chunks), frame->salt, data->bytes, data->len);
	if (!chunk_id_equal(&id, &data->id))
		return damaged(node, -EBADMSG, "decodes to other bytes");
	atomic_fetch_add_explicit(&chain->decoder->chunks_decoded, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&chain->decoder->raw_bytes, data->len, memory_order_relaxed);
	return 0;
}

static int load_node(struct chain *chain, struct node *node)
{
	const struct chunk_record *record = &node->record;
	struct frame frame;
	int rc = packs_read(chain->decoder->packs, &record->place, &node->data->id, &frame,
		chain->ws->payload, FRAME_PAYLOAD_MAX);

	if ((rc == -ENOENT || rc == -EBADMSG) && has_changed(chain, node))
		return -EAGAIN;
	if (rc == -ENOENT)
		return damaged(node, -EBADMSG, "no such pack");
	if (rc)
		return damaged(node, rc, rc == -EBADMSG ? "damaged frame" : strerror(-rc));
	if (frame.raw_len != record->raw_len || frame.codec != record->codec ||
		!chunk_bases_equal(&frame.bases, &record->bases))
		return damaged(node, -EBADMSG, "frame and record differ");
	return decode_frame(chain, node, &frame);
}

/* Nothing below is wanted for it any more; what has no users left is let go. */
static void drop_bases(struct chain *chain, const struct node *node)
{
	for (unsigned i = 0; i < node->base_count; i++) {
		struct node *base = &chain->nodes[node->bases[i]];
		if (--base->users)
			continue;
		cache_release(chain->decoder->cache, base->data, true);
		base->data = NULL;
	}
}

/* Decodes in order; each but the last, which is what is wanted, is published and held until those that stand
 * on it are decoded. */
static int build_up(struct chain *chain)
{
	for (unsigned i = 0; i < chain->order_count; i++) {
		struct node *node = &chain->nodes[chain->order[i]];
		int rc = load_node(chain, node);
		if (rc)
			return rc;
		drop_bases(chain, node);
		if (node->users) {
			cache_publish(chain->decoder->cache, node->data);
			node->loading = false;
		}
	}
	return 0;
}

int chain_load(struct decoder *decoder, struct chunk_data *top)
{
	struct chain chain = {.decoder = decoder, .count = 1};
	int rc;

	chain.nodes[0] = (struct node){.data = top, .loading = true};
	rc = walk_down(&chain);
	if (!rc) {
		chain.ws = workspace_take(decoder);
		rc = chain.ws ? build_up(&chain) : -ENOMEM;
		workspace_give(decoder, chain.ws);
	}
	for (unsigned i = 1; i < chain.count; i++) {
		struct node *node = &chain.nodes[i];
		if (node->data && node->loading)
			cache_fail(decoder->cache, node->data, rc);
		else if (node->data)
			cache_release(decoder->cache, node->data, true);
	}
	return rc;
}
