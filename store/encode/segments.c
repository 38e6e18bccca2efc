#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/encode/private.h"
#include "store/util/array.h"

uint64_t segments_shape(const uint64_t *dims, uint32_t ndims)
{
	uint32_t count = ndims < RECIPE_DIMS_MAX ? ndims : RECIPE_DIMS_MAX;

	return XXH3_64bits(dims, count * sizeof *dims);
}

static int add(struct segments *s, uint64_t off, uint64_t len, enum dtype dtype, const uint64_t *dims,
	uint32_t ndims, const char *name)
{
	size_t name_len = strlen(name) + 1;
	struct segment_entry *list;
	char *names;

	if (len < ENCODE_TENSOR_MIN || (dtype != DTYPE_F32 && dtype != DTYPE_F16 && dtype != DTYPE_BF16))
		return 0;
	if (!(list = array_grow(s->list, s->count, &s->capacity, sizeof *list)))
		return -ENOMEM;
	s->list = list;
	if (!(names = array_reserve(s->names, s->names_len + name_len, &s->names_capacity, 1)))
		return -ENOMEM;
	s->names = names;
	list[s->count++] = (struct segment_entry){.off = off,
		.len = len,
		.shape = segments_shape(dims, ndims),
		.name = s->names_len,
		.dtype = dtype};
	memcpy(names + s->names_len, name, name_len);
	s->names_len += name_len;
	return 0;
}

static int add_segment(void *ctx, const struct segment *segment)
{
	return add(ctx, segment->off, segment->len, segment->dtype, segment->dims, segment->ndims,
		segment->name);
}

static int by_off(const void *a, const void *b)
{
	uint64_t x = ((const struct segment_entry *)a)->off, y = ((const struct segment_entry *)b)->off;

	return (x > y) - (x < y);
}

int segments_load(struct recipes *recipes, uint64_t recipe, struct segments *segments)
{
	int rc = recipe_each_segment(recipes, recipe, add_segment, segments);

	segments->recipe = recipe;
	if (rc == -ENOENT || rc == -EBADMSG || rc == -EPROTONOSUPPORT) {
		segments->count = 0;
		rc = 0;
	}
	if (!rc && segments->count)
		qsort(segments->list, segments->count, sizeof *segments->list, by_off);
	return rc;
}

int segments_of_layout(const struct layout *layout, struct segments *segments)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < layout->count; i++) {
		const struct tensor *t = &layout->tensors[i];
		rc = add(segments, t->off, t->len, t->dtype, t->dims, t->ndims, t->name);
	}
	if (!rc && segments->count)
		qsort(segments->list, segments->count, sizeof *segments->list, by_off);
	return rc;
}

void segments_release(struct segments *segments)
{
	free(segments->list);
	free(segments->names);
	*segments = (struct segments){0};
}
