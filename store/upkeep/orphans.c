#include "store/upkeep/orphans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

struct search {
	struct gc *gc;
	struct orphans *orphans;
};

/* 1: *root is the lowest of the dead run that begins at `base`; 0: the chain is broken. */
static int find_root(struct gc *gc, const struct chunk_id *base, struct chunk_id *root)
{
	struct chunk_id at = *base;

	for (unsigned n = 0; n < CHUNK_DEPTH_MAX; n++) {
		struct chunk_record record;
		int rc = chunks_get(gc->parts->chunks, &at, &record);

		if (rc == -ENOENT || rc == -EBADMSG)
			return 0;
		if (rc)
			return rc;
		*root = at;
		if (chunk_id_is_zero(&record.base) || gc_is_live(gc, &record.base))
			return 1;
		at = record.base;
	}
	return 0;
}

static int append(struct orphans *orphans, const struct orphan *orphan)
{
	struct orphan *list = array_grow(orphans->list, orphans->count, &orphans->capacity, sizeof *list);

	if (!list)
		return -ENOMEM;
	orphans->list = list;
	list[orphans->count++] = *orphan;
	return 0;
}

static int look_at(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct search *search = ctx;
	struct orphan orphan = {.id = *id};
	const struct mark *mark;
	int rc;

	if (chunk_id_is_zero(&record->base) || gc_is_live(search->gc, &record->base))
		return 0;
	mark = marks_find(&search->gc->marks, id);
	if (!mark || mark->recipe == MARK_BASE)
		return 0;
	orphan.recipe = mark->recipe;
	orphan.off = mark->off;
	rc = find_root(search->gc, &record->base, &orphan.root);
	return rc > 0 ? append(search->orphans, &orphan) : rc;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_root(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;
	int c = memcmp(&x->root, &y->root, sizeof x->root);

	if (!c)
		c = order(x->recipe, y->recipe);
	return c ? c : order(x->off, y->off);
}

static int by_leader(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;
	int c = order(x->leader_recipe, y->leader_recipe);

	if (!c)
		c = order(x->leader_off, y->leader_off);
	return c ? c : by_root(a, b);
}

int orphans_find(struct gc *gc, struct orphans *orphans)
{
	struct search search = {gc, orphans};
	const struct orphan *leader = NULL;
	int rc = chunks_each(gc->parts->chunks, look_at, &search);

	if (rc || !orphans->count)
		return rc;
	qsort(orphans->list, orphans->count, sizeof *orphans->list, by_root);
	for (size_t i = 0; i < orphans->count; i++) {
		struct orphan *orphan = &orphans->list[i];

		if (!leader || !chunk_id_equal(&leader->root, &orphan->root))
			leader = orphan;
		orphan->leader_recipe = leader->recipe;
		orphan->leader_off = leader->off;
	}
	qsort(orphans->list, orphans->count, sizeof *orphans->list, by_leader);
	return 0;
}
