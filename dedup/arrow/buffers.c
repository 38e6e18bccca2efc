#include "dedup/arrow/buffers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/bits.h"

#define ALIGNMENT 64u /* what the specification recommends */

/* A buffer of the copy, zeroed; the array frees it. */
static void *buffer_new(struct ArrowArray *copy, int64_t number, int64_t items, int64_t width)
{
	size_t size;
	void *buffer;

	if (__builtin_mul_overflow((size_t)items, (size_t)width, &size) || size > SIZE_MAX / 2)
		return NULL;
	size = (size / ALIGNMENT + 1) * ALIGNMENT;
	buffer = aligned_alloc(ALIGNMENT, size);
	if (buffer)
		memset(buffer, 0, size);
	copy->buffers[number] = buffer;
	return buffer;
}

int arrow_copy_valid(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs)
{
	const uint8_t *from = array->null_count ? array->buffers[0] : NULL;
	uint8_t *to;
	int64_t row = 0;

	if (!from)
		return 0;
	to = buffer_new(copy, 0, runs->rows / 8 + 1, 1);
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++)
		for (int64_t j = runs->v[i].from; j < runs->v[i].to; j++, row++) {
			if (arrow_bit(from, array->offset + j))
				arrow_bit_set(to, row);
			else
				copy->null_count++;
		}
	return 0;
}

int arrow_copy_bits(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs)
{
	uint8_t *to = buffer_new(copy, 1, runs->rows / 8 + 1, 1);
	int64_t row = 0;

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++)
		for (int64_t j = runs->v[i].from; j < runs->v[i].to; j++, row++)
			if (arrow_bit(array->buffers[1], array->offset + j))
				arrow_bit_set(to, row);
	return 0;
}

int arrow_copy_fixed(
	struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs, int64_t width)
{
	char *to = buffer_new(copy, 1, runs->rows, width);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++) {
		const struct arrow_run *run = &runs->v[i];
		size_t len = (size_t)((run->to - run->from) * width);

		memcpy(to, (const char *)array->buffers[1] + (array->offset + run->from) * width, len);
		to += len;
	}
	return 0;
}

static int64_t offset_at(const struct ArrowArray *array, int64_t row, int64_t width)
{
	return width == 4 ? arrow_i32(array->buffers[1], array->offset + row)
			  : arrow_i64(array->buffers[1], array->offset + row);
}

/* The offsets of the copy, and in `items` the runs of what they point to. `most`: items there are. */
int arrow_copy_offsets(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs,
	int64_t width, int64_t most, struct arrow_runs *items)
{
	char *to = buffer_new(copy, 1, runs->rows + 1, width);
	int64_t last = 0;

	items->v = calloc(runs->count + 1, sizeof *items->v);
	if (!to || !items->v)
		return -ENOMEM;
	for (size_t i = 0; i < runs->count; i++) {
		const struct arrow_run *run = &runs->v[i];
		int64_t first = offset_at(array, run->from, width), shift = first - items->rows;

		if (first < last)
			return -EBADMSG;
		last = first;
		for (int64_t j = run->from + 1; j <= run->to; j++) {
			int64_t next = offset_at(array, j, width);
			int64_t shifted = next - shift;

			if (next < last || next > most)
				return -EBADMSG;
			to += width;
			memcpy(to, &shifted, (size_t)width); /* little-endian */
			last = next;
		}
		if (last > first)
			items->v[items->count++] = (struct arrow_run){first, last};
		items->rows += last - first;
	}
	return 0;
}

int arrow_copy_bytes(
	struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs, int64_t width)
{
	struct arrow_runs items = {0};
	int rc = arrow_copy_offsets(copy, array, runs, width, INT64_MAX / 2, &items);
	char *to = rc ? NULL : buffer_new(copy, 2, items.rows, 1);

	if (!rc && !to)
		rc = -ENOMEM;
	if (!rc && items.rows && !array->buffers[2])
		rc = -EBADMSG;
	for (size_t i = 0; !rc && items.rows && i < items.count; i++) {
		size_t len = (size_t)(items.v[i].to - items.v[i].from);

		memcpy(to, (const char *)array->buffers[2] + items.v[i].from, len);
		to += len;
	}
	free(items.v);
	return rc;
}

/* Where a view's bytes are; NULL: in itself. */
static int view_data(const struct ArrowArray *array, const char *view, const char **data, int32_t *len)
{
	int64_t count = array->n_buffers - 3, held;
	int32_t buffer = arrow_i32(view, 2), offset = arrow_i32(view, 3);

	*data = NULL;
	*len = arrow_i32(view, 0);
	if (*len <= 12)
		return *len < 0 ? -EBADMSG : 0;
	if (buffer < 0 || buffer >= count || offset < 0 || !array->buffers[2 + buffer] ||
		!array->buffers[2 + count])
		return -EBADMSG;
	held = arrow_i64(array->buffers[2 + count], buffer);
	if (held < offset || *len > held - offset)
		return -EBADMSG;
	*data = (const char *)array->buffers[2 + buffer] + offset;
	return 0;
}

static bool is_valid(const struct ArrowArray *array, int64_t row)
{
	return !array->null_count || !array->buffers[0] || arrow_bit(array->buffers[0], array->offset + row);
}

/* Long strings of all rows that are taken go to one buffer: `to` is NULL for only counting their bytes. */
static int put_views(
	const struct ArrowArray *array, const struct arrow_runs *runs, char *views, char *to, int64_t *bytes)
{
	*bytes = 0;
	for (size_t i = 0; i < runs->count; i++)
		for (int64_t j = runs->v[i].from; j < runs->v[i].to; j++, views += 16) {
			const char *view = (const char *)array->buffers[1] + (array->offset + j) * 16, *data;
			int32_t len, place[2] = {0, (int32_t)*bytes};

			if (!is_valid(array, j))
				continue;
			if (view_data(array, view, &data, &len))
				return -EBADMSG;
			memcpy(views, view, 16);
			if (!data)
				continue;
			memcpy(views + 8, place, sizeof place);
			if (to)
				memcpy(to + *bytes, data, (size_t)len);
			*bytes += len;
			if (*bytes > INT32_MAX)
				return -EOVERFLOW;
		}
	return 0;
}

int arrow_copy_views(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs)
{
	char *views = buffer_new(copy, 1, runs->rows, 16), *to;
	int64_t bytes, *lengths;
	int rc;

	if (!views)
		return -ENOMEM;
	rc = put_views(array, runs, views, NULL, &bytes);
	if (rc)
		return rc;
	to = buffer_new(copy, 2, bytes, 1);
	lengths = buffer_new(copy, 3, 1, sizeof *lengths);
	if (!to || !lengths)
		return -ENOMEM;
	*lengths = bytes;
	return put_views(array, runs, views, to, &bytes);
}
