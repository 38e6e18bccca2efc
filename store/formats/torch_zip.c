#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"

struct archive {
	const char *stem; /* "archive/", in the directory */
	size_t stem_len;
	struct zip_member pickle;
	bool big_endian;
};

/* What follows the stem and `folder` in a member's name; NULL if it begins otherwise. */
static const char *below(const struct archive *a, const struct zip_member *m, const char *folder, size_t *len)
{
	size_t skip = a->stem_len + strlen(folder);

	if (m->name_len < skip || memcmp(m->name, a->stem, a->stem_len) ||
		memcmp(m->name + a->stem_len, folder, strlen(folder)))
		return NULL;
	*len = m->name_len - skip;
	return m->name + skip;
}

static bool is_file(const struct archive *a, const struct zip_member *m, const char *name)
{
	size_t len;
	return below(a, m, name, &len) && !len;
}

static int read_byteorder(struct zip *zip, const struct zip_member *m, struct archive *a)
{
	char word[3] = "";
	uint64_t off;
	int rc;

	if (!m->stored || m->size != 3)
		return 0; /* "little" */
	rc = zip_data(zip, m, &off);
	if (!rc)
		rc = view_read(zip->view, off, word, sizeof word);
	a->big_endian = !rc && !memcmp(word, "big", 3);
	return rc == ODD ? 0 : rc;
}

/* STEM/data.pkl, whatever the stem, and STEM/byteorder. */
static int open_archive(struct zip *zip, struct archive *a)
{
	struct zip_member m;
	int rc = 0;

	*a = (struct archive){0};
	zip->at = 0;
	while (!a->stem && zip_next(zip, &m)) {
		const char *slash = memchr(m.name, '/', m.name_len);
		size_t stem = slash ? (size_t)(slash - m.name) + 1 : 0;
		if (!stem || m.name_len - stem != 8 || memcmp(m.name + stem, "data.pkl", 8))
			continue;
		a->stem = m.name;
		a->stem_len = stem;
		a->pickle = m;
	}
	if (!a->stem || !a->pickle.stored)
		return ODD;
	zip->at = 0;
	while (!rc && zip_next(zip, &m))
		if (is_file(a, &m, "byteorder"))
			rc = read_byteorder(zip, &m, a);
	return rc;
}

/* Whatever the pickle is: what could be read of it is used. */
static int scan(struct zip *zip, const struct archive *a, uint8_t **bytes, struct pickle *pickle)
{
	uint64_t off;
	int rc = zip_data(zip, &a->pickle, &off);

	if (!rc)
		rc = view_load(zip->view, off, a->pickle.size, bytes);
	if (!rc) {
		rc = pickle_scan(pickle, *bytes, (size_t)a->pickle.size);
		rc = rc == -ENODATA ? ODD : rc;
		pickle_index(pickle);
	}
	return rc == ODD ? 0 : rc;
}

/* PREFIX, or PREFIX.PATH, or PREFIX.data.KEY where the pickle gives no path. At most FORMAT_NAME_MAX bytes
 * and a NUL. */
static size_t make_name(const char *prefix, const struct pickle *pickle, const struct storage *storage,
	const char *key, size_t key_len, char *dst)
{
	char path[FORMAT_NAME_MAX];
	size_t len = storage ? pickle_name(pickle, &storage->place, path) : 0;
	bool lone = storage && !len && pickle->has_root && pickle->storage_count == 1 &&
		    (pickle->root.kind == VALUE_TENSOR || pickle->root.kind == VALUE_STORAGE);
	const char *dot = *prefix ? "." : "";
	int n;

	if (lone)
		n = snprintf(dst, FORMAT_NAME_MAX + 1, "%s", *prefix ? prefix : "tensor");
	else if (len)
		n = snprintf(dst, FORMAT_NAME_MAX + 1, "%s%s%.*s", prefix, dot, (int)len, path);
	else
		n = snprintf(dst, FORMAT_NAME_MAX + 1, "%s%sdata.%.*s", prefix, dot, (int)key_len, key);
	return n < 0 ? 0 : n < (int)FORMAT_NAME_MAX ? (size_t)n : FORMAT_NAME_MAX;
}

static int label_storage(struct zip *zip, const struct archive *a, const struct zip_member *m,
	const struct pickle *pickle, const char *prefix, struct layout *layout)
{
	struct tensor tensor = {.len = m->size};
	const struct storage *storage;
	char name[FORMAT_NAME_MAX + 1];
	size_t key_len;
	const char *key = below(a, m, "data/", &key_len);
	int rc;

	if (!key || !key_len || !m->stored || memchr(key, '/', key_len))
		return 0;
	rc = zip_data(zip, m, &tensor.off);
	if (rc)
		return rc;
	storage = pickle_find(pickle, key, key_len);
	if (storage)
		pickle_describe(pickle, storage, &tensor);
	if (a->big_endian) {
		tensor.dtype = DTYPE_OPAQUE;
		tensor.ndims = 0;
	}
	return layout_add(layout, tensor, name, make_name(prefix, pickle, storage, key, key_len, name));
}

int torch_zip_label(struct zip *zip, const char *prefix, struct layout *layout)
{
	struct pickle pickle = {0};
	struct zip_member m;
	struct archive a;
	uint8_t *bytes = NULL;
	int rc = open_archive(zip, &a);

	if (!rc)
		rc = scan(zip, &a, &bytes, &pickle);
	zip->at = 0;
	while (!rc && zip_next(zip, &m))
		rc = label_storage(zip, &a, &m, &pickle, prefix, layout);
	pickle_release(&pickle);
	free(bytes);
	return rc;
}
