#include "dedup/arrow/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dedup/arrow/buffers.h"
#include "dedup/arrow/type.h"

#define DEPTH_MAX 64u

static int copy_array(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, const struct arrow_runs *runs, unsigned depth);

static void release(struct ArrowArray *array)
{
	for (int64_t i = 0; array->buffers && i < array->n_buffers; i++)
		free((void *)(uintptr_t)array->buffers[i]);
	for (int64_t i = 0; array->children && i < array->n_children; i++) {
		if (array->children[i] && array->children[i]->release)
			array->children[i]->release(array->children[i]);
		free(array->children[i]);
	}
	if (array->dictionary && array->dictionary->release)
		array->dictionary->release(array->dictionary);
	free(array->dictionary);
	free(array->children);
	free(array->buffers);
	array->release = NULL;
}

static int copy_child(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, int64_t number, const struct arrow_runs *runs, unsigned depth)
{
	copy->children[number] = calloc(1, sizeof *copy->children[number]);
	if (!copy->children[number])
		return -ENOMEM;
	return copy_array(
		copy->children[number], schema->children[number], array->children[number], runs, depth);
}

static int copy_list(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, const struct arrow_runs *runs, int64_t width, unsigned depth)
{
	struct arrow_runs items = {0};
	int rc = arrow_copy_offsets(copy, array, runs, width, array->children[0]->length, &items);

	rc = rc ? rc : copy_child(copy, schema, array, 0, &items, depth);
	free(items.v);
	return rc;
}

/* Each row is `each` rows of every child, counted from the array's offset on. */
static int copy_aligned(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, const struct arrow_runs *runs, int64_t each, unsigned depth)
{
	struct arrow_runs items = {.v = calloc(runs->count + 1, sizeof *items.v)};
	int rc = items.v ? 0 : -ENOMEM;

	for (; !rc && each && items.count < runs->count; items.count++) {
		struct arrow_run *run = &items.v[items.count];

		if (__builtin_mul_overflow(array->offset + runs->v[items.count].from, each, &run->from) ||
			__builtin_mul_overflow(array->offset + runs->v[items.count].to, each, &run->to))
			rc = -EBADMSG;
		items.rows += run->to - run->from;
	}
	for (int64_t i = 0; !rc && i < array->n_children; i++)
		rc = copy_child(copy, schema, array, i, &items, depth);
	free(items.v);
	return rc;
}

static int copy_dictionary(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, unsigned depth)
{
	struct arrow_run all = {0, array->dictionary->length};
	struct arrow_runs runs = {&all, array->dictionary->length > 0, array->dictionary->length};

	copy->dictionary = calloc(1, sizeof *copy->dictionary);
	if (!copy->dictionary)
		return -ENOMEM;
	return copy_array(copy->dictionary, schema->dictionary, array->dictionary, &runs, depth);
}

static bool is_sane(const struct arrow_type *type, const struct ArrowSchema *schema,
	const struct ArrowArray *array, const struct arrow_runs *runs)
{
	int64_t children = type->layout == ARROW_LIST || type->layout == ARROW_FIXED_LIST ? 1
			   : type->layout == ARROW_STRUCT				  ? schema->n_children
											  : 0;

	if (!array->release || array->length < 0 || array->offset < 0 ||
		array->length > INT64_MAX / 64 - array->offset || array->n_children != children ||
		schema->n_children != children || (children && (!array->children || !schema->children)) ||
		(type->buffers && !array->buffers) || !array->dictionary != !schema->dictionary)
		return false;
	if (type->layout == ARROW_VIEWS ? array->n_buffers < 3 || array->n_buffers > INT32_MAX
					: array->n_buffers != type->buffers)
		return false;
	for (int64_t i = 0; i < children; i++)
		if (!array->children[i] || !schema->children[i])
			return false;
	if (runs->count && (runs->v[0].from < 0 || runs->v[runs->count - 1].to > array->length))
		return false;
	return !array->length || array->n_buffers < 2 || array->buffers[1];
}

static int copy_array(struct ArrowArray *copy, const struct ArrowSchema *schema,
	const struct ArrowArray *array, const struct arrow_runs *runs, unsigned depth)
{
	struct arrow_type type;
	int rc = depth < DEPTH_MAX ? arrow_type_of(&type, schema) : -EOPNOTSUPP;

	if (rc)
		return rc;
	if (!is_sane(&type, schema, array, runs))
		return -EBADMSG;
	*copy = (struct ArrowArray){.length = runs->rows, .release = release};
	copy->n_buffers = type.layout == ARROW_VIEWS ? 4 : type.buffers;
	copy->n_children = array->n_children;
	copy->buffers = calloc((size_t)copy->n_buffers + 1, sizeof *copy->buffers);
	copy->children = calloc((size_t)copy->n_children + 1, sizeof *copy->children);
	if (!copy->buffers || !copy->children)
		return -ENOMEM;
	rc = type.buffers ? arrow_copy_valid(copy, array, runs) : 0;
	if (type.layout == ARROW_NULLS)
		copy->null_count = copy->length;
	if (rc)
		return rc;
	switch (type.layout) {
	case ARROW_NULLS:
		return 0;
	case ARROW_BITS:
		return arrow_copy_bits(copy, array, runs);
	case ARROW_FIXED:
		rc = arrow_copy_fixed(copy, array, runs, type.width);
		return rc || !schema->dictionary ? rc : copy_dictionary(copy, schema, array, depth + 1);
	case ARROW_BYTES:
		return arrow_copy_bytes(copy, array, runs, type.width);
	case ARROW_VIEWS:
		return arrow_copy_views(copy, array, runs);
	case ARROW_LIST:
		return copy_list(copy, schema, array, runs, type.width, depth + 1);
	case ARROW_FIXED_LIST:
		return copy_aligned(copy, schema, array, runs, type.width, depth + 1);
	default:
		return copy_aligned(copy, schema, array, runs, 1, depth + 1);
	}
}

static int can(const struct ArrowSchema *schema, const char **format, unsigned depth)
{
	struct arrow_type type;
	int rc = depth < DEPTH_MAX ? arrow_type_of(&type, schema) : -EOPNOTSUPP;

	*format = schema->format ? schema->format : "";
	if (!rc && schema->dictionary)
		rc = can(schema->dictionary, format, depth + 1);
	for (int64_t i = 0; !rc && schema->children && i < schema->n_children; i++)
		if (schema->children[i])
			rc = can(schema->children[i], format, depth + 1);
	return rc;
}

int arrow_rows_can(const struct ArrowSchema *schema, const char **format)
{
	return can(schema, format, 0);
}

int arrow_rows_copy(struct ArrowArray *copy, const struct ArrowSchema *schema, const struct ArrowArray *array,
	const struct arrow_runs *runs)
{
	int rc;

	copy->release = NULL;
	rc = copy_array(copy, schema, array, runs, 0);

	if (rc && copy->release)
		copy->release(copy);
	return rc;
}
