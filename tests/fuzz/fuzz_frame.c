// links: m_recipes
/*
 * Everything small that is read back from packs and the index: frame headers, chunk records, recipe pages.
 * The first byte picks which. An input is also tried with its checksum made right, so that what lies behind
 * it is reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/recipes/pages.h"
#include "store/util/bytes.h"

static void sum_at(uint8_t *bytes, size_t at)
{
	put_le64(bytes + at, XXH3_64bits(bytes, at));
}

static void check(int condition)
{
	if (!condition)
		abort();
}

static void try_frame(const uint8_t *src, size_t len)
{
	uint8_t again[FRAME_HEADER_MAX];
	struct frame frame;
	uint64_t sum;

	if (frame_decode(&frame, &sum, src, len))
		return;
	check(frame.raw_len >= 1 && frame.raw_len <= FRAME_RAW_MAX && frame.payload_len <= FRAME_PAYLOAD_MAX);
	check(!chunk_id_is_zero(&frame.id) && chunk_bases_sound(&frame.bases));
	frame.payload_len = 0;
	check(!frame_decode(&frame, &sum, again, frame_encode(&frame, "", again)));
}

static void try_record(const uint8_t *src, size_t len)
{
	uint8_t again[CHUNK_RECORD_MAX];
	struct chunk_record record, copy;

	memset(&record, 0, sizeof record);
	memset(&copy, 0, sizeof copy);
	if (chunk_record_decode(&record, src, len))
		return;
	check(record.raw_len >= 1 && record.raw_len <= FRAME_RAW_MAX);
	check(record.depth >= 1 && record.depth <= CHUNK_DEPTH_MAX);
	check(record.frames >= record.depth && record.frames <= CHUNK_FRAMES_MAX);
	check(!chunk_record_decode(&copy, again, chunk_record_encode(&record, again)));
	check(!memcmp(&record, &copy, sizeof copy));
}

static void try_extents(const uint8_t *src, size_t len)
{
	struct extent *extents = malloc(RECIPE_PAGE * sizeof *extents);
	uint64_t off = len >= PAGE_HEADER_SIZE ? get_le64(src + 8) : 0, end = off;
	size_t count = 0;

	check(extents != NULL);
	if (!page_decode_extents(extents, &count, len >= 8 ? get_le64(src) : 1, off, src, len)) {
		check(count >= 1 && count <= RECIPE_PAGE);
		for (size_t i = 0; i < count; i++) {
			check(extents[i].off == end && extents[i].len >= 1);
			end += extents[i].len;
			check(end <= INT64_MAX);
			if (!chunk_id_is_zero(&extents[i].chunk))
				check(extents[i].chunk_off + extents[i].len <= FRAME_RAW_MAX);
		}
	}
	free(extents);
}

static int look_at_segment(void *ctx, const struct segment *segment, int indexed)
{
	uint8_t key[TENSOR_KEY_SIZE];

	(void)ctx;
	(void)indexed;
	check(segment->ndims <= RECIPE_DIMS_MAX && strlen(segment->name) <= RECIPE_NAME_MAX);
	check(segment->off + segment->len <= INT64_MAX);
	tensor_key(key, segment, 1);
	return 0;
}

static void try_segments(const uint8_t *src, size_t len)
{
	struct segment *segment = malloc(sizeof *segment);
	uint64_t recipe = len >= 8 ? get_le64(src) : 1, index = len >= 16 ? get_le64(src + 8) : 0;

	check(segment != NULL);
	page_decode_segments(segment, recipe, index, src, len, look_at_segment, NULL);
	free(segment);
}

static void try_head(const uint8_t *src, size_t len)
{
	uint8_t again[RECIPE_HEAD_SIZE];
	struct recipe_head head;

	if (recipe_head_decode(&head, len >= 16 ? get_le64(src + 8) : 1, src, len))
		return;
	recipe_head_encode(&head, again);
	check(!recipe_head_decode(&head, head.recipe, again, sizeof again));
}

static void try_key(const uint8_t *src, size_t len)
{
	uint64_t recipe, off;
	uint8_t kind;

	recipe_key_decode(src, len, &recipe, &kind, &off);
}

static void try_all(uint8_t which, const uint8_t *src, size_t len)
{
	static void (*const tries[])(const uint8_t *, size_t) = {
		try_frame, try_record, try_extents, try_segments, try_head, try_key};

	tries[which % (sizeof tries / sizeof tries[0])](src, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t which, *copy;

	if (!size)
		return 0;
	which = *data++;
	size--;
	try_all(which, data, size);
	if (size < 8)
		return 0;
	copy = malloc(size);
	check(copy != NULL);
	memcpy(copy, data, size);
	sum_at(copy, size - 8);
	try_all(which, copy, size);
	free(copy);
	return 0;
}
