/* Small files of caches in the index of tensors, as recipes.h has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode/private.h"

#define HITS 4u
#define RECENT 128u /* chunks whose sketches are taken after a start */

static void file_segment(struct segment *segment, const uint64_t digest[2], uint64_t size)
{
	memset(segment, 0, offsetof(struct segment, name) + 1);
	segment->len = size;
	segment->ndims = 3;
	segment->dims[0] = digest[0];
	segment->dims[1] = digest[1];
	segment->dims[2] = size;
	strcpy(segment->name, SEGMENT_SMALL);
}

static void mark_segment(struct segment *segment, uint64_t size)
{
	memset(segment, 0, offsetof(struct segment, name) + 1);
	segment->len = size;
	strcpy(segment->name, SEGMENT_SMALL);
}

int small_enter(struct recipe_builder *builder, uint64_t digest[2], uint64_t size, bool first)
{
	const struct family_id none = {{0}};
	struct segment *segment = malloc(sizeof *segment);
	int rc = segment ? 0 : -ENOMEM;

	if (!rc) {
		file_segment(segment, digest, size);
		rc = recipe_builder_segment(builder, segment, &none, 1);
	}
	if (!rc && first) {
		mark_segment(segment, size);
		rc = recipe_builder_segment(builder, segment, &none, 1);
	}
	free(segment);
	return rc;
}

static void unpin(struct encoder *encoder, const struct small_extents *found, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		chunks_unpin(encoder->chunks, &found->list[i].chunk);
}

/* 1 when the extent, whose chunk is pinned, has these bytes; 0. */
static int has_bytes(struct encoder *encoder, const struct extent *extent, const uint8_t *bytes)
{
	struct chunk_record record;
	struct chunk_data *data;
	const uint8_t *raw;
	size_t have;
	int same;

	/* The decoder's cache outlives the record of a chunk that was collected. */
	if (chunks_get(encoder->chunks, &extent->chunk, &record) ||
		decode_chunk(encoder->decoder, &extent->chunk, &data))
		return 0;
	raw = chunk_data_bytes(data, &have);
	same = extent->chunk_off <= have && extent->len <= have - extent->chunk_off &&
	       !memcmp(raw + extent->chunk_off, bytes + extent->off, extent->len);
	decode_release(encoder->decoder, data);
	return same;
}

/* Compares one recipe, pinning as it goes. */
static int compare(struct encoder *encoder, uint64_t recipe, const uint8_t *bytes, size_t len,
	struct small_extents *found)
{
	struct recipe_cursor *cursor = recipe_cursor_new(encoder->recipes, recipe);
	uint64_t off = 0;
	int same = cursor ? 1 : -ENOMEM;

	found->count = 0;
	while (same == 1 && off < len) {
		struct extent *extent = &found->list[found->count];
		if (found->count == SMALL_EXTENTS || recipe_cursor_at(cursor, off, extent) ||
			extent->off != off || extent->len > len - off || chunk_id_is_zero(&extent->chunk)) {
			same = 0;
			break;
		}
		chunks_pin(encoder->chunks, &extent->chunk);
		found->count++;
		same = has_bytes(encoder, extent, bytes);
		off += extent->len;
	}
	recipe_cursor_free(cursor);
	if (same != 1)
		unpin(encoder, found, found->count);
	return same;
}

int small_find(struct encoder *encoder, const uint64_t digest[2], const uint8_t *bytes, size_t len,
	struct small_extents *found)
{
	struct segment *segment = malloc(sizeof *segment);
	struct tensor_hit hits[HITS];
	int same = 0, n;

	if (!segment)
		return -ENOMEM;
	file_segment(segment, digest, len);
	n = recipes_find_tensor(encoder->recipes, segment, hits, HITS);
	for (int i = 0; i < n && !same; i++)
		/* What is dead may be so for leaving a chunk that hardly lives. */
		if (hits[i].len == len && !recipes_is_dead(encoder->recipes, hits[i].recipe))
			same = compare(encoder, hits[i].recipe, bytes, len, found);
	free(segment);
	return same;
}

static void take_chunk(struct encoder *encoder, struct alike *alike, struct sketch *sketch, uint64_t recipe)
{
	struct recipe_cursor *cursor = recipe_cursor_new(encoder->recipes, recipe);
	struct chunk_data *data;
	struct extent extent;
	size_t len;

	if (!cursor)
		return;
	if (!recipe_cursor_at(cursor, 0, &extent) && !chunk_id_is_zero(&extent.chunk) &&
		!decode_chunk(encoder->decoder, &extent.chunk, &data)) {
		const uint8_t *bytes = chunk_data_bytes(data, &len);
		sketch_take(sketch, bytes, len);
		alike_add(alike, &extent.chunk, sketch);
		decode_release(encoder->decoder, data);
	}
	recipe_cursor_free(cursor);
}

void small_chunks_recent(struct encoder *encoder, struct alike *alike)
{
	struct segment *segment = malloc(sizeof *segment);
	struct tensor_hit *hits = calloc(RECENT, sizeof *hits);
	struct sketch *sketch = malloc(sizeof *sketch);
	int n = 0;

	if (segment && hits && sketch) {
		mark_segment(segment, 0);
		n = recipes_find_tensor(encoder->recipes, segment, hits, RECENT);
	}
	while (n-- > 0)
		take_chunk(encoder, alike, sketch, hits[n].recipe);
	free(segment);
	free(hits);
	free(sketch);
}
