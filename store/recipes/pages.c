#include "store/recipes/pages.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "store/util/bytes.h"

#define RECIPE_VERSION 1u
#define HEAD_SUM_AT 88u

_Static_assert(RECIPE_PAGE *PAGE_EXTENT_SIZE + PAGE_HEADER_SIZE + PAGE_SUM_SIZE <= PAGE_SIZE_MAX,
	"room for extents");

void recipe_key(uint8_t key[RECIPE_KEY_SIZE], uint64_t recipe, enum page_kind kind, uint64_t off)
{
	put_be64(key, recipe);
	key[8] = (uint8_t)kind;
	put_be64(key + 9, off);
}

int recipe_key_decode(const uint8_t *key, size_t len, uint64_t *recipe, uint8_t *kind, uint64_t *off)
{
	if (len != RECIPE_KEY_SIZE)
		return -EBADMSG;
	*recipe = get_be64(key);
	*kind = key[8];
	*off = get_be64(key + 9);
	return *kind == PAGE_HEAD || *kind == PAGE_SEGMENTS || *kind == PAGE_EXTENTS ? 0 : -EBADMSG;
}

void recipe_head_encode(const struct recipe_head *head, uint8_t dst[RECIPE_HEAD_SIZE])
{
	memset(dst, 0, RECIPE_HEAD_SIZE);
	put_le32(dst, RECIPE_VERSION);
	put_le32(dst + 4, head->format);
	put_le64(dst + 8, head->recipe);
	put_le64(dst + 16, head->size);
	put_le64(dst + 24, head->new_bytes);
	put_le64(dst + 32, head->extents);
	put_le64(dst + 40, head->segments);
	memcpy(dst + 48, &head->family, 16);
	put_le64(dst + HEAD_SUM_AT, XXH3_64bits(dst, HEAD_SUM_AT));
}

int recipe_head_decode(struct recipe_head *head, uint64_t recipe, const uint8_t *src, size_t len)
{
	if (len != RECIPE_HEAD_SIZE || get_le64(src + HEAD_SUM_AT) != XXH3_64bits(src, HEAD_SUM_AT))
		return -EBADMSG;
	if (get_le32(src) != RECIPE_VERSION)
		return -EPROTONOSUPPORT;
	head->format = get_le32(src + 4);
	head->recipe = get_le64(src + 8);
	head->size = get_le64(src + 16);
	head->new_bytes = get_le64(src + 24);
	head->extents = get_le64(src + 32);
	head->segments = get_le64(src + 40);
	memcpy(&head->family, src + 48, 16);
	return head->recipe == recipe && head->size <= INT64_MAX ? 0 : -EBADMSG;
}

void page_reset(struct page *page)
{
	page->count = 0;
	page->len = PAGE_HEADER_SIZE;
}

void page_add_extent(struct page *page, const struct extent *extent)
{
	uint8_t *dst = page->bytes + page->len;

	memcpy(dst, &extent->chunk, 16);
	put_le64(dst + 16, extent->len);
	put_le32(dst + 24, extent->chunk_off);
	page->len += PAGE_EXTENT_SIZE;
	page->count++;
}

void page_add_segment(struct page *page, const struct segment *segment, int indexed)
{
	uint8_t *dst = page->bytes + page->len;
	size_t name_len = strlen(segment->name);

	put_le64(dst, segment->off);
	put_le64(dst + 8, segment->len);
	dst[16] = (uint8_t)segment->dtype;
	dst[17] = indexed ? 1 : 0;
	dst[18] = (uint8_t)segment->ndims;
	dst[19] = 0;
	put_le16(dst + 20, (uint16_t)name_len);
	dst += PAGE_SEGMENT_SIZE;
	for (uint32_t i = 0; i < segment->ndims; i++, dst += 8)
		put_le64(dst, segment->dims[i]);
	memcpy(dst, segment->name, name_len);
	page->len += PAGE_SEGMENT_SIZE + 8 * segment->ndims + name_len;
	page->count++;
}

void page_finish(struct page *page, uint64_t recipe, uint64_t off)
{
	put_le64(page->bytes, recipe);
	put_le64(page->bytes + 8, off);
	put_le32(page->bytes + 16, page->count);
	put_le32(page->bytes + 20, 0);
	put_le64(page->bytes + page->len, XXH3_64bits(page->bytes, page->len));
	page->len += PAGE_SUM_SIZE;
}

/* Sets *src, *len to what is between header and checksum. */
static int page_open(uint64_t recipe, uint64_t off, uint32_t *count, const uint8_t **src, size_t *len)
{
	const uint8_t *page = *src;
	size_t body;

	if (*len < PAGE_HEADER_SIZE + PAGE_SUM_SIZE || *len > PAGE_SIZE_MAX)
		return -EBADMSG;
	body = *len - PAGE_SUM_SIZE;
	if (get_le64(page + body) != XXH3_64bits(page, body))
		return -EBADMSG;
	*count = get_le32(page + 16);
	if (get_le64(page) != recipe || get_le64(page + 8) != off || *count < 1 || *count > RECIPE_PAGE)
		return -EBADMSG;
	*src = page + PAGE_HEADER_SIZE;
	*len = body - PAGE_HEADER_SIZE;
	return 0;
}

static int extent_decode(struct extent *extent, uint64_t off, const uint8_t *src)
{
	extent->off = off;
	memcpy(&extent->chunk, src, 16);
	extent->len = get_le64(src + 16);
	extent->chunk_off = get_le32(src + 24);
	if (!extent->len || extent->len > INT64_MAX - off)
		return -EBADMSG;
	if (chunk_id_is_zero(&extent->chunk))
		return extent->chunk_off ? -EBADMSG : 0;
	return extent->len <= FRAME_RAW_MAX && extent->chunk_off <= FRAME_RAW_MAX - extent->len ? 0
												: -EBADMSG;
}

int page_decode_extents(
	struct extent *extents, size_t *count, uint64_t recipe, uint64_t off, const uint8_t *src, size_t len)
{
	uint32_t n;

	if (off > INT64_MAX || page_open(recipe, off, &n, &src, &len) || len != (size_t)n * PAGE_EXTENT_SIZE)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++, src += PAGE_EXTENT_SIZE) {
		if (extent_decode(extents + i, off, src))
			return -EBADMSG;
		off += extents[i].len;
	}
	*count = n;
	return 0;
}

/* Bytes taken, or -EBADMSG. */
static int segment_decode(struct segment *segment, int *indexed, const uint8_t *src, size_t len)
{
	size_t name_len, need;

	if (len < PAGE_SEGMENT_SIZE)
		return -EBADMSG;
	segment->off = get_le64(src);
	segment->len = get_le64(src + 8);
	segment->dtype = (enum dtype)src[16];
	*indexed = src[17] & 1;
	segment->ndims = src[18];
	name_len = get_le16(src + 20);
	if (src[16] >= DTYPE_COUNT || segment->ndims > RECIPE_DIMS_MAX || name_len > RECIPE_NAME_MAX)
		return -EBADMSG;
	need = PAGE_SEGMENT_SIZE + 8 * (size_t)segment->ndims + name_len;
	if (need > len || segment->off > INT64_MAX || segment->len > INT64_MAX - segment->off)
		return -EBADMSG;
	src += PAGE_SEGMENT_SIZE;
	for (uint32_t i = 0; i < segment->ndims; i++, src += 8)
		segment->dims[i] = get_le64(src);
	if (memchr(src, 0, name_len))
		return -EBADMSG;
	memcpy(segment->name, src, name_len);
	segment->name[name_len] = 0;
	return (int)need;
}

int page_decode_segments(struct segment *segment, uint64_t recipe, uint64_t index, const uint8_t *src,
	size_t len, int (*each)(void *ctx, const struct segment *segment, int indexed), void *ctx)
{
	uint32_t n;

	if (page_open(recipe, index, &n, &src, &len))
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		int indexed, rc;
		int taken = segment_decode(segment, &indexed, src, len);
		if (taken < 0)
			return taken;
		rc = each(ctx, segment, indexed);
		if (rc)
			return rc;
		src += taken;
		len -= (size_t)taken;
	}
	return len ? -EBADMSG : 0;
}

static void hashed_key(uint8_t key[TENSOR_KEY_SIZE], const uint8_t *text, size_t len, uint64_t recipe)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, len));
	memcpy(key, &canonical, 16);
	put_be64(key + 16, ~recipe);
}

uint64_t segment_elements(const struct segment *segment)
{
	bool counts =
		segment->dtype == DTYPE_F32 || segment->dtype == DTYPE_F16 || segment->dtype == DTYPE_BF16;

	return counts ? segment->len / dtype_width(segment->dtype) : 0;
}

void elements_key(uint8_t key[TENSOR_KEY_SIZE], unsigned width, uint64_t count, uint64_t recipe)
{
	uint8_t text[10] = {0xff, (uint8_t)width};

	put_le64(text + 2, count);
	hashed_key(key, text, sizeof text, recipe);
}

void tensor_key(uint8_t key[TENSOR_KEY_SIZE], const struct segment *segment, uint64_t recipe)
{
	uint8_t text[2 + 8 * RECIPE_DIMS_MAX + RECIPE_NAME_MAX];
	size_t name_len = strlen(segment->name), at = 2;

	text[0] = (uint8_t)segment->dtype;
	text[1] = (uint8_t)segment->ndims;
	for (uint32_t i = 0; i < segment->ndims; i++, at += 8)
		put_le64(text + at, segment->dims[i]);
	memcpy(text + at, segment->name, name_len);
	hashed_key(key, text, at + name_len, recipe);
}
