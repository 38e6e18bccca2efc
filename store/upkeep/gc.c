#include "store/upkeep/gc.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/array.h"
#include "store/util/log.h"

#define PURGE_BATCH (4u << 20) /* bytes */
#define MARK_STEP 4096u
#define DEAD_PERCENT 5u

int gc_step(const struct gc *gc, const char *phase, double share)
{
	return gc->progress && gc->progress(gc->ctx, phase, share) ? -EINTR : 0;
}

bool gc_is_live(const struct gc *gc, const struct chunk_id *id)
{
	const struct mark *mark = marks_find(&gc->marks, id);

	return mark && mark->recipe != MARK_BASE;
}

/* Bases that were marked and whose own are not yet. */
struct unclimbed {
	struct chunk_id *ids;
	size_t count, capacity;
};

/* Marks what a record stands on. What was marked before is climbed from there. */
static int mark_bases(struct gc *gc, const struct chunk_bases *bases, struct unclimbed *list)
{
	for (uint32_t i = 0; i < bases->count; i++) {
		int rc = marks_add(&gc->marks, &bases->id[i], MARK_BASE, MARK_NOWHERE);

		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		struct chunk_id *ids = array_grow(list->ids, list->count, &list->capacity, sizeof *ids);

		if (!ids)
			return -ENOMEM;
		list->ids = ids;
		ids[list->count++] = bases->id[i];
	}
	return 0;
}

int gc_keep_chain(struct gc *gc, const struct chunk_id *id, const struct chunk_record *record)
{
	struct unclimbed list = {0};
	int rc = mark_bases(gc, &record->bases, &list);

	while (!rc && list.count) {
		struct chunk_id base = list.ids[--list.count];
		struct chunk_record below;

		rc = chunks_get(gc->parts->chunks, &base, &below);
		if (!rc) {
			rc = mark_bases(gc, &below.bases, &list);
		} else if (rc == -ENOENT || rc == -EBADMSG) {
			log_warning("gc: a base of chunk %02x%02x%02x%02x... is missing or damaged; run fsck",
				id->b[0], id->b[1], id->b[2], id->b[3]);
			rc = 0;
		}
	}
	free(list.ids);
	return rc;
}

struct dead_list {
	uint64_t *recipes;
	size_t count, capacity;
};

static int note_dead(void *ctx, uint64_t recipe)
{
	struct dead_list *list = ctx;
	uint64_t *recipes = array_grow(list->recipes, list->count, &list->capacity, sizeof *recipes);

	if (!recipes)
		return -ENOMEM;
	list->recipes = recipes;
	recipes[list->count++] = recipe;
	return 0;
}

int gc_purge(struct gc *gc)
{
	struct kv_batch *batch = kv_batch_new();
	struct dead_list dead = {0};
	int rc = batch ? recipes_each_dead(gc->parts->recipes, note_dead, &dead) : -ENOMEM;

	for (size_t i = 0; !rc && i < dead.count; i++) {
		kv_batch_frees(batch);
		rc = recipes_purge(gc->parts->recipes, batch, dead.recipes[i]);
		if (!rc && (kv_batch_bytes(batch) > PURGE_BATCH || i + 1 == dead.count)) {
			rc = kv_write(gc->parts->kv, batch, false);
			kv_batch_clear(batch);
			if (!rc)
				rc = gc_step(gc, "purge", (double)(i + 1) / (double)dead.count);
		}
	}
	if (!rc)
		gc->result->recipes_purged = dead.count;
	free(dead.recipes);
	kv_batch_free(batch);
	return rc;
}

struct marking {
	struct gc *gc;
	uint64_t seen, estimate;
};

static int mark_extent(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct marking *marking = ctx;
	int rc;

	if (chunk_id_is_zero(&extent->chunk))
		return 0;
	rc = marks_add(
		&marking->gc->marks, &extent->chunk, recipe, extent->chunk_off ? MARK_NOWHERE : extent->off);
	if (rc >= 0)
		rc = gc_note_part(marking->gc, extent);
	if (rc < 0)
		return rc;
	if (++marking->seen % MARK_STEP)
		return 0;
	/* Files share chunks, so there is no telling how many extents there are. */
	return gc_step(
		marking->gc, "mark", (double)marking->seen / (double)(marking->seen + marking->estimate));
}

int gc_mark(struct gc *gc)
{
	struct marking marking = {gc, 0, kv_estimate_keys(gc->parts->kv, KV_CHUNKS)};
	int rc = recipes_each_extent(gc->parts->recipes, mark_extent, &marking);

	return rc ? rc : gc_step(gc, "mark", 1);
}

static int shrink_index(struct gc *gc)
{
	uint64_t gone = gc->result->chunks_removed + gc->result->recipes_purged;
	uint64_t left = kv_estimate_keys(gc->parts->kv, KV_CHUNKS);
	int rc = gc_step(gc, "compact", 0);

	if (!rc && gone)
		rc = kv_flush(gc->parts->kv, gone >= left / 20);
	/* What it would give back is little, and RocksDB comes to it by itself. */
	if (rc == -ENOSPC)
		rc = 0;
	return rc ? rc : gc_step(gc, "compact", 1);
}

static int run_phases(struct gc *gc)
{
	int rc = gc_purge(gc);

	if (!rc)
		rc = gc_mark(gc);
	if (!rc)
		rc = gc_rebase(gc);
	if (!rc)
		rc = gc_sweep(gc);
	if (!rc)
		rc = gc_repack(gc);
	if (!rc)
		rc = gc_thin(gc);
	if (!rc)
		rc = shrink_index(gc);
	return rc;
}

int gc_run(const struct parts *parts, unsigned dead_percent,
	int (*progress)(void *ctx, const char *phase, double share), void *ctx, struct gc_result *result)
{
	struct gc gc = {.parts = parts,
		.dead_percent = dead_percent ? dead_percent : DEAD_PERCENT,
		.progress = progress,
		.ctx = ctx,
		.result = result};
	int rc;

	*result = (struct gc_result){.bytes_before = packs_bytes(parts->packs)};
	/* What was just encoded and deleted again is not kept for its pins. */
	if (parts->encoder)
		encoder_settle(parts->encoder);
	/* Before the walk over the recipes: what it does not see was pinned after this. */
	rc = chunks_gc_begin(parts->chunks);
	if (rc)
		return rc;
	rc = run_phases(&gc);
	chunks_gc_end(parts->chunks);
	marks_release(&gc.marks);
	numbers_release(&gc.live);
	result->bytes_after = packs_bytes(parts->packs);
	return rc;
}
