#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/recipes/internal.h"

struct recipe_cursor {
	struct recipes *recipes;
	uint64_t recipe;
	uint64_t size;
	bool has_size;
	size_t count;
	struct extent extents[RECIPE_PAGE];
};

struct recipe_cursor *recipe_cursor_new(struct recipes *recipes, uint64_t recipe)
{
	struct recipe_cursor *cursor = malloc(sizeof *cursor);

	if (!cursor)
		return NULL;
	cursor->recipes = recipes;
	cursor->recipe = recipe;
	cursor->has_size = false;
	cursor->count = 0;
	return cursor;
}

void recipe_cursor_free(struct recipe_cursor *cursor)
{
	free(cursor);
}

static int load_size(struct recipe_cursor *cursor)
{
	struct recipe_head head;
	int rc = recipe_head_get(cursor->recipes, cursor->recipe, &head);

	if (rc)
		return rc;
	cursor->size = head.size;
	cursor->has_size = true;
	return 0;
}

static int decode_page(struct recipe_cursor *cursor, const struct kv_iter *it)
{
	size_t key_len, len;
	const uint8_t *key = kv_iter_key(it, &key_len), *page = kv_iter_value(it, &len);
	uint64_t recipe, off;
	uint8_t kind;

	if (recipe_key_decode(key, key_len, &recipe, &kind, &off) || recipe != cursor->recipe ||
		kind != PAGE_EXTENTS)
		return -EBADMSG;
	return page_decode_extents(cursor->extents, &cursor->count, recipe, off, page, len);
}

static int load_page(struct recipe_cursor *cursor, uint64_t off)
{
	uint8_t key[RECIPE_KEY_SIZE];
	struct kv_iter *it;
	int rc;

	cursor->count = 0;
	recipe_key(key, cursor->recipe, PAGE_EXTENTS, off);
	it = kv_iter_new(cursor->recipes->kv, KV_RECIPES, key, 9);
	if (!it)
		return -ENOMEM;
	kv_iter_seek_for_prev(it, key, sizeof key);
	if (kv_iter_valid(it))
		rc = decode_page(cursor, it);
	else
		rc = kv_iter_error(it) ? -EIO : -EBADMSG;
	if (rc)
		cursor->count = 0;
	kv_iter_free(it);
	return rc;
}

static bool in_page(const struct recipe_cursor *cursor, uint64_t off)
{
	if (!cursor->count)
		return false;
	const struct extent *last = cursor->extents + cursor->count - 1;
	return off >= cursor->extents[0].off && off < last->off + last->len;
}

static const struct extent *find(const struct recipe_cursor *cursor, uint64_t off)
{
	size_t low = 0, high = cursor->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (cursor->extents[middle].off <= off)
			low = middle;
		else
			high = middle;
	}
	return cursor->extents + low;
}

int recipe_cursor_at(struct recipe_cursor *cursor, uint64_t off, struct extent *extent)
{
	int rc = cursor->has_size ? 0 : load_size(cursor);

	if (rc)
		return rc;
	if (off >= cursor->size)
		return -ENXIO;
	if (!in_page(cursor, off)) {
		rc = load_page(cursor, off);
		if (rc)
			return rc;
		if (!in_page(cursor, off))
			return -EBADMSG;
	}
	*extent = *find(cursor, off);
	return extent->off + extent->len <= cursor->size ? 0 : -EBADMSG;
}
