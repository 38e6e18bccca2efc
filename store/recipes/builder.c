#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/recipes/internal.h"
#include "store/util/bytes.h"

struct recipe_builder {
	struct recipes *recipes;
	struct kv_batch *batch;
	uint64_t number;
	uint64_t end; /* where the next extent must begin */
	uint64_t extents, segments;
	struct extent last;   /* not yet in the page: the next may continue it; len 0: none */
	uint64_t extents_off; /* of the first extent in the page */
	uint64_t segments_index;
	struct page extents_page, segments_page;
};

struct recipe_builder *recipe_builder_new(struct recipes *recipes, struct kv_batch *batch)
{
	struct recipe_builder *builder = calloc(1, sizeof *builder);

	if (!builder || recipes_reserve(recipes, &builder->number)) {
		free(builder);
		return NULL;
	}
	builder->recipes = recipes;
	builder->batch = batch;
	page_reset(&builder->extents_page);
	page_reset(&builder->segments_page);
	return builder;
}

void recipe_builder_free(struct recipe_builder *builder)
{
	free(builder);
}

uint64_t recipe_builder_number(const struct recipe_builder *builder)
{
	return builder->number;
}

static void flush_page(struct recipe_builder *builder, struct page *page, enum page_kind kind, uint64_t off)
{
	uint8_t key[RECIPE_KEY_SIZE];

	if (!page->count)
		return;
	recipe_key(key, builder->number, kind, off);
	page_finish(page, builder->number, off);
	kv_batch_put(
		builder->recipes->kv, builder->batch, KV_RECIPES, key, sizeof key, page->bytes, page->len);
	page_reset(page);
}

static void flush_last(struct recipe_builder *builder)
{
	struct page *page = &builder->extents_page;

	if (!builder->last.len)
		return;
	if (page->count == RECIPE_PAGE)
		flush_page(builder, page, PAGE_EXTENTS, builder->extents_off);
	if (!page->count)
		builder->extents_off = builder->last.off;
	page_add_extent(page, &builder->last);
	builder->extents++;
}

static bool continues(const struct extent *last, const struct extent *next)
{
	if (!last->len || !chunk_id_equal(&last->chunk, &next->chunk))
		return false;
	return chunk_id_is_zero(&next->chunk) || last->chunk_off + last->len == next->chunk_off;
}

int recipe_builder_extent(struct recipe_builder *builder, const struct extent *extent)
{
	bool hole = chunk_id_is_zero(&extent->chunk);

	if (extent->off != builder->end || !extent->len || extent->len > INT64_MAX - extent->off)
		return -EINVAL;
	if (!hole && (extent->len > FRAME_RAW_MAX || extent->chunk_off > FRAME_RAW_MAX - extent->len))
		return -EINVAL;
	builder->end += extent->len;
	if (continues(&builder->last, extent)) {
		builder->last.len += extent->len;
		return 0;
	}
	flush_last(builder);
	builder->last = *extent;
	if (hole)
		builder->last.chunk_off = 0;
	return 0;
}

static void index_segment(
	struct recipe_builder *builder, const struct segment *segment, const struct family_id *family)
{
	uint8_t key[TENSOR_KEY_SIZE], value[TENSOR_VALUE_SIZE];
	uint64_t elements = segment_elements(segment);

	tensor_key(key, segment, builder->number);
	put_le64(value, segment->off);
	put_le64(value + 8, segment->len);
	memcpy(value + 16, family, 16);
	kv_batch_put(builder->recipes->kv, builder->batch, KV_TENSORS, key, sizeof key, value, sizeof value);
	if (!elements)
		return;
	elements_key(key, (unsigned)dtype_width(segment->dtype), elements, builder->number);
	kv_batch_put(builder->recipes->kv, builder->batch, KV_TENSORS, key, sizeof key, value, sizeof value);
}

int recipe_builder_segment(struct recipe_builder *builder, const struct segment *segment,
	const struct family_id *family, int indexed)
{
	struct page *page = &builder->segments_page;

	if (segment->ndims > RECIPE_DIMS_MAX || (unsigned)segment->dtype >= DTYPE_COUNT ||
		strnlen(segment->name, RECIPE_NAME_MAX + 1) > RECIPE_NAME_MAX || segment->off > INT64_MAX ||
		segment->len > INT64_MAX - segment->off)
		return -EINVAL;
	if (page->count == RECIPE_PAGE || page->len > PAGE_HEADER_SIZE + PAGE_SEGMENT_BYTES)
		flush_page(builder, page, PAGE_SEGMENTS, builder->segments_index);
	if (!page->count)
		builder->segments_index = builder->segments;
	page_add_segment(page, segment, indexed);
	builder->segments++;
	if (indexed)
		index_segment(builder, segment, family);
	return 0;
}

int recipe_builder_finish(struct recipe_builder *builder, struct recipe_head *head)
{
	uint8_t key[RECIPE_KEY_SIZE], value[RECIPE_HEAD_SIZE];

	if (head->size != builder->end)
		return -EINVAL;
	flush_last(builder);
	builder->last.len = 0;
	flush_page(builder, &builder->extents_page, PAGE_EXTENTS, builder->extents_off);
	flush_page(builder, &builder->segments_page, PAGE_SEGMENTS, builder->segments_index);
	head->recipe = builder->number;
	head->extents = builder->extents;
	head->segments = builder->segments;
	recipe_head_encode(head, value);
	recipe_key(key, builder->number, PAGE_HEAD, 0);
	kv_batch_put(builder->recipes->kv, builder->batch, KV_RECIPES, key, sizeof key, value, sizeof value);
	return 0;
}
