#include "store/upkeep/siblings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

#define CURSORS 32u

/* A segment without the room for the longest name. */
struct seg {
	uint64_t off, len;
	uint64_t dims[RECIPE_DIMS_MAX];
	size_t name; /* in `names` */
	uint32_t ndims;
	enum dtype dtype;
};

struct siblings {
	struct recipes *recipes;
	uint64_t recipe; /* whose segments these are; 0: none yet */
	struct seg *segs;
	size_t count, capacity;
	char *names;
	size_t names_len, names_capacity;
	struct {
		uint64_t recipe;
		struct recipe_cursor *cursor;
	} cursors[CURSORS];
	unsigned next_cursor;
};

struct siblings *siblings_new(struct recipes *recipes)
{
	struct siblings *siblings = calloc(1, sizeof *siblings);

	if (siblings)
		siblings->recipes = recipes;
	return siblings;
}

void siblings_free(struct siblings *siblings)
{
	if (!siblings)
		return;
	for (unsigned i = 0; i < CURSORS; i++) {
		if (siblings->cursors[i].cursor)
			recipe_cursor_free(siblings->cursors[i].cursor);
	}
	free(siblings->segs);
	free(siblings->names);
	free(siblings);
}

static int note_segment(void *ctx, const struct segment *segment)
{
	struct siblings *s = ctx;
	size_t name_len = strlen(segment->name) + 1;
	struct seg *segs = array_grow(s->segs, s->count, &s->capacity, sizeof *segs), *seg;
	char *names;

	if (!segs)
		return -ENOMEM;
	s->segs = segs;
	if (!(names = array_reserve(s->names, s->names_len + name_len, &s->names_capacity, 1)))
		return -ENOMEM;
	s->names = names;
	seg = &segs[s->count++];
	*seg = (struct seg){.off = segment->off,
		.len = segment->len,
		.name = s->names_len,
		.ndims = segment->ndims,
		.dtype = segment->dtype};
	memcpy(seg->dims, segment->dims, sizeof seg->dims);
	memcpy(names + s->names_len, segment->name, name_len);
	s->names_len += name_len;
	return 0;
}

static int by_off(const void *a, const void *b)
{
	uint64_t x = ((const struct seg *)a)->off, y = ((const struct seg *)b)->off;

	return (x > y) - (x < y);
}

static int load_segments(struct siblings *s, uint64_t recipe)
{
	int rc;

	if (s->recipe == recipe)
		return 0;
	s->recipe = recipe;
	s->count = 0;
	s->names_len = 0;
	rc = recipe_each_segment(s->recipes, recipe, note_segment, s);
	if (rc == -ENOENT || rc == -EBADMSG) {
		s->count = 0;
		rc = 0;
	}
	if (!rc)
		qsort(s->segs, s->count, sizeof *s->segs, by_off);
	return rc;
}

static const struct seg *seg_at(const struct siblings *s, uint64_t off)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->segs[mid].off <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low && off - s->segs[low - 1].off < s->segs[low - 1].len ? &s->segs[low - 1] : NULL;
}

static void segment_of(const struct siblings *s, const struct seg *seg, struct segment *segment)
{
	memset(segment, 0, sizeof *segment);
	segment->off = seg->off;
	segment->len = seg->len;
	segment->dtype = seg->dtype;
	segment->ndims = seg->ndims;
	memcpy(segment->dims, seg->dims, sizeof segment->dims);
	strcpy(segment->name, s->names + seg->name);
}

static struct recipe_cursor *cursor_of(struct siblings *s, uint64_t recipe)
{
	unsigned at;

	for (unsigned i = 0; i < CURSORS; i++) {
		if (s->cursors[i].cursor && s->cursors[i].recipe == recipe)
			return s->cursors[i].cursor;
	}
	at = s->next_cursor++ % CURSORS;
	if (s->cursors[at].cursor)
		recipe_cursor_free(s->cursors[at].cursor);
	s->cursors[at].recipe = recipe;
	s->cursors[at].cursor = recipe_cursor_new(s->recipes, recipe);
	return s->cursors[at].cursor;
}

int siblings_find(struct siblings *siblings, uint64_t recipe, uint64_t off, struct chunk_id ids[SIBLINGS_MAX])
{
	struct tensor_hit hits[SIBLINGS_MAX];
	struct segment segment;
	const struct seg *seg;
	int count = 0, hit_count;
	int rc = load_segments(siblings, recipe);

	if (rc)
		return rc;
	seg = seg_at(siblings, off);
	if (!seg)
		return 0;
	segment_of(siblings, seg, &segment);
	hit_count = recipes_find_tensor(siblings->recipes, &segment, hits, SIBLINGS_MAX);
	for (int i = 0; i < hit_count; i++) {
		uint64_t there = hits[i].off + (off - seg->off);
		struct recipe_cursor *cursor = cursor_of(siblings, hits[i].recipe);
		struct extent extent;

		if (!cursor)
			return -ENOMEM;
		if (hits[i].len != seg->len || recipe_cursor_at(cursor, there, &extent))
			continue;
		if (extent.off == there && !extent.chunk_off && !chunk_id_is_zero(&extent.chunk))
			ids[count++] = extent.chunk;
	}
	return hit_count < 0 ? hit_count : count;
}
