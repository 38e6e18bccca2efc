/*
 * Five pickles (magic number, protocol 1001, system, object, storage keys), then for each key in turn the
 * number of elements (int64) and the elements.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define FIRST_READ (64u << 10)

enum { PICKLE_MAGIC, PICKLE_PROTOCOL, PICKLE_SYSTEM, PICKLE_OBJECT, PICKLE_KEYS, PICKLE_COUNT };

static int scan_all(struct pickle *pickles, const uint8_t *bytes, size_t len, size_t *end)
{
	size_t at = 0;

	for (int i = 0; i < PICKLE_COUNT; i++) {
		pickles[i].keep_items = i == PICKLE_KEYS;
		int rc = pickle_scan(&pickles[i], bytes + at, len - at);
		if (rc)
			return rc;
		at += pickles[i].at;
	}
	*end = at;
	return 0;
}

static void release_all(struct pickle *pickles)
{
	for (int i = 0; i < PICKLE_COUNT; i++)
		pickle_release(&pickles[i]);
}

/* The pickles say nowhere how long they are: more is read until they end. */
static int load(const struct view *view, struct pickle *pickles, uint8_t **bytes, size_t *end)
{
	uint64_t limit = view->size < FORMAT_HEADER_MAX ? view->size : FORMAT_HEADER_MAX;
	uint64_t len = limit < FIRST_READ ? limit : FIRST_READ;
	int rc;

	for (;;) {
		rc = view_load(view, 0, len, bytes);
		if (!rc)
			rc = scan_all(pickles, *bytes, (size_t)len, end);
		if (rc != -ENODATA || len == limit)
			return rc == -ENODATA ? ODD : rc;
		release_all(pickles);
		free(*bytes);
		*bytes = NULL;
		len = len < limit / 4 ? len * 4 : limit;
	}
}

static int label_next(const struct view *view, const struct pickle *object, const struct storage *storage,
	uint64_t *at, struct layout *layout)
{
	struct tensor tensor = {0};
	char name[FORMAT_NAME_MAX];
	uint8_t count[8];
	size_t len;
	int rc = view_read(view, *at, count, sizeof count);

	if (rc)
		return rc;
	tensor.off = *at + sizeof count;
	tensor.len = get_le64(count);
	if (!multiply(&tensor.len, storage->width) || tensor.len > view->size - tensor.off ||
		!pickle_describe(object, storage, &tensor))
		return ODD;
	len = pickle_name(object, &storage->place, name);
	*at = tensor.off + tensor.len;
	return len ? layout_add(layout, tensor, name, len) : layout_add(layout, tensor, "tensor", 6);
}

static int label_all(const struct view *view, struct pickle *pickles, uint64_t at, struct layout *layout)
{
	struct pickle *object = &pickles[PICKLE_OBJECT];
	const struct pickle *keys = &pickles[PICKLE_KEYS];

	if (pickles[PICKLE_SYSTEM].big_endian)
		return ODD;
	pickle_index(object);
	for (size_t i = 0; i < keys->items.count; i++) {
		const struct value *key = &keys->items.items[i];
		const struct storage *storage;
		int rc;
		if (key->kind != VALUE_STRING)
			return ODD;
		storage = pickle_find(object, (const char *)keys->bytes + key->at, key->len);
		rc = storage ? label_next(view, object, storage, &at, layout) : ODD;
		if (rc)
			return rc;
	}
	return 0;
}

int torch_legacy_label(const struct view *view, struct layout *layout)
{
	struct pickle pickles[PICKLE_COUNT] = {0};
	uint8_t *bytes = NULL;
	size_t end = 0;
	int rc = load(view, pickles, &bytes, &end);

	if (!rc)
		rc = label_all(view, pickles, end, layout);
	release_all(pickles);
	free(bytes);
	return rc;
}
