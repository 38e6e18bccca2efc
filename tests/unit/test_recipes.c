// links: m_recipes
/*
 * Recipes over the real key-value side: what was built is what a cursor and the walks find, or it is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/recipes/pages.h"
#include "store/recipes/recipes.h"
#include "store/util/bytes.h"
#include "tests/unit/scratch.h"

struct world {
	char path[SCRATCH_PATH];
	struct kv *kv;
	struct recipes *recipes;
};

static void open_world(struct world *w)
{
	w->kv = scratch_kv(w->path);
	assert_int_equal(recipes_open(w->kv, &w->recipes), 0);
}

static void close_world(struct world *w)
{
	recipes_close(w->recipes);
	kv_close(w->kv);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	scratch_make(w->path);
	open_world(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close_world(w);
	scratch_remove(w->path);
	free(w);
	return 0;
}

static struct chunk_id chunk(unsigned n)
{
	return chunk_id_of(0, 0, &n, sizeof n);
}

/* Lengths differ from extent to extent; every fifth is a hole. */
static uint64_t length_of(unsigned n)
{
	return 1 + (uint64_t)n * 7919 % 65536;
}

static uint64_t build(struct world *w, unsigned extents, uint64_t *size)
{
	struct kv_batch *batch = kv_batch_new();
	struct recipe_builder *builder = recipe_builder_new(w->recipes, batch);
	struct recipe_head head = {.format = 3, .new_bytes = 12345, .family = {"fam"}};

	assert_non_null(builder);
	for (unsigned n = 0; n < extents; n++) {
		struct extent extent = {.off = head.size, .len = length_of(n)};
		if (n % 5) {
			extent.chunk = chunk(n);
			extent.chunk_off = n % 100;
		}
		assert_int_equal(recipe_builder_extent(builder, &extent), 0);
		head.size += extent.len;
	}
	assert_int_equal(recipe_builder_finish(builder, &head), 0);
	assert_int_equal(head.recipe, recipe_builder_number(builder));
	assert_int_equal(head.extents, extents);
	recipe_builder_free(builder);
	scratch_write(w->kv, batch);
	*size = head.size;
	return head.recipe;
}

static void expect_extent(const struct extent *extent, unsigned n, uint64_t off)
{
	struct chunk_id id = chunk(n), none = {0};

	assert_int_equal(extent->off, off);
	assert_int_equal(extent->len, length_of(n));
	assert_memory_equal(&extent->chunk, n % 5 ? &id : &none, sizeof id);
	assert_int_equal(extent->chunk_off, n % 5 ? n % 100 : 0);
}

struct extent_count {
	uint64_t recipe, end;
	unsigned n;
};

static int count_extent(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct extent_count *count = ctx;

	if (recipe != count->recipe)
		return 0;
	expect_extent(extent, count->n++, count->end);
	count->end += extent->len;
	return 0;
}

static void pages_a_hundred_thousand_extents(void **state)
{
	enum { N = 100000 };
	struct world *w = *state;
	uint64_t *offs = malloc((N + 1) * sizeof *offs), size;
	uint64_t recipe = build(w, N, &size);
	struct recipe_cursor *cursor = recipe_cursor_new(w->recipes, recipe);
	struct extent_count count = {.recipe = recipe};
	struct recipe_head head;
	struct extent extent;
	unsigned seed = 5;

	offs[0] = 0;
	for (unsigned n = 0; n < N; n++)
		offs[n + 1] = offs[n] + length_of(n);
	assert_int_equal(recipe_head_get(w->recipes, recipe, &head), 0);
	assert_int_equal(head.size, size);
	assert_int_equal(head.format, 3);
	assert_int_equal(head.new_bytes, 12345);
	assert_string_equal((char *)head.family.b, "fam");
	for (unsigned n = 0; n < N; n++) {
		assert_int_equal(recipe_cursor_at(cursor, offs[n], &extent), 0);
		expect_extent(&extent, n, offs[n]);
	}
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned n = (seed >> 8) % N;
		assert_int_equal(recipe_cursor_at(cursor, offs[n + 1] - 1, &extent), 0);
		expect_extent(&extent, n, offs[n]);
	}
	assert_int_equal(recipe_cursor_at(cursor, size, &extent), -ENXIO);
	assert_int_equal(recipe_cursor_at(cursor, UINT64_MAX, &extent), -ENXIO);
	recipe_cursor_free(cursor);
	assert_int_equal(recipes_each_extent(w->recipes, count_extent, &count), 0);
	assert_int_equal(count.n, N);
	free(offs);
}

static void joins_what_continues(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch = kv_batch_new();
	struct recipe_builder *builder = recipe_builder_new(w->recipes, batch);
	struct recipe_head head = {0};
	struct chunk_id a = chunk(1), b = chunk(2), none = {0};
	const struct extent in[] = {
		{0, 100, a, 50},
		{100, 20, a, 150}, /* joins */
		{120, 10, a, 150}, /* the same bytes again: does not */
		{130, 5, b, 160},  /* another chunk */
		{135, 1000, none, 0},
		{1135, 1ull << 40, none, 0}, /* holes join */
		{1135 + (1ull << 40), 1, b, 0},
	};
	struct recipe_cursor *cursor;
	struct extent extent;

	for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++)
		assert_int_equal(recipe_builder_extent(builder, &in[i]), 0);
	extent = in[0];
	assert_int_equal(recipe_builder_extent(builder, &extent), -EINVAL); /* not where the last ended */
	extent = (struct extent){1136 + (1ull << 40), 0, b, 0};
	assert_int_equal(recipe_builder_extent(builder, &extent), -EINVAL);
	extent.len = FRAME_RAW_MAX + 1;
	assert_int_equal(recipe_builder_extent(builder, &extent), -EINVAL);
	head.size = 5;
	assert_int_equal(recipe_builder_finish(builder, &head), -EINVAL);
	head.size = 1136 + (1ull << 40);
	assert_int_equal(recipe_builder_finish(builder, &head), 0);
	assert_int_equal(head.extents, 5);
	recipe_builder_free(builder);
	scratch_write(w->kv, batch);
	cursor = recipe_cursor_new(w->recipes, head.recipe);
	assert_int_equal(recipe_cursor_at(cursor, 119, &extent), 0);
	assert_int_equal(extent.off, 0);
	assert_int_equal(extent.len, 120);
	assert_int_equal(recipe_cursor_at(cursor, 120, &extent), 0);
	assert_int_equal(extent.len, 10);
	assert_int_equal(recipe_cursor_at(cursor, 1ull << 39, &extent), 0);
	assert_int_equal(extent.off, 135);
	assert_int_equal(extent.len, 1000 + (1ull << 40));
	assert_int_equal(recipe_cursor_at(cursor, head.size - 1, &extent), 0);
	assert_true(chunk_id_equal(&extent.chunk, &b));
	recipe_cursor_free(cursor);
}

static void numbers_are_never_given_twice(void **state)
{
	struct world *w = *state;
	uint64_t size, last = 0, next;
	struct kv_batch *batch;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++) {
			next = build(w, 1, &size);
			assert_true(next > last);
			last = next;
		}
		close_world(w);
		open_world(w);
	}
	/* not even when the counter is lost */
	batch = kv_batch_new();
	kv_batch_delete(w->kv, batch, KV_META, "recipes.next", strlen("recipes.next"));
	scratch_write(w->kv, batch);
	close_world(w);
	open_world(w);
	assert_true(build(w, 1, &size) > last);
}

static struct segment segment_of(unsigned n)
{
	struct segment segment = {.off = n * 1000ull, .len = 1000, .dtype = DTYPE_F32, .ndims = n % 9};

	for (unsigned i = 0; i < segment.ndims; i++)
		segment.dims[i] = 1ull << (n + i) % 60;
	snprintf(segment.name, sizeof segment.name, "layer.%u.%0*d", n, (int)(n % 900) + 1, 0);
	return segment;
}

static uint64_t build_tensors(struct world *w, unsigned count, const char *family_name)
{
	struct kv_batch *batch = kv_batch_new();
	struct recipe_builder *builder = recipe_builder_new(w->recipes, batch);
	struct recipe_head head = {.size = count * 1000ull};
	struct extent extent = {.len = head.size};
	struct family_id family = {{0}};

	memcpy(family.b, family_name, strlen(family_name));
	assert_int_equal(recipe_builder_extent(builder, &extent), 0);
	for (unsigned n = 0; n < count; n++) {
		struct segment segment = segment_of(n);
		assert_int_equal(recipe_builder_segment(builder, &segment, &family, n % 10 != 9), 0);
	}
	struct segment odd = segment_of(1);
	odd.ndims = RECIPE_DIMS_MAX + 1;
	assert_int_equal(recipe_builder_segment(builder, &odd, &family, 1), -EINVAL);
	odd = segment_of(1);
	memset(odd.name, 'x', sizeof odd.name);
	assert_int_equal(recipe_builder_segment(builder, &odd, &family, 1), -EINVAL);
	assert_int_equal(recipe_builder_finish(builder, &head), 0);
	assert_int_equal(head.segments, count);
	recipe_builder_free(builder);
	scratch_write(w->kv, batch);
	return head.recipe;
}

static int expect_segment(void *ctx, const struct segment *segment)
{
	unsigned *n = ctx;
	struct segment expected = segment_of((*n)++);

	assert_int_equal(segment->off, expected.off);
	assert_int_equal(segment->len, expected.len);
	assert_int_equal(segment->dtype, expected.dtype);
	assert_int_equal(segment->ndims, expected.ndims);
	assert_memory_equal(segment->dims, expected.dims, expected.ndims * 8);
	assert_string_equal(segment->name, expected.name);
	return *n == 3001 ? -ECANCELED : 0;
}

static void finds_tensors_newest_first(void **state)
{
	struct world *w = *state;
	uint64_t recipe[5];
	struct tensor_hit hits[8];
	struct segment segment = segment_of(44);
	unsigned n = 0;

	for (unsigned i = 0; i < 5; i++)
		recipe[i] = build_tensors(w, i == 2 ? 40 : 100, i % 2 ? "odd" : "even");
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 8), 4);
	for (unsigned i = 0, r = 4; i < 4; i++, r--) {
		if (r == 2)
			r--;
		assert_int_equal(hits[i].recipe, recipe[r]);
		assert_int_equal(hits[i].off, 44000);
		assert_int_equal(hits[i].len, 1000);
		assert_string_equal((char *)hits[i].family.b, r % 2 ? "odd" : "even");
	}
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 2), 2);
	assert_int_equal(hits[1].recipe, recipe[3]);
	segment.dtype = DTYPE_I32;
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 8), 0);
	segment = segment_of(44);
	segment.dims[0]++;
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 8), 0);
	segment = segment_of(49); /* was not to be indexed */
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 8), 0);
	/* the number and width of elements find each file once */
	assert_int_equal(recipes_find_elements(w->recipes, 4, 250, hits, 8), 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(hits[i].recipe, recipe[4 - i]);
		assert_int_equal(hits[i].len, 1000);
	}
	assert_int_equal(recipes_find_elements(w->recipes, 2, 250, hits, 8), 0);
	assert_int_equal(recipes_find_elements(w->recipes, 4, 251, hits, 8), 0);
	/* many, over pages */
	uint64_t large = build_tensors(w, 3000, "large");
	assert_int_equal(recipe_each_segment(w->recipes, large, expect_segment, &n), 0);
	assert_int_equal(n, 3000);
	n = 0;
	assert_int_equal(recipe_each_segment(w->recipes, large + 1, expect_segment, &n), -ENOENT);
}

static int note_dead(void *ctx, uint64_t recipe)
{
	uint64_t *dead = ctx;

	dead[++dead[0]] = recipe;
	return 0;
}

static int note_recipe(void *ctx, uint64_t recipe, const struct extent *extent)
{
	uint64_t *seen = ctx;

	(void)extent;
	if (!seen[0] || seen[seen[0]] != recipe)
		seen[++seen[0]] = recipe;
	return 0;
}

static size_t keys_in(struct world *w, enum kv_family family)
{
	struct kv_iter *it = kv_iter_new(w->kv, family, NULL, 0);
	size_t count = 0;

	for (; kv_iter_valid(it); kv_iter_next(it))
		count++;
	kv_iter_free(it);
	return count;
}

static void buries_and_purges(void **state)
{
	struct world *w = *state;
	struct segment segment = segment_of(3);
	struct kv_batch *batch = kv_batch_new();
	uint64_t recipe[4], list[16] = {0};
	struct tensor_hit hits[4];
	struct recipe_head head;

	for (unsigned i = 0; i < 4; i++)
		recipe[i] = build_tensors(w, 50, "f");
	recipes_bury(w->recipes, batch, recipe[1]);
	recipes_bury(w->recipes, batch, recipe[3]);
	scratch_write(w->kv, batch);
	assert_int_equal(recipes_each_dead(w->recipes, note_dead, list), 0);
	assert_int_equal(list[0], 2);
	assert_int_equal(list[1], recipe[1]);
	assert_int_equal(list[2], recipe[3]);
	/* the dead are not walked, but still lend */
	list[0] = 0;
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), 0);
	assert_int_equal(list[0], 2);
	assert_int_equal(list[1], recipe[0]);
	assert_int_equal(list[2], recipe[2]);
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 4), 4);
	batch = kv_batch_new();
	assert_int_equal(recipes_purge(w->recipes, batch, recipe[1]), 0);
	assert_int_equal(recipes_purge(w->recipes, batch, recipe[3]), 0);
	assert_int_equal(recipes_purge(w->recipes, batch, recipe[3] + 100), 0);
	scratch_write(w->kv, batch);
	assert_int_equal(recipes_find_tensor(w->recipes, &segment, hits, 4), 2);
	assert_int_equal(recipe_head_get(w->recipes, recipe[1], &head), -ENOENT);
	assert_int_equal(recipe_head_get(w->recipes, recipe[2], &head), 0);
	list[0] = 0;
	assert_int_equal(recipes_each_dead(w->recipes, note_dead, list), 0);
	assert_int_equal(list[0], 0);
	batch = kv_batch_new();
	assert_int_equal(recipes_purge(w->recipes, batch, recipe[0]), 0);
	assert_int_equal(recipes_purge(w->recipes, batch, recipe[2]), 0);
	scratch_write(w->kv, batch);
	assert_int_equal(keys_in(w, KV_RECIPES), 0);
	assert_int_equal(keys_in(w, KV_TENSORS), 0);
	assert_int_equal(keys_in(w, KV_DEAD), 0);
}

/* Replaces the page at (kind, off) of a recipe; NULL: removes it. */
static void put_page(
	struct world *w, uint64_t recipe, enum page_kind kind, uint64_t off, const void *page, size_t len)
{
	struct kv_batch *batch = kv_batch_new();
	uint8_t key[RECIPE_KEY_SIZE];

	recipe_key(key, recipe, kind, off);
	if (page)
		kv_batch_put(w->kv, batch, KV_RECIPES, key, sizeof key, page, len);
	else
		kv_batch_delete(w->kv, batch, KV_RECIPES, key, sizeof key);
	scratch_write(w->kv, batch);
}

static void *get_page(struct world *w, uint64_t recipe, enum page_kind kind, uint64_t off, size_t *len)
{
	uint8_t key[RECIPE_KEY_SIZE];
	void *page;

	recipe_key(key, recipe, kind, off);
	assert_int_equal(kv_get_alloc(w->kv, KV_RECIPES, key, sizeof key, &page, len), 0);
	return page;
}

static int cursor_at(struct world *w, uint64_t recipe, uint64_t off)
{
	struct recipe_cursor *cursor = recipe_cursor_new(w->recipes, recipe);
	struct extent extent;
	int rc = recipe_cursor_at(cursor, off, &extent);

	recipe_cursor_free(cursor);
	return rc;
}

static void refuses_damaged_pages(void **state)
{
	struct world *w = *state;
	uint64_t size, first = build(w, 3000, &size), second = build(w, 3000, &size), list[32] = {0};
	uint64_t page_off = 0;
	struct recipe_head head;
	size_t len;
	uint8_t *page;

	for (unsigned n = 0; n < RECIPE_PAGE; n++)
		page_off += length_of(n);
	page = get_page(w, first, PAGE_EXTENTS, page_off, &len);
	for (size_t at = 0; at < len; at += at < 64 || at > len - 16 ? 1 : 101) {
		page[at] ^= 0x20;
		put_page(w, first, PAGE_EXTENTS, page_off, page, len);
		assert_int_equal(cursor_at(w, first, page_off + 5), -EBADMSG);
		page[at] ^= 0x20;
	}
	/* a page of another recipe, or from another place */
	put_page(w, second, PAGE_EXTENTS, page_off, page, len);
	assert_int_equal(cursor_at(w, second, page_off), -EBADMSG);
	put_page(w, first, PAGE_EXTENTS, page_off + 1, page, len);
	put_page(w, first, PAGE_EXTENTS, page_off, page, len);
	assert_int_equal(cursor_at(w, first, page_off + 5), -EBADMSG);
	put_page(w, first, PAGE_EXTENTS, page_off + 1, NULL, 0);
	assert_int_equal(cursor_at(w, first, page_off + 5), 0);
	/* the walk goes on, and does not end well */
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), -EBADMSG);
	assert_int_equal(list[0], 2);
	/* a lost page is as bad as a damaged one */
	put_page(w, second, PAGE_EXTENTS, page_off, NULL, 0);
	assert_int_equal(cursor_at(w, second, page_off), -EBADMSG);
	list[0] = 0;
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), -EBADMSG);
	/* also when it is the last, which leaves no gap behind it */
	uint64_t third = build(w, 1500, &size);
	struct kv_batch *batch = kv_batch_new();
	assert_int_equal(recipes_purge(w->recipes, batch, second), 0);
	scratch_write(w->kv, batch);
	list[0] = 0;
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), 0);
	put_page(w, third, PAGE_EXTENTS, page_off, NULL, 0);
	list[0] = 0;
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), -EBADMSG);
	batch = kv_batch_new();
	assert_int_equal(recipes_purge(w->recipes, batch, third), 0);
	scratch_write(w->kv, batch);
	list[0] = 0;
	assert_int_equal(recipes_each_extent(w->recipes, note_recipe, list), 0);
	free(page);
	/* heads */
	page = get_page(w, first, PAGE_HEAD, 0, &len);
	for (size_t at = 0; at < len; at++) {
		page[at] ^= 1;
		put_page(w, first, PAGE_HEAD, 0, page, len);
		assert_int_equal(recipe_head_get(w->recipes, first, &head), -EBADMSG);
		page[at] ^= 1;
	}
	put_page(w, first + 50, PAGE_HEAD, 0, page, len);
	assert_int_equal(recipe_head_get(w->recipes, first + 50, &head), -EBADMSG);
	put_page(w, first, PAGE_HEAD, 0, page, len - 1);
	assert_int_equal(recipe_head_get(w->recipes, first, &head), -EBADMSG);
	free(page);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(pages_a_hundred_thousand_extents),
		T(joins_what_continues),
		T(numbers_are_never_given_twice),
		T(finds_tensors_newest_first),
		T(buries_and_purges),
		T(refuses_damaged_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
