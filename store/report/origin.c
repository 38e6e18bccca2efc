#include "store/report/origin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/upkeep/paths.h"
#include "store/util/bytes.h"

#define FILES 32u

struct look {
	struct origin *origin;
	struct recipe_cursor *cursor;
};

/* Whether the segment has the chunk at the place in question. 1: that is it. */
static int look_at(void *ctx, const struct segment *segment)
{
	struct look *look = ctx;
	struct origin *origin = look->origin;
	uint64_t width = 6 - origin->width; /* 2 and 4 */
	struct extent extent;

	if (segment_elements(segment) != origin->elements || dtype_width(segment->dtype) != width ||
		recipe_cursor_at(look->cursor, segment->off + origin->at * width, &extent) ||
		!chunk_id_equal(&extent.chunk, &origin->base))
		return 0;
	origin->tensor = strdup(segment->name);
	return origin->tensor ? 1 : -ENOMEM;
}

/* 1 found, 0 not; what is damaged is not. */
static int look_in(struct store *store, struct origin *origin, uint64_t recipe)
{
	struct recipes *recipes = store->parts.recipes;
	struct look look = {origin, recipe_cursor_new(recipes, recipe)};
	int rc = look.cursor ? recipe_each_segment(recipes, recipe, look_at, &look) : -ENOMEM;

	recipe_cursor_free(look.cursor);
	if (rc == 1)
		origin->recipe = recipe;
	return rc == -ENOMEM || rc == -EIO || rc == 1 ? rc : 0;
}

static int find_one(struct store *store, struct origin *origin, uint64_t last)
{
	struct tensor_hit hits[FILES];
	int rc = last ? look_in(store, origin, last) : 0, n;

	if (rc)
		return rc;
	n = recipes_find_elements(
		store->parts.recipes, (unsigned)(6 - origin->width), origin->elements, hits, FILES);
	for (int i = 0; i < n && !rc; i++)
		rc = look_in(store, origin, hits[i].recipe);
	return n < 0 ? n : rc;
}

struct naming {
	struct origin *origins;
	size_t count;
};

static int name_it(void *ctx, uint64_t ino, const char *path)
{
	struct naming *naming = ctx;

	for (size_t i = 0; i < naming->count; i++) {
		struct origin *origin = &naming->origins[i];
		if (!origin->recipe || origin->ino != ino || origin->path)
			continue;
		if (!(origin->path = strdup(path)))
			return -ENOMEM;
	}
	return 0;
}

static int find_inodes(struct store *store, struct origin *origins, size_t count, struct numbers *wanted)
{
	struct kv_iter *it = kv_iter_new(store->parts.kv, KV_INODES, NULL, 0);
	int rc = it ? 0 : -ENOMEM;

	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		size_t key_len, len;
		const void *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
		struct inode inode;

		if (key_len != 8 || inode_decode(&inode, get_be64(key), value, len) || !inode.recipe)
			continue;
		for (size_t i = 0; !rc && i < count; i++) {
			if (origins[i].recipe != inode.recipe)
				continue;
			origins[i].ino = inode.ino;
			rc = numbers_at(wanted, inode.ino) ? 0 : -ENOMEM;
			if (!rc)
				*numbers_at(wanted, inode.ino) = 1;
		}
	}
	kv_iter_free(it);
	return rc;
}

int origins_find(struct store *store, struct origin *origins, size_t count)
{
	struct naming naming = {origins, count};
	struct numbers wanted = {0};
	uint64_t last = 0;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		rc = find_one(store, &origins[i], last);
		if (rc == 1)
			last = origins[i].recipe;
	}
	if (rc >= 0)
		rc = last ? find_inodes(store, origins, count, &wanted) : 0;
	if (!rc && wanted.count)
		rc = paths_each(&store->parts, &wanted, name_it, &naming);
	numbers_release(&wanted);
	return rc;
}
