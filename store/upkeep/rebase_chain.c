#include "store/upkeep/rebase.h"

static const struct chunk_record *pending_find(const struct rebase *r, const struct chunk_id *id)
{
	for (size_t i = 0; i < r->pending_count; i++) {
		if (chunk_id_equal(&r->pending[i].id, id))
			return &r->pending[i].record;
	}
	return NULL;
}

int rebase_record(const struct rebase *r, const struct chunk_id *id, struct chunk_record *record)
{
	const struct chunk_record *pending = pending_find(r, id);

	if (!pending)
		return chunks_get(r->gc->parts->chunks, id, record);
	*record = *pending;
	return 0;
}

/* What a chunk stands on, itself too, each once. */
struct below {
	struct chunk_id ids[CHUNK_FRAMES_MAX];
	unsigned depths[CHUNK_FRAMES_MAX], count;
	uint64_t bytes;
};

/* The depth of a chunk, as it is now; 0: not all of its chain is live, or it is longer than `limit`. */
static unsigned weigh(const struct rebase *r, const struct chunk_id *id, unsigned limit, struct below *below)
{
	struct chunk_record record;
	unsigned depth = 0, at;

	for (unsigned i = 0; i < below->count; i++) {
		if (chunk_id_equal(&below->ids[i], id))
			return below->depths[i] > limit ? 0 : below->depths[i];
	}
	if (!limit || below->count == CHUNK_FRAMES_MAX || !gc_is_live(r->gc, id) ||
		rebase_record(r, id, &record))
		return 0;
	at = below->count++;
	below->ids[at] = *id;
	below->depths[at] = 0; /* a loop is no chain */
	below->bytes += record.place.payload_len;
	for (uint32_t i = 0; i < record.bases.count; i++) {
		unsigned under = weigh(r, &record.bases.id[i], limit - 1, below);

		if (!under)
			return 0;
		depth = under > depth ? under : depth;
	}
	below->depths[at] = depth + 1;
	return depth + 1;
}

bool rebase_chain(const struct rebase *r, const struct chunk_id *id, struct candidate *c)
{
	struct below below = {.count = 0};
	struct chunk_record record;

	if (rebase_record(r, id, &record))
		return false;
	c->depth = weigh(r, id, CHUNK_DEPTH_MAX - 1, &below);
	c->frames = below.count;
	c->chain_bytes = below.bytes;
	return c->depth != 0;
}
