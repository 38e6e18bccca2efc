/*
 * Moves what lives out of packs that are mostly dead, and removes those.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "store/upkeep/gc.h"
#include "store/util/array.h"
#include "store/util/log.h"

#define SMALL_PACK (PACK_TARGET / 16)
#define SMALL_PACKS_MAX 8u /* more of them are put together */
#define MOVE_BATCH 4096u

struct pack_use {
	uint64_t id, size;
	uint64_t live_bytes, live_frames;
};

struct pack_uses {
	struct pack_use *list; /* by id */
	size_t count;
};

struct live_frame {
	struct chunk_id id;
	struct frame_place place;
};

struct repack {
	struct gc *gc;
	struct kv_batch *batch;
	/* of the pack at hand */
	struct live_frame *frames;
	size_t count, capacity;
	bool in_flight;
};

static struct pack_use *use_of(struct pack_uses *uses, uint64_t id)
{
	size_t low = 0, high = uses->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (uses->list[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < uses->count && uses->list[low].id == id ? &uses->list[low] : NULL;
}

static int count_use(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct pack_use *use = use_of(ctx, record->place.pack);

	(void)id;
	if (use) {
		use->live_bytes += frame_span(&record->place);
		use->live_frames++;
	}
	return 0;
}

/* The sealed packs and what lives in them. */
static int survey(const struct parts *parts, struct pack_uses *uses)
{
	uint64_t *ids = NULL, append;
	size_t count;
	int rc = packs_seal(parts->packs);

	if (!rc)
		rc = packs_list(parts->packs, &ids, &count, &append);
	if (rc)
		return rc;
	uses->list = calloc(count ? count : 1, sizeof *uses->list);
	if (!uses->list)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < count; i++) {
		struct pack_use *use = &uses->list[uses->count];

		if (ids[i] == append)
			continue;
		use->id = ids[i];
		rc = packs_size(parts->packs, ids[i], &use->size);
		uses->count++;
	}
	free(ids);
	return rc ? rc : chunks_each(parts->chunks, count_use, uses);
}

static bool is_dead(const struct pack_use *use, unsigned percent)
{
	uint64_t taken = PACK_HEADER_SIZE + use->live_bytes;
	uint64_t dead = use->size > taken ? use->size - taken : 0;

	/* The end of a file is rounded up to a block. */
	return !use->live_frames || (dead > 4096 && dead * 100 >= use->size * percent);
}

static int by_live_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct pack_use *)a)->live_bytes, y = ((const struct pack_use *)b)->live_bytes;

	return (x > y) - (x < y);
}

/* Leaves only the packs to rewrite, those that give most for least first, so that a full disk gets room. */
static void choose(struct pack_uses *uses, unsigned percent)
{
	size_t small = 0, kept = 0;

	for (size_t i = 0; i < uses->count; i++)
		small += !is_dead(&uses->list[i], percent) && uses->list[i].size < SMALL_PACK;
	for (size_t i = 0; i < uses->count; i++) {
		const struct pack_use *use = &uses->list[i];

		if (is_dead(use, percent) || (small > SMALL_PACKS_MAX && use->size < SMALL_PACK))
			uses->list[kept++] = *use;
	}
	uses->count = kept;
	qsort(uses->list, uses->count, sizeof *uses->list, by_live_bytes);
}

static bool same_place(const struct frame_place *a, const struct frame_place *b)
{
	return a->pack == b->pack && a->offset == b->offset && a->payload_len == b->payload_len &&
	       a->bases == b->bases;
}

static int sort_frame(void *ctx, const struct frame *frame, const struct frame_place *place)
{
	struct repack *repack = ctx;
	struct chunk_record record, announced;
	struct live_frame *frames;
	int rc = chunks_get(repack->gc->parts->chunks, &frame->id, &record);

	if (rc == -ENOENT) {
		/* Dead; or about to be announced, and then it is pinned. */
		repack->in_flight |= chunks_gc_pinned(repack->gc->parts->chunks, &frame->id);
		return 0;
	}
	if (rc)
		return rc;
	/* Its record may still be put, with this place, by an encoder that shares it. */
	repack->in_flight |= chunks_announced(repack->gc->parts->chunks, &frame->id, &announced);
	if (!same_place(&record.place, place))
		return 0;
	frames = array_grow(repack->frames, repack->count, &repack->capacity, sizeof *frames);
	if (!frames)
		return -ENOMEM;
	repack->frames = frames;
	frames[repack->count++] = (struct live_frame){frame->id, *place};
	return 0;
}

static int commit(struct repack *repack)
{
	const struct parts *parts = repack->gc->parts;
	int rc = 0;

	if (kv_batch_count(repack->batch)) {
		kv_batch_frees(repack->batch); /* a pack goes after it */
		rc = packs_sync(parts->packs);
		if (!rc)
			rc = kv_write(parts->kv, repack->batch, true);
	}
	if (!rc)
		repack->gc->result->frames_moved += kv_batch_count(repack->batch);
	kv_batch_clear(repack->batch);
	return rc;
}

/* A frame that cannot be read stays where it is, and its pack with it: -EBADMSG at the end. */
static int move_frames(struct repack *repack)
{
	const struct parts *parts = repack->gc->parts;
	int rc = 0, damage = 0;

	kv_batch_clear(repack->batch);
	for (size_t i = 0; !rc && i < repack->count; i++) {
		const struct live_frame *live = &repack->frames[i];
		struct chunk_record record;

		/* Only this thread moves and removes: what the scan saw is still so. */
		rc = chunks_get(parts->chunks, &live->id, &record);
		if (!rc)
			rc = packs_move(parts->packs, &live->place, &record.place);
		if (rc == -EBADMSG || rc == -EPROTONOSUPPORT) {
			damage = rc;
			rc = 0;
			continue;
		}
		if (!rc)
			chunks_put(parts->chunks, repack->batch, &live->id, &record);
		if (!rc && kv_batch_count(repack->batch) >= MOVE_BATCH)
			rc = commit(repack);
	}
	if (!rc)
		rc = commit(repack);
	return rc ? rc : damage;
}

static int rewrite(struct repack *repack, const struct pack_use *use)
{
	const struct parts *parts = repack->gc->parts;
	int rc;

	repack->count = 0;
	repack->in_flight = false;
	rc = packs_scan(parts->packs, use->id, sort_frame, repack, NULL);
	if (rc || repack->in_flight)
		return rc;
	if (repack->count < use->live_frames) {
		log_warning("gc: pack %016" PRIx64 " is damaged and is left as it is; run fsck", use->id);
		return 0;
	}
	rc = move_frames(repack);
	if (!rc)
		rc = packs_remove(parts->packs, use->id);
	if (!rc)
		repack->gc->result->packs_removed++;
	return rc;
}

/* Where there is no room to move what lives, what is dead is given back in its place. The frames are still
 * those of the last scan, in the order of their offsets. */
static int punch(struct repack *repack, const struct pack_use *use)
{
	struct packs *packs = repack->gc->parts->packs;
	uint64_t from = PACK_HEADER_SIZE;
	int rc = 0;

	for (size_t i = 0; !rc && i < repack->count; i++) {
		const struct frame_place *live = &repack->frames[i].place;

		rc = packs_punch(packs, use->id, from, live->offset);
		from = live->offset + frame_span(live);
	}
	return rc ? rc : packs_punch(packs, use->id, from, UINT64_MAX);
}

static int rewrite_all(struct repack *repack, const struct pack_uses *uses)
{
	int rc = gc_step(repack->gc, "move", 0);

	for (size_t i = 0; !rc && i < uses->count; i++) {
		rc = rewrite(repack, &uses->list[i]);
		if (rc == -ENOSPC)
			rc = punch(repack, &uses->list[i]);
		if (rc == -EBADMSG || rc == -EPROTONOSUPPORT) {
			log_warning("gc: pack %016" PRIx64 " cannot be read and is left as it is; run fsck",
				uses->list[i].id);
			rc = 0;
		}
		if (!rc)
			rc = gc_step(repack->gc, "move", (double)(i + 1) / (double)uses->count);
	}
	return rc;
}

int gc_repack(struct gc *gc)
{
	struct repack repack = {.gc = gc, .batch = kv_batch_new()};
	struct pack_uses uses = {0};
	int rc = repack.batch ? survey(gc->parts, &uses) : -ENOMEM;

	if (!rc) {
		choose(&uses, gc->dead_percent);
		rc = rewrite_all(&repack, &uses);
	}
	free(uses.list);
	free(repack.frames);
	kv_batch_free(repack.batch);
	return rc;
}
