#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/encode/private.h"
#include "store/util/bytes.h"

#define JUDGES 4u     /* large tensors that a candidate is judged on */
#define HITS 12u      /* newest files looked at */
#define CANDIDATES 6u /* of those, tried on samples */

void segment_of(const struct tensor *tensor, struct segment *segment)
{
	segment->off = tensor->off;
	segment->len = tensor->len;
	segment->dtype = tensor->dtype;
	segment->ndims = tensor->ndims < RECIPE_DIMS_MAX ? tensor->ndims : RECIPE_DIMS_MAX;
	memcpy(segment->dims, tensor->dims, segment->ndims * sizeof segment->dims[0]);
	size_t n = strnlen(tensor->name, RECIPE_NAME_MAX);
	memcpy(segment->name, tensor->name, n);
	segment->name[n] = 0;
}

struct family_id family_of(const struct layout *layout)
{
	struct family_id family;
	XXH128_canonical_t canonical;
	XXH3_state_t *state = XXH3_createState();
	uint8_t number[8];

	if (!state)
		return (struct family_id){{0}};
	XXH3_128bits_reset(state);
	for (size_t i = 0; i < layout->count; i++) {
		const struct tensor *t = &layout->tensors[i];
		XXH3_128bits_update(state, t->name, strlen(t->name) + 1);
		put_le64(number, t->dtype);
		XXH3_128bits_update(state, number, 8);
		for (uint32_t d = 0; d < t->ndims && d < FORMAT_DIMS_MAX; d++) {
			put_le64(number, t->dims[d]);
			XXH3_128bits_update(state, number, 8);
		}
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	memcpy(family.b, &canonical, sizeof family.b);
	return family;
}

/* The largest tensors, one a class if there are that many: they stand for the file. */
static size_t pick_judges(const struct layout *layout, size_t judges[JUDGES])
{
	size_t count = 0;

	for (size_t i = 0; i < layout->count; i++) {
		uint64_t len = layout->tensors[i].len;
		size_t at = count;
		while (at && layout->tensors[judges[at - 1]].len < len)
			at--;
		if (at == JUDGES)
			continue;
		if (count < JUDGES)
			count++;
		memmove(&judges[at + 1], &judges[at], (count - 1 - at) * sizeof judges[0]);
		judges[at] = i;
	}
	return count;
}

/* Estimated payload bytes of the judge's middle chunk against the hit's; SIZE_MAX when it cannot be had. */
static size_t judge(struct file_encoding *file, struct codec_workspace *ws, const struct tensor *t,
	const struct tensor_hit *hit, const void *sample, uint64_t at, size_t len)
{
	struct encoder *e = file->encoder;
	struct recipe_cursor *cursor = recipe_cursor_new(e->recipes, hit->recipe);
	struct chunk_data *data;
	struct extent extent;
	size_t cost = SIZE_MAX;

	if (!cursor)
		return cost;
	if (!recipe_cursor_at(cursor, hit->off + at, &extent) && !chunk_id_is_zero(&extent.chunk) &&
		extent.off == hit->off + at && !extent.chunk_off &&
		!decode_chunk(e->decoder, &extent.chunk, &data)) {
		struct codec_input in = {.src = sample, .len = len, .dtype = t->dtype};
		in.base = chunk_data_bytes(data, &in.base_len);
		cost = codec_estimate(ws, &in);
		decode_release(e->decoder, data);
	}
	recipe_cursor_free(cursor);
	return cost;
}

struct candidate {
	uint64_t recipe;
	uint64_t cost;
	unsigned judged;
};

static struct candidate *candidate_of(struct candidate *list, size_t *count, uint64_t recipe)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i].recipe == recipe)
			return &list[i];
	if (*count == CANDIDATES)
		return NULL;
	list[*count] = (struct candidate){.recipe = recipe};
	return &list[(*count)++];
}

/* Files of the same family first, each group newest first. */
static void order_hits(struct tensor_hit *hits, int n, const struct family_id *family)
{
	struct tensor_hit sorted[HITS];
	int at = 0;

	for (int same = 1; same >= 0; same--)
		for (int i = 0; i < n; i++)
			if ((memcmp(&hits[i].family, family, sizeof *family) == 0) == same)
				sorted[at++] = hits[i];
	memcpy(hits, sorted, (size_t)n * sizeof hits[0]);
}

int base_choose(struct file_encoding *file, struct codec_workspace *ws)
{
	struct encoder *e = file->encoder;
	struct candidate list[CANDIDATES];
	struct tensor_hit hits[HITS];
	struct segment *segment = malloc(sizeof *segment);
	uint8_t *sample = malloc(ENCODE_CHUNK);
	size_t judges[JUDGES], count = 0, n_judges = pick_judges(&file->layout, judges);
	int rc = -ENOMEM;

	if (!segment || !sample)
		goto out;
	rc = 0;
	for (size_t j = 0; j < n_judges && !rc; j++) {
		const struct tensor *t = &file->layout.tensors[judges[j]];
		uint64_t at = t->len / 2 / ENCODE_CHUNK * ENCODE_CHUNK;
		size_t len = t->len - at < ENCODE_CHUNK ? (size_t)(t->len - at) : ENCODE_CHUNK;
		segment_of(t, segment);
		int n = recipes_find_tensor(e->recipes, segment, hits, HITS);
		if (n <= 0)
			continue;
		if ((rc = file->view.read(file->view.ctx, t->off + at, sample, len)))
			break;
		order_hits(hits, n, &file->family);
		for (int i = 0; i < n; i++) {
			struct candidate *c =
				hits[i].len == t->len ? candidate_of(list, &count, hits[i].recipe) : NULL;
			size_t cost = c ? judge(file, ws, t, &hits[i], sample, at, len) : SIZE_MAX;
			if (cost == SIZE_MAX)
				continue;
			c->cost += cost;
			c->judged++;
		}
	}
	/* The most judges heard, then the least bytes; the newest of equals. */
	const struct candidate *best = NULL;
	for (size_t i = 0; i < count; i++)
		if (list[i].judged && (!best || list[i].judged > best->judged ||
					      (list[i].judged == best->judged && list[i].cost < best->cost)))
			best = &list[i];
	if (best) {
		file->base_recipe = best->recipe;
		file->base_cursor = recipe_cursor_new(e->recipes, best->recipe);
	}
out:
	free(segment);
	free(sample);
	return rc;
}

/* Where tensor `t` lies in the file that lends bases; -1: not there. Remembered for the tensor under way. */
static int64_t tensor_in_base(struct file_encoding *file, size_t t)
{
	struct tensor_hit hits[HITS];
	struct segment *segment;
	int n;

	if (file->base_tensor == t)
		return file->base_tensor_off;
	file->base_tensor = t;
	file->base_tensor_off = -1;
	if (!(segment = malloc(sizeof *segment)))
		return -1;
	segment_of(&file->layout.tensors[t], segment);
	n = recipes_find_tensor(file->encoder->recipes, segment, hits, HITS);
	for (int i = 0; i < n; i++)
		if (hits[i].recipe == file->base_recipe && hits[i].len == file->layout.tensors[t].len)
			file->base_tensor_off = (int64_t)hits[i].off;
	free(segment);
	return file->base_tensor_off;
}

struct chunk_id base_chunk(struct file_encoding *file, size_t t, uint64_t off, size_t len)
{
	struct extent extent;
	uint64_t at = off;

	if (!file->base_cursor)
		return (struct chunk_id){{0}};
	if (t != SIZE_MAX) {
		int64_t start = tensor_in_base(file, t);
		if (start < 0)
			return (struct chunk_id){{0}};
		at = (uint64_t)start + (off - file->layout.tensors[t].off);
	}
	if (recipe_cursor_at(file->base_cursor, at, &extent))
		return (struct chunk_id){{0}};
	/* Elements must pair: the same range of the same tensor, whole. */
	if (t != SIZE_MAX && (extent.off != at || extent.chunk_off || extent.len != len))
		return (struct chunk_id){{0}};
	return extent.chunk;
}
