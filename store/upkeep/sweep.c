/*
 * Removes the records of chunks that nothing refers to and nothing stands on.
 *
 * Deep ones first: when one turns out to be pinned, what it stands on has not been removed yet and is kept.
 * (A record's depth is never less than one more than that of any of its bases.)
 */
#include <errno.h>
#include <stdlib.h>

#include "store/upkeep/gc.h"

#define CLAIM_BATCH 1024u
#define LEVELS (CHUNK_DEPTH_MAX + 1)

struct survey {
	struct gc *gc;
	uint64_t unmarked[LEVELS];
};

static unsigned level_of(const struct chunk_record *record)
{
	return record->depth < LEVELS ? record->depth : LEVELS - 1;
}

static int keep_bases(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct survey *survey = ctx;

	return gc_is_live(survey->gc, id) ? gc_keep_chain(survey->gc, id, record) : 0;
}

static int count_unmarked(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct survey *survey = ctx;

	if (!marks_find(&survey->gc->marks, id))
		survey->unmarked[level_of(record)]++;
	return 0;
}

struct sweep {
	struct gc *gc;
	struct kv_batch *batch;
	unsigned level;
	uint64_t total, done;
	struct {
		struct chunk_id id;
		struct chunk_record record;
	} claim[CLAIM_BATCH];
	size_t count;
};

static int remove_claimed(struct sweep *sweep)
{
	struct chunks *chunks = sweep->gc->parts->chunks;
	int rc = 0;

	kv_batch_clear(sweep->batch);
	kv_batch_frees(sweep->batch);
	for (size_t i = 0; !rc && i < sweep->count; i++) {
		if (chunks_gc_claim(chunks, &sweep->claim[i].id))
			chunks_delete(chunks, sweep->batch, &sweep->claim[i].id);
		else
			rc = gc_keep_chain(sweep->gc, &sweep->claim[i].id, &sweep->claim[i].record);
	}
	if (!rc && kv_batch_count(sweep->batch))
		rc = kv_write(sweep->gc->parts->kv, sweep->batch, false);
	chunks_gc_settle(chunks);
	if (rc)
		return rc;
	sweep->gc->result->chunks_removed += kv_batch_count(sweep->batch);
	sweep->done += sweep->count;
	sweep->count = 0;
	return gc_step(sweep->gc, "remove", (double)sweep->done / (double)(sweep->total + 1));
}

static int sweep_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct sweep *sweep = ctx;

	if (level_of(record) != sweep->level || marks_find(&sweep->gc->marks, id))
		return 0;
	sweep->claim[sweep->count].id = *id;
	sweep->claim[sweep->count++].record = *record;
	return sweep->count == CLAIM_BATCH ? remove_claimed(sweep) : 0;
}

static int sweep_levels(struct sweep *sweep, const struct survey *survey)
{
	int rc = 0;

	for (unsigned level = LEVELS; !rc && level-- > 0;) {
		if (!survey->unmarked[level])
			continue;
		sweep->level = level;
		sweep->count = 0;
		rc = chunks_each(sweep->gc->parts->chunks, sweep_chunk, sweep);
		if (!rc && sweep->count)
			rc = remove_claimed(sweep);
	}
	return rc;
}

int gc_sweep(struct gc *gc)
{
	struct survey survey = {.gc = gc};
	struct sweep *sweep = calloc(1, sizeof *sweep);
	int rc = -ENOMEM;

	if (!sweep)
		return rc;
	sweep->gc = gc;
	sweep->batch = kv_batch_new();
	if (!sweep->batch)
		goto out;
	rc = gc_step(gc, "remove", 0);
	if (!rc)
		rc = chunks_each(gc->parts->chunks, keep_bases, &survey);
	if (!rc)
		rc = chunks_each(gc->parts->chunks, count_unmarked, &survey);
	for (unsigned i = 0; i < LEVELS; i++)
		sweep->total += survey.unmarked[i];
	if (!rc)
		rc = sweep_levels(sweep, &survey);
	/* Packs go only when nothing can come back that refers to them. */
	if (!rc)
		rc = kv_sync(gc->parts->kv);
out:
	kv_batch_free(sweep->batch);
	free(sweep);
	return rc;
}
