#include "store/upkeep/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/bytes.h"

#define ENTRY_KEY_MIN 17u /* be64 parent, be64 hash, name */
#define ENTRY_VALUE 9u	  /* le64 child, type */

struct find_name {
	uint64_t ino;
	char name[NAMES_MAX + 1];
};

static int is_it(void *ctx, const struct names_entry *entry)
{
	struct find_name *find = ctx;

	if (entry->ino != find->ino || !strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return 0;
	snprintf(find->name, sizeof find->name, "%s", entry->name);
	return 1;
}

/* Puts "/name" before what is in `path` from *at on. */
static int prepend(char path[PATHS_MAX], size_t *at, const char *name, size_t len)
{
	if (len + 1 > *at)
		return -ENAMETOOLONG;
	*at -= len;
	memcpy(path + *at, name, len);
	path[--*at] = '/';
	return 0;
}

/* The path of entry `name` of directory `parent`, at the end of `path`. */
static int path_of(const struct parts *parts, uint64_t parent, const char *name, size_t len,
	char path[PATHS_MAX], size_t *at)
{
	int rc;

	*at = PATHS_MAX - 1;
	path[*at] = 0;
	rc = prepend(path, at, name, len);
	while (!rc && parent != NAMES_ROOT) {
		struct find_name find = {.ino = parent};
		struct inode inode;

		rc = names_get(parts->names, parent, &inode);
		if (!rc)
			rc = names_readdir(parts->names, inode.parent, 0, is_it, &find);
		if (!rc && !find.name[0])
			rc = -ENOENT;
		if (!rc)
			rc = prepend(path, at, find.name, strlen(find.name));
		parent = inode.parent;
	}
	return rc;
}

static int tell_entry(const struct parts *parts, struct kv_iter *it, const struct numbers *wanted,
	struct numbers *told, int (*each)(void *ctx, uint64_t ino, const char *path), void *ctx)
{
	size_t key_len, value_len, at;
	const uint8_t *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &value_len);
	char path[PATHS_MAX];
	uint64_t ino, *seen;

	if (key_len < ENTRY_KEY_MIN || value_len != ENTRY_VALUE)
		return 0;
	ino = get_le64(value);
	if (!ino || !numbers_get(wanted, ino) || numbers_get(told, ino))
		return 0;
	if (path_of(parts, get_be64(key), (const char *)key + 16, key_len - 16, path, &at))
		return 0;
	seen = numbers_at(told, ino);
	if (!seen)
		return -ENOMEM;
	*seen = 1;
	return each(ctx, ino, path + at);
}

int paths_each(const struct parts *parts, const struct numbers *wanted,
	int (*each)(void *ctx, uint64_t ino, const char *path), void *ctx)
{
	struct numbers told = {0};
	struct kv_iter *it;
	int rc = 0;

	if (!wanted->count)
		return 0;
	it = kv_iter_new(parts->kv, KV_ENTRIES, NULL, 0);
	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it) && told.count < wanted->count; kv_iter_next(it))
		rc = tell_entry(parts, it, wanted, &told, each, ctx);
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	for (size_t i = 0; !rc && i < wanted->capacity; i++) {
		char name[32];

		if (!wanted->entries[i].key || numbers_get(&told, wanted->entries[i].key))
			continue;
		snprintf(name, sizeof name, "inode %" PRIu64, wanted->entries[i].key);
		rc = each(ctx, wanted->entries[i].key, name);
	}
	numbers_release(&told);
	return rc;
}

struct hurt {
	const struct parts *parts;
	const struct marks *bad;
	struct numbers places;	/* recipe -> how many */
	struct numbers first;	/* recipe -> offset of the first + 1 */
	struct numbers recipes; /* ino -> recipe */
	void (*report)(void *ctx, const char *line);
	void *ctx;
};

static int note_place(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct hurt *hurt = ctx;
	uint64_t *count, *first;

	if (!marks_find(hurt->bad, &extent->chunk))
		return 0;
	count = numbers_at(&hurt->places, recipe);
	first = numbers_at(&hurt->first, recipe);
	if (!count || !first)
		return -ENOMEM;
	if (!(*count)++)
		*first = extent->off + 1;
	return 0;
}

static int note_inodes(struct hurt *hurt)
{
	struct kv_iter *it = kv_iter_new(hurt->parts->kv, KV_INODES, NULL, 0);
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		size_t key_len, value_len;
		const void *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &value_len);
		struct inode inode;
		uint64_t *recipe;

		if (key_len != 8 || inode_decode(&inode, get_be64(key), value, value_len) || !inode.recipe ||
			!numbers_get(&hurt->places, inode.recipe))
			continue;
		recipe = numbers_at(&hurt->recipes, inode.ino);
		if (recipe)
			*recipe = inode.recipe;
		else
			rc = -ENOMEM;
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

static int tell_hurt(void *ctx, uint64_t ino, const char *path)
{
	struct hurt *hurt = ctx;
	uint64_t recipe = numbers_get(&hurt->recipes, ino);
	char line[PATHS_MAX + 128];

	snprintf(line, sizeof line,
		"%s: %" PRIu64 " damaged places, the first at offset %" PRIu64
		"; they read as an I/O error; restore the file from a copy",
		path, numbers_get(&hurt->places, recipe), numbers_get(&hurt->first, recipe) - 1);
	hurt->report(hurt->ctx, line);
	return 0;
}

int64_t paths_report_hurt(const struct parts *parts, const struct marks *bad,
	void (*report)(void *ctx, const char *line), void *ctx)
{
	struct hurt hurt = {.parts = parts, .bad = bad, .report = report, .ctx = ctx};
	int64_t files;
	int rc = bad->count ? recipes_each_extent(parts->recipes, note_place, &hurt) : 0;

	/* Damaged pages are another finding's business. */
	if ((!rc || rc == -EBADMSG) && hurt.places.count)
		rc = note_inodes(&hurt);
	if (!rc)
		rc = paths_each(parts, &hurt.recipes, tell_hurt, &hurt);
	files = (int64_t)hurt.recipes.count;
	numbers_release(&hurt.places);
	numbers_release(&hurt.first);
	numbers_release(&hurt.recipes);
	return rc && rc != -EBADMSG ? rc : files;
}
