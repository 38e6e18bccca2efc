#include "dedup/arrow/cut.h"

#include <errno.h>
#include <string.h>

#include "dedup/arrow/bits.h"
#include "dedup/cut/rewrite.h"

#define INLINE 12 /* bytes of a string in its view */

/* What the cuts of line `id` leave of the text, into text itself; its length. */
static int cut(struct dedup_rewritten *r, const struct dedup_cuts *cuts, uint32_t id, char *text, size_t *len)
{
	size_t count;
	const struct dedup_cut *own = dedup_cuts_of(cuts, id, &count);
	struct dedup_line line = {.text = text, .len = *len, .whole = *len};
	int rc = count && *len ? dedup_rewrite(r, DEDUP_FORMAT_TEXT, NULL, &line, own, count) : 0;

	if (rc || !count || !*len)
		return rc;
	memcpy(text, r->data, r->len);
	*len = r->len;
	return 0;
}

static int64_t offset_at(const void *offsets, bool large, int64_t at)
{
	return large ? arrow_i64(offsets, at) : arrow_i32(offsets, at);
}

static void set_offset(void *offsets, bool large, int64_t at, int64_t value)
{
	int32_t small = (int32_t)value;

	if (large)
		memcpy((char *)offsets + at * 8, &value, sizeof value);
	else
		memcpy((char *)offsets + at * 4, &small, sizeof small);
}

/* Moves every string down to where the one before it ends now. */
static int cut_string(struct dedup_rewritten *r, const struct dedup_cuts *cuts, uint32_t id,
	struct ArrowArray *array, bool large, int64_t row, int64_t *from, int64_t *end)
{
	void *offsets = (void *)(uintptr_t)array->buffers[1];
	char *data = (char *)(uintptr_t)array->buffers[2];
	int64_t to = offset_at(offsets, large, row + 1);
	size_t len = (size_t)(to - *from);
	int rc;

	if (to < *from)
		return -EBADMSG;
	if (len)
		memmove(data + *end, data + *from, len);
	rc = cut(r, cuts, id, data + *end, &len);
	*from = to;
	*end += (int64_t)len;
	set_offset(offsets, large, row + 1, *end);
	return rc;
}

/* Its view, and a long one where it lies. */
static int cut_view(struct dedup_rewritten *r, const struct dedup_cuts *cuts, uint32_t id,
	struct ArrowArray *array, int64_t row)
{
	char *view = (char *)(uintptr_t)array->buffers[1] + row * 16,
	     *data = (char *)(uintptr_t)array->buffers[2];
	int32_t len = arrow_i32(view, 0), place = arrow_i32(view, 3);
	char *text = len > INLINE ? data + place : view + 4;
	size_t left = (size_t)len;
	int rc = len < 0 ? -EBADMSG : cut(r, cuts, id, text, &left);

	if (rc || left == (size_t)len)
		return rc;
	len = (int32_t)left;
	memcpy(view, &len, sizeof len);
	if (len > INLINE) {
		memcpy(view + 4, text, 4);
	} else {
		char inside[INLINE] = {0};

		memcpy(inside, text, left);
		memcpy(view + 4, inside, INLINE);
	}
	return 0;
}

int arrow_cut_texts(struct ArrowArray *copy, const struct arrow_column *column, const struct arrow_runs *runs,
	uint32_t first, const struct dedup_cuts *cuts)
{
	struct dedup_rewritten r = {0};
	bool large = column->kind == ARROW_STRINGS_LARGE;
	int64_t row = 0, from = 0, end = 0;
	int rc = 0;

	for (size_t i = 0; i < column->depth; i++)
		copy = copy->children[column->path[i]];
	for (size_t i = 0; i < runs->count; i++)
		for (int64_t j = runs->v[i].from; !rc && j < runs->v[i].to; j++, row++) {
			uint32_t id = first + (uint32_t)j;

			rc = column->kind == ARROW_STRINGS_VIEW
				     ? cut_view(&r, cuts, id, copy, row)
				     : cut_string(&r, cuts, id, copy, large, row, &from, &end);
		}
	dedup_rewritten_release(&r);
	return rc;
}
