#include "store/upkeep/orphans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

/* An orphan needs a dead chunk. */
struct need {
	struct chunk_id dead;
	size_t orphan;
};

struct search {
	struct gc *gc;
	struct orphans *orphans;
	struct need *needs;
	size_t count, capacity;
};

/* Adds those of the bases that are dead and new. */
static int add_dead(struct gc *gc, const struct chunk_bases *bases, struct chunk_id *dead, size_t *count)
{
	for (uint32_t i = 0; i < bases->count; i++) {
		size_t at = 0;

		if (gc_is_live(gc, &bases->id[i]))
			continue;
		while (at < *count && !chunk_id_equal(&dead[at], &bases->id[i]))
			at++;
		if (at < *count)
			continue;
		if (*count == CHUNK_FRAMES_MAX)
			return 0;
		dead[(*count)++] = bases->id[i];
	}
	return 1;
}

int orphans_dead_below(struct gc *gc, const struct chunk_record *record,
	struct chunk_id dead[CHUNK_FRAMES_MAX], size_t *count)
{
	int rc;

	*count = 0;
	rc = add_dead(gc, &record->bases, dead, count);
	for (size_t i = 0; rc > 0 && i < *count; i++) {
		struct chunk_record below;

		rc = chunks_get(gc->parts->chunks, &dead[i], &below);
		if (rc)
			return rc == -ENOENT || rc == -EBADMSG ? 0 : rc;
		rc = add_dead(gc, &below.bases, dead, count);
	}
	return rc;
}

static int append(
	struct search *search, const struct orphan *orphan, const struct chunk_id *dead, size_t count)
{
	struct orphans *orphans = search->orphans;
	struct orphan *list = array_grow(orphans->list, orphans->count, &orphans->capacity, sizeof *list);

	if (!list)
		return -ENOMEM;
	orphans->list = list;
	for (size_t i = 0; i < count; i++) {
		struct need *needs =
			array_grow(search->needs, search->count, &search->capacity, sizeof *needs);

		if (!needs)
			return -ENOMEM;
		search->needs = needs;
		needs[search->count++] = (struct need){dead[i], orphans->count};
	}
	list[orphans->count++] = *orphan;
	return 0;
}

static int look_at(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct search *search = ctx;
	const struct mark *mark = marks_find(&search->gc->marks, id);
	struct orphan orphan = {.id = *id, .dtype = record->dtype};
	struct chunk_id dead[CHUNK_FRAMES_MAX];
	size_t count;
	int rc;

	if (!mark || mark->recipe == MARK_BASE)
		return 0;
	orphan.recipe = mark->recipe;
	orphan.off = mark->off;
	rc = orphans_dead_below(search->gc, record, dead, &count);
	if (rc <= 0 || !count)
		return rc < 0 ? rc : 0;
	orphan.root = dead[count - 1];
	return append(search, &orphan, dead, count);
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_dead(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int c = memcmp(&x->dead, &y->dead, sizeof x->dead);

	return c ? c : order(x->orphan, y->orphan);
}

static int by_place(const struct orphan *x, const struct orphan *y)
{
	int c = order(x->recipe, y->recipe);

	return c ? c : order(x->off, y->off);
}

static int by_leader(const void *a, const void *b)
{
	const struct orphan *x = a, *y = b;
	int c = order(x->leader_recipe, y->leader_recipe);

	if (!c)
		c = order(x->leader_off, y->leader_off);
	if (!c)
		c = order(x->group, y->group);
	if (!c)
		c = memcmp(&x->root, &y->root, sizeof x->root);
	if (!c)
		c = order(x->dtype, y->dtype);
	return c ? c : by_place(x, y);
}

/* The first orphan of the one's group, so far. */
static size_t first_of(struct orphan *list, size_t at)
{
	while (list[at].group != at)
		at = list[at].group = list[list[at].group].group;
	return at;
}

/* Joins those that need the same dead chunk. */
static void group(struct search *search)
{
	struct orphan *list = search->orphans->list;
	size_t count = search->orphans->count;

	for (size_t i = 0; i < count; i++)
		list[i].group = i;
	qsort(search->needs, search->count, sizeof *search->needs, by_dead);
	for (size_t i = 1; i < search->count; i++) {
		const struct need *a = &search->needs[i - 1], *b = &search->needs[i];

		if (chunk_id_equal(&a->dead, &b->dead))
			list[first_of(list, b->orphan)].group = first_of(list, a->orphan);
	}
	for (size_t i = 0; i < count; i++)
		list[i].group = first_of(list, i);
}

static void find_leaders(struct orphans *orphans)
{
	struct orphan *list = orphans->list;

	for (size_t i = 0; i < orphans->count; i++) {
		list[i].leader_recipe = list[i].recipe;
		list[i].leader_off = list[i].off;
	}
	for (size_t i = 0; i < orphans->count; i++) {
		struct orphan *first = &list[list[i].group];
		int c = order(list[i].recipe, first->leader_recipe);

		if (c < 0 || (!c && list[i].off < first->leader_off)) {
			first->leader_recipe = list[i].recipe;
			first->leader_off = list[i].off;
		}
	}
	for (size_t i = 0; i < orphans->count; i++) {
		list[i].leader_recipe = list[list[i].group].leader_recipe;
		list[i].leader_off = list[list[i].group].leader_off;
	}
}

int orphans_find(struct gc *gc, struct orphans *orphans)
{
	struct search search = {gc, orphans, NULL, 0, 0};
	int rc = chunks_each(gc->parts->chunks, look_at, &search);

	if (!rc && orphans->count) {
		group(&search);
		find_leaders(orphans);
		qsort(orphans->list, orphans->count, sizeof *orphans->list, by_leader);
	}
	free(search.needs);
	return rc;
}
