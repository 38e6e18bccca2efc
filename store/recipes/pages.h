/*
 * Recipe keys and pages as bytes: pure functions, layouts in recipes.h.
 */
#ifndef MITHRIL_STORE_RECIPES_PAGES_H
#define MITHRIL_STORE_RECIPES_PAGES_H

#include "store/recipes/recipes.h"

#define RECIPE_KEY_SIZE 17u
#define RECIPE_HEAD_SIZE 96u
#define PAGE_HEADER_SIZE 24u
#define PAGE_SUM_SIZE 8u
#define PAGE_EXTENT_SIZE 28u
#define PAGE_SEGMENT_SIZE 22u /* without dims and name */
#define PAGE_SEGMENT_MAX (PAGE_SEGMENT_SIZE + 8 * RECIPE_DIMS_MAX + RECIPE_NAME_MAX)
#define PAGE_SEGMENT_BYTES (32u << 10) /* a page of segments ends when it is longer */
#define PAGE_SIZE_MAX (PAGE_HEADER_SIZE + PAGE_SEGMENT_BYTES + PAGE_SEGMENT_MAX + PAGE_SUM_SIZE)
#define TENSOR_KEY_SIZE 24u
#define TENSOR_VALUE_SIZE 32u

enum page_kind { PAGE_HEAD = 'H', PAGE_SEGMENTS = 'S', PAGE_EXTENTS = 'X' };

void recipe_key(uint8_t key[RECIPE_KEY_SIZE], uint64_t recipe, enum page_kind kind, uint64_t off);
/* -EBADMSG it is no such key. */
int recipe_key_decode(const uint8_t *key, size_t len, uint64_t *recipe, uint8_t *kind, uint64_t *off);

void recipe_head_encode(const struct recipe_head *head, uint8_t dst[RECIPE_HEAD_SIZE]);
int recipe_head_decode(struct recipe_head *head, uint64_t recipe, const uint8_t *src, size_t len);

/* A page being filled. Starts at PAGE_HEADER_SIZE; `bytes` has room for PAGE_SIZE_MAX. */
struct page {
	uint32_t count;
	size_t len;
	uint8_t bytes[PAGE_SIZE_MAX];
};
void page_reset(struct page *page);
void page_add_extent(struct page *page, const struct extent *extent);
void page_add_segment(struct page *page, const struct segment *segment, int indexed);
/* Writes header and checksum; page->len is then the whole length. */
void page_finish(struct page *page, uint64_t recipe, uint64_t off);

/* Both: -EBADMSG. The page must say that it is page `off` of `recipe`. extents: room for RECIPE_PAGE. */
int page_decode_extents(
	struct extent *extents, size_t *count, uint64_t recipe, uint64_t off, const uint8_t *src, size_t len);
/* Calls `each` for every segment, with segment as scratch; what it gives, if not 0, is returned. */
int page_decode_segments(struct segment *segment, uint64_t recipe, uint64_t index, const uint8_t *src,
	size_t len, int (*each)(void *ctx, const struct segment *segment, int indexed), void *ctx);

/* Key of KV_TENSORS; the first 16 bytes are the tensor's. */
void tensor_key(uint8_t key[TENSOR_KEY_SIZE], const struct segment *segment, uint64_t recipe);
/* The same for tensors of so many elements of `width` bytes, whatever their name, dtype and dims. */
void elements_key(uint8_t key[TENSOR_KEY_SIZE], unsigned width, uint64_t count, uint64_t recipe);

#endif
