/* What a scanned pickle says of its storages: one entry a key, its name, its elements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"

#define NAME_PARTS_MAX 64

struct sort_key {
	const uint8_t *bytes;
	const struct storage *storage;
};

static int compare_bytes(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
	return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_storages(const void *a, const void *b, void *bytes)
{
	const struct storage *x = a, *y = b;
	const uint8_t *base = bytes;
	int order = compare_bytes(base + x->key, x->key_len, base + y->key, y->key_len);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static bool same_key(const struct pickle *p, const struct storage *x, const struct storage *y)
{
	return x->key_len == y->key_len && !memcmp(p->bytes + x->key, p->bytes + y->key, x->key_len);
}

static uint64_t shape_elements(const struct pickle *p, const struct storage *storage)
{
	const struct value *tuple;
	uint64_t n = 1;

	if (!storage->shape)
		return 0;
	tuple = &p->items.items[storage->shape - 1];
	for (uint32_t i = 0; i < tuple->len; i++)
		if (tuple[1 + i].kind != VALUE_INT || !multiply(&n, tuple[1 + i].at))
			return 0;
	return n;
}

/* The same storage under another tensor. A shape of all elements tells more than one of a part. */
static void join(const struct pickle *p, struct storage *first, const struct storage *again)
{
	if (first->place.container == NOWHERE)
		first->place = again->place;
	if (first->dtype == DTYPE_OPAQUE)
		first->dtype = again->dtype;
	if (shape_elements(p, again) > shape_elements(p, first))
		first->shape = again->shape;
}

void pickle_index(struct pickle *p)
{
	size_t kept = 0;

	if (!p->storage_count)
		return;
	qsort_r(p->storages, p->storage_count, sizeof *p->storages, compare_storages, (void *)p->bytes);
	for (size_t i = 1; i < p->storage_count; i++) {
		if (same_key(p, &p->storages[kept], &p->storages[i]))
			join(p, &p->storages[kept], &p->storages[i]);
		else
			p->storages[++kept] = p->storages[i];
	}
	p->storage_count = kept + 1;
}

const struct storage *pickle_find(const struct pickle *p, const char *key, size_t len)
{
	size_t low = 0, high = p->storage_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct storage *s = &p->storages[mid];
		int order = compare_bytes(p->bytes + s->key, s->key_len, (const uint8_t *)key, len);
		if (!order)
			return s;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Attributes of torch.nn.Module that its state_dict leaves out of names. */
static bool is_silent(const struct pickle *p, const struct place *place)
{
	static const char *const words[] = {"_modules", "_parameters", "_buffers"};

	if (place->key_kind == VALUE_NONE)
		return true;
	for (size_t i = 0; i < 3 && place->key_kind == VALUE_STRING; i++)
		if (place->key_len == strlen(words[i]) &&
			!memcmp(p->bytes + place->key, words[i], place->key_len))
			return true;
	return false;
}

static size_t put_part(const struct pickle *p, const struct place *place, char *dst, size_t at)
{
	char number[24];
	const char *part = number;
	size_t len;

	if (place->key_kind == VALUE_STRING) {
		part = (const char *)p->bytes + place->key;
		len = place->key_len;
	} else {
		len = (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)place->key);
	}
	if (at && at < FORMAT_NAME_MAX)
		dst[at++] = '.';
	if (len > FORMAT_NAME_MAX - at)
		len = FORMAT_NAME_MAX - at;
	memcpy(dst + at, part, len);
	return at + len;
}

size_t pickle_name(const struct pickle *p, const struct place *place, char *dst)
{
	const struct place *parts[NAME_PARTS_MAX];
	size_t count = 0, steps = 0, at = 0;

	for (; place->container != NOWHERE && steps < NAME_PARTS_MAX; steps++) {
		if (!is_silent(p, place))
			parts[count++] = place;
		place = &p->containers[place->container].place;
	}
	while (count)
		at = put_part(p, parts[--count], dst, at);
	return at;
}

/* Elements by the width of the dtype, not of the storage: bytes may hold wider ones. */
bool pickle_describe(const struct pickle *p, const struct storage *storage, struct tensor *tensor)
{
	uint64_t bytes = storage->numel, width = dtype_width(storage->dtype);
	const struct value *tuple;

	tensor->ndims = 0;
	tensor->dtype = DTYPE_OPAQUE;
	if (!storage->width || !multiply(&bytes, storage->width) || bytes != tensor->len || bytes % width)
		return false;
	tensor->dtype = storage->dtype;
	if (storage->dtype == DTYPE_OPAQUE || !bytes)
		return true;
	if (shape_elements(p, storage) != bytes / width) {
		tensor_add_dim(tensor, bytes / width);
		return true;
	}
	tuple = &p->items.items[storage->shape - 1];
	for (uint32_t i = 0; i < tuple->len; i++)
		tensor_add_dim(tensor, tuple[1 + i].at);
	return true;
}
