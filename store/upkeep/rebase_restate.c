#include "store/upkeep/rebase.h"

/* What stands on a changed chunk has another chain now; what stands on that has, too. */
struct restate {
	struct rebase *r;
	uint64_t changes;
};

static int restate_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct restate *restate = ctx;
	struct rebase *r = restate->r;
	struct chunk_record now = *record, bases[FRAME_BASES_MAX];
	bool changed = false;
	int rc;

	for (uint32_t i = 0; i < record->bases.count; i++)
		changed |= marks_find(&r->changed, &record->bases.id[i]) != NULL;
	for (uint32_t i = 0; changed && i < record->bases.count; i++) {
		if (chunks_get(r->gc->parts->chunks, &record->bases.id[i], &bases[i]))
			return 0;
	}
	if (!changed || !chunks_stand(r->gc->parts->chunks, &now, bases))
		return 0;
	if (now.depth == record->depth && now.frames == record->frames &&
		now.chain_bytes == record->chain_bytes)
		return 0;
	chunks_put(r->gc->parts->chunks, r->batch, id, &now);
	restate->changes++;
	rc = marks_add(&r->changed, id, MARK_BASE, MARK_NOWHERE);
	if (rc < 0)
		return rc;
	if (kv_batch_count(r->batch) < 4096)
		return 0;
	rc = kv_write(r->gc->parts->kv, r->batch, false);
	kv_batch_clear(r->batch);
	return rc;
}

int rebase_restate(struct rebase *r)
{
	struct restate restate = {r, r->changed.count};
	int rc = 0;

	/* A level of the chains each time; what was changed is written before the next. */
	for (unsigned n = 0; !rc && n < CHUNK_DEPTH_MAX && restate.changes; n++) {
		restate.changes = 0;
		kv_batch_clear(r->batch);
		rc = chunks_each(r->gc->parts->chunks, restate_chunk, &restate);
		if (!rc && kv_batch_count(r->batch))
			rc = kv_write(r->gc->parts->kv, r->batch, false);
	}
	return rc;
}
