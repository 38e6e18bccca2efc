#include "store/recipes/recipes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/recipes/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

#define RESERVE_BLOCK 1024u
#define NEXT_KEY "recipes.next"

/* The first number above every recipe that is there, whatever KV_META says. */
static int above_all(struct kv *kv, enum kv_family family, uint64_t *next)
{
	struct kv_iter *it = kv_iter_new(kv, family, NULL, 0);
	uint8_t last[RECIPE_KEY_SIZE];
	size_t len;
	int rc;

	if (!it)
		return -ENOMEM;
	memset(last, 0xff, sizeof last);
	kv_iter_seek_for_prev(it, last, sizeof last);
	if (kv_iter_valid(it)) {
		const void *key = kv_iter_key(it, &len);
		if (len >= 8 && get_be64(key) >= *next && get_be64(key) < UINT64_MAX)
			*next = get_be64(key) + 1;
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

static int find_next(struct kv *kv, uint64_t *next)
{
	uint8_t value[8];
	size_t len;
	int rc = kv_get(kv, KV_META, NEXT_KEY, strlen(NEXT_KEY), value, sizeof value, &len);

	if (rc && rc != -ENOENT && rc != -ENOBUFS)
		return rc;
	*next = !rc && len == sizeof value ? get_le64(value) : 1;
	if (!*next)
		*next = 1;
	rc = above_all(kv, KV_RECIPES, next);
	return rc ? rc : above_all(kv, KV_DEAD, next);
}

int recipes_open(struct kv *kv, struct recipes **out)
{
	struct recipes *recipes = calloc(1, sizeof *recipes);
	int rc;

	if (!recipes)
		return -ENOMEM;
	recipes->kv = kv;
	rc = find_next(kv, &recipes->next);
	if (rc) {
		free(recipes);
		return rc;
	}
	recipes->reserved = recipes->next;
	pthread_mutex_init(&recipes->lock, NULL);
	*out = recipes;
	return 0;
}

void recipes_close(struct recipes *recipes)
{
	if (!recipes)
		return;
	pthread_mutex_destroy(&recipes->lock);
	free(recipes);
}

static int reserve_block(struct recipes *recipes)
{
	struct kv_batch *batch = kv_batch_new();
	uint8_t value[8];
	int rc;

	if (!batch)
		return -ENOMEM;
	put_le64(value, recipes->next + RESERVE_BLOCK);
	kv_batch_put(recipes->kv, batch, KV_META, NEXT_KEY, strlen(NEXT_KEY), value, sizeof value);
	/* need not be durable: what a later batch uses of the block comes after this in the log */
	kv_batch_trades(batch); /* for a file that is encoded */
	rc = kv_write(recipes->kv, batch, false);
	kv_batch_free(batch);
	if (!rc)
		recipes->reserved = recipes->next + RESERVE_BLOCK;
	return rc;
}

int recipes_reserve(struct recipes *recipes, uint64_t *number)
{
	int rc = 0;

	pthread_mutex_lock(&recipes->lock);
	if (recipes->next == recipes->reserved)
		rc = reserve_block(recipes);
	if (!rc)
		*number = recipes->next++;
	pthread_mutex_unlock(&recipes->lock);
	return rc;
}

int recipe_head_get(struct recipes *recipes, uint64_t recipe, struct recipe_head *head)
{
	uint8_t key[RECIPE_KEY_SIZE], value[RECIPE_HEAD_SIZE];
	size_t len;
	int rc;

	recipe_key(key, recipe, PAGE_HEAD, 0);
	rc = kv_get(recipes->kv, KV_RECIPES, key, sizeof key, value, sizeof value, &len);
	if (rc)
		return rc == -ENOBUFS ? -EBADMSG : rc;
	return recipe_head_decode(head, recipe, value, len);
}

bool segment_is_small(const struct segment *segment)
{
	return segment->dtype == DTYPE_OPAQUE && !strcmp(segment->name, SEGMENT_SMALL);
}

struct segment_page_walk {
	int (*each)(void *ctx, const struct segment *segment);
	void *ctx;
	uint64_t index;
};

static int walk_segment(void *ctx, const struct segment *segment, int indexed)
{
	struct segment_page_walk *walk = ctx;

	(void)indexed;
	walk->index++;
	return walk->each(walk->ctx, segment);
}

int recipe_each_segment(struct recipes *recipes, uint64_t recipe,
	int (*each)(void *ctx, const struct segment *segment), void *ctx)
{
	struct segment_page_walk walk = {each, ctx, 0};
	struct segment *segment = malloc(sizeof *segment);
	uint8_t prefix[RECIPE_KEY_SIZE];
	struct recipe_head head;
	struct kv_iter *it = NULL;
	size_t key_len, len;
	int rc = recipe_head_get(recipes, recipe, &head);

	recipe_key(prefix, recipe, PAGE_SEGMENTS, 0);
	if (!rc) {
		it = kv_iter_new(recipes->kv, KV_RECIPES, prefix, 9);
		rc = it && segment ? 0 : -ENOMEM;
	}
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		const uint8_t *key = kv_iter_key(it, &key_len), *page = kv_iter_value(it, &len);
		if (key_len != RECIPE_KEY_SIZE || get_be64(key + 9) != walk.index)
			rc = -EBADMSG;
		else
			rc = page_decode_segments(
				segment, recipe, walk.index, page, len, walk_segment, &walk);
	}
	if (!rc)
		rc = kv_iter_error(it);
	if (!rc && walk.index != head.segments)
		rc = -EBADMSG;
	kv_iter_free(it);
	free(segment);
	return rc;
}

void recipes_bury(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe)
{
	uint8_t key[8];

	put_be64(key, recipe);
	kv_batch_put(recipes->kv, batch, KV_DEAD, key, sizeof key, "", 0);
}

bool recipes_is_dead(struct recipes *recipes, uint64_t recipe)
{
	uint8_t key[8];
	size_t len;

	put_be64(key, recipe);
	return kv_get(recipes->kv, KV_DEAD, key, sizeof key, NULL, 0, &len) != -ENOENT;
}

int recipes_each_dead(struct recipes *recipes, int (*each)(void *ctx, uint64_t recipe), void *ctx)
{
	struct kv_iter *it = kv_iter_new(recipes->kv, KV_DEAD, NULL, 0);
	size_t len;
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		const void *key = kv_iter_key(it, &len);
		if (len == 8)
			rc = each(ctx, get_be64(key));
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

struct purge {
	struct recipes *recipes;
	struct kv_batch *batch;
	uint64_t recipe;
};

static int purge_tensor(void *ctx, const struct segment *segment)
{
	struct purge *purge = ctx;
	uint8_t key[TENSOR_KEY_SIZE];

	tensor_key(key, segment, purge->recipe);
	kv_batch_delete(purge->recipes->kv, purge->batch, KV_TENSORS, key, sizeof key);
	if (!segment_elements(segment))
		return 0;
	elements_key(key, (unsigned)dtype_width(segment->dtype), segment_elements(segment), purge->recipe);
	kv_batch_delete(purge->recipes->kv, purge->batch, KV_TENSORS, key, sizeof key);
	return 0;
}

int recipes_purge(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe)
{
	struct purge purge = {recipes, batch, recipe};
	uint8_t from[8], to[8];
	int rc = recipe_each_segment(recipes, recipe, purge_tensor, &purge);

	/* index entries of a damaged page stay; they lead to a recipe that is not there, which finders pass
	 * over */
	if (rc == -EBADMSG || rc == -EPROTONOSUPPORT)
		log_warning("recipe %llu: a damaged page while purging it", (unsigned long long)recipe);
	else if (rc && rc != -ENOENT)
		return rc;
	if (!recipe || recipe == UINT64_MAX)
		return -EINVAL;
	put_be64(from, recipe);
	put_be64(to, recipe + 1);
	kv_batch_delete_range(recipes->kv, batch, KV_RECIPES, from, sizeof from, to, sizeof to);
	kv_batch_delete(recipes->kv, batch, KV_DEAD, from, sizeof from);
	return 0;
}

static int find_hits(
	struct recipes *recipes, const uint8_t key[TENSOR_KEY_SIZE], struct tensor_hit *hits, size_t capacity)
{
	struct kv_iter *it;
	size_t count = 0, key_len, len;
	int rc;

	it = kv_iter_new(recipes->kv, KV_TENSORS, key, 16);
	if (!it)
		return -EIO;
	for (; count < capacity && kv_iter_valid(it); kv_iter_next(it)) {
		const uint8_t *found = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
		struct tensor_hit *hit = hits + count;
		if (key_len != TENSOR_KEY_SIZE || len != TENSOR_VALUE_SIZE)
			continue;
		hit->recipe = ~get_be64(found + 16);
		hit->off = get_le64(value);
		hit->len = get_le64(value + 8);
		memcpy(&hit->family, value + 16, 16);
		if (hit->off <= INT64_MAX && hit->len <= INT64_MAX - hit->off)
			count++;
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc ? -EIO : (int)count;
}

int recipes_find_tensor(
	struct recipes *recipes, const struct segment *segment, struct tensor_hit *hits, size_t capacity)
{
	uint8_t key[TENSOR_KEY_SIZE];

	tensor_key(key, segment, 0);
	return find_hits(recipes, key, hits, capacity);
}

int recipes_find_elements(
	struct recipes *recipes, unsigned width, uint64_t count, struct tensor_hit *hits, size_t capacity)
{
	uint8_t key[TENSOR_KEY_SIZE];

	elements_key(key, width, count, 0);
	return find_hits(recipes, key, hits, capacity);
}
