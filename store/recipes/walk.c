#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/recipes/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

/*
 * The marking walk. Keys of one recipe stand together: head, segments, extents. Dead recipes are passed over
 * by merging with KV_DEAD, whose snapshot is the older one: a recipe buried between the two counts as alive.
 */
struct walk {
	struct kv_iter *dead;
	int (*each)(void *ctx, uint64_t recipe, const struct extent *extent);
	void *ctx;
	uint64_t recipe; /* being walked; 0: none yet */
	bool skip;	 /* it is dead */
	bool damaged;	 /* something of it is */
	bool any_damaged;
	uint64_t size, end; /* what the head says; what the pages cover so far */
	struct extent extents[RECIPE_PAGE];
};

static bool is_dead(struct walk *walk, uint64_t recipe)
{
	size_t len;

	for (; kv_iter_valid(walk->dead); kv_iter_next(walk->dead)) {
		const void *key = kv_iter_key(walk->dead, &len);
		if (len == 8 && get_be64(key) >= recipe)
			return get_be64(key) == recipe;
	}
	return false;
}

static void leave_recipe(struct walk *walk)
{
	if (!walk->recipe || walk->skip)
		return;
	if (walk->end != walk->size)
		walk->damaged = true;
	if (!walk->damaged)
		return;
	log_error("recipe %llu: damaged pages, or pages are missing", (unsigned long long)walk->recipe);
	walk->any_damaged = true;
}

static void enter_recipe(struct walk *walk, uint64_t recipe)
{
	leave_recipe(walk);
	walk->recipe = recipe;
	walk->skip = is_dead(walk, recipe);
	walk->damaged = false;
	walk->size = UINT64_MAX; /* until the head is seen */
	walk->end = 0;
}

static void see_head(struct walk *walk, const uint8_t *value, size_t len)
{
	struct recipe_head head;

	if (recipe_head_decode(&head, walk->recipe, value, len))
		walk->damaged = true;
	else
		walk->size = head.size;
}

static int see_extents(struct walk *walk, uint64_t off, const uint8_t *value, size_t len)
{
	size_t count = 0;
	int rc = 0;

	if (page_decode_extents(walk->extents, &count, walk->recipe, off, value, len) || off != walk->end)
		walk->damaged = true;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = walk->each(walk->ctx, walk->recipe, walk->extents + i);
		walk->end = walk->extents[i].off + walk->extents[i].len;
	}
	return rc;
}

static int see_page(struct walk *walk, const struct kv_iter *it)
{
	size_t key_len, len;
	const uint8_t *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
	uint64_t recipe, off;
	uint8_t kind;

	if (recipe_key_decode(key, key_len, &recipe, &kind, &off) || !recipe) {
		log_error("recipes: a key that is none");
		walk->any_damaged = true;
		return 0;
	}
	if (recipe != walk->recipe)
		enter_recipe(walk, recipe);
	if (walk->skip || kind == PAGE_SEGMENTS)
		return 0;
	if (kind == PAGE_EXTENTS)
		return see_extents(walk, off, value, len);
	see_head(walk, value, len);
	return 0;
}

int recipes_each_extent(struct recipes *recipes,
	int (*each)(void *ctx, uint64_t recipe, const struct extent *extent), void *ctx)
{
	struct walk *walk = calloc(1, sizeof *walk);
	struct kv_iter *it = NULL;
	int rc = -ENOMEM;

	if (!walk)
		return rc;
	walk->each = each;
	walk->ctx = ctx;
	walk->dead = kv_iter_new(recipes->kv, KV_DEAD, NULL, 0);
	if (walk->dead)
		it = kv_iter_new(recipes->kv, KV_RECIPES, NULL, 0);
	if (!it)
		goto out;
	for (rc = 0; !rc && kv_iter_valid(it); kv_iter_next(it))
		rc = see_page(walk, it);
	if (rc)
		goto out;
	leave_recipe(walk);
	if (kv_iter_error(it) || kv_iter_error(walk->dead))
		rc = -EIO;
	else if (walk->any_damaged)
		rc = -EBADMSG;
out:
	kv_iter_free(it);
	kv_iter_free(walk->dead);
	free(walk);
	return rc;
}
