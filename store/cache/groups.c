#include "store/cache/groups.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

#define KEY_MIN 32u
#define BLOCK_SIZE (64u << 10)
#define DEPTH_MAX 4096u

/* Strings of a listing, freed together. */
struct block {
	struct block *next;
	char bytes[BLOCK_SIZE];
};

bool group_is_key(const char *directory)
{
	size_t n = 0;

	for (; directory[n]; n++)
		if (!isalnum((unsigned char)directory[n]) && directory[n] != '-' && directory[n] != '_')
			return false;
	return n >= KEY_MIN;
}

bool group_is_marker(const char *name)
{
	return !strncmp(name, "__grp__", 7) || !strcmp(name, "build.ninja");
}

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && !strcmp(name + n - m, with);
}

bool group_is_temporary(const char *name)
{
	return strstr(name, ".tmp") || !strncmp(name, "tmp", 3) || !strcmp(name, "lock") ||
	       ends(name, ".lock") || ends(name, ".lck");
}

bool group_is_kernel(const char *name)
{
	static const char *const ends_with[] = {
		".source", ".ttir", ".ttgir", ".llir", ".ptx", ".cubin", ".amdgcn", ".hsaco"};

	for (size_t i = 0; i < sizeof ends_with / sizeof *ends_with; i++)
		if (ends(name, ends_with[i]))
			return true;
	return false;
}

size_t group_stem(const char *name)
{
	const char *dot = *name ? strchr(name + 1, '.') : NULL;

	if (dot)
		return (size_t)(dot - name);
	if ((ends(name, "-cache") || ends(name, "-atime")) && strlen(name) > 6)
		return strlen(name) - 6;
	return strlen(name);
}

static const char *keep_text(struct cache_listing *listing, const char *text)
{
	size_t n = strlen(text) + 1;

	if (n > BLOCK_SIZE)
		return NULL;
	if (n > listing->block_left) {
		struct block *block = malloc(sizeof *block);
		if (!block)
			return NULL;
		block->next = listing->blocks;
		listing->blocks = block;
		listing->block_left = BLOCK_SIZE;
	}
	listing->block_left -= n;
	return memcpy(listing->blocks->bytes + listing->block_left, text, n);
}

void cache_listing_release(struct cache_listing *listing)
{
	while (listing->blocks) {
		struct block *block = listing->blocks;
		listing->blocks = block->next;
		free(block);
	}
	free(listing->files);
	free(listing->groups);
	*listing = (struct cache_listing){0};
}

/* --- the walk --- */

/* A directory that is still to be looked at. */
struct pending {
	uint64_t ino, parent;
	const char *path;
	const char *name; /* its own */
	bool temporary;
};

struct walk {
	const struct parts *parts;
	struct usage *usage;
	struct cache_listing *listing;
	uint64_t root;
	bool stored;
	struct pending *pending, at;
	size_t count, capacity;
	bool marked, kernel; /* the directory holds a marker; what a marker will tell of */
	uint64_t others;     /* entries of it that are no files */
	int rc;
};

static int push(struct walk *walk, const char *name, uint64_t ino)
{
	struct pending *pending = array_grow(walk->pending, walk->count, &walk->capacity, sizeof *pending);
	char *path = NULL;
	int rc = -ENOMEM;

	if (!pending)
		return rc;
	walk->pending = pending;
	if (asprintf(&path, "%s/%s", walk->at.path, name) < 0)
		return rc;
	pending[walk->count] = (struct pending){.ino = ino,
		.parent = walk->at.ino,
		.path = keep_text(walk->listing, path),
		.name = keep_text(walk->listing, name),
		.temporary = walk->at.temporary || group_is_temporary(name)};
	if (pending[walk->count].path && pending[walk->count].name) {
		walk->count++;
		rc = 0;
	}
	free(path);
	return rc;
}

static int add_file(struct walk *walk, const char *name, const struct inode *inode)
{
	struct cache_listing *listing = walk->listing;
	struct cache_file *files =
		array_grow(listing->files, listing->file_count, &listing->file_capacity, sizeof *files);
	struct cache_file *file;
	struct recipe_head head;
	uint64_t used;

	if (!files)
		return -ENOMEM;
	listing->files = files;
	file = &files[listing->file_count];
	*file = (struct cache_file){.ino = inode->ino,
		.size = inode->size,
		.recipe = inode->recipe,
		.used = usage_ms(&inode->atime)};
	used = usage_ms(&inode->mtime);
	file->used = used > file->used ? used : file->used;
	used = usage_last(walk->usage, inode->ino);
	file->used = used > file->used ? used : file->used;
	if (walk->stored && inode->content == CONTENT_ENCODED &&
		!recipe_head_get(walk->parts->recipes, inode->recipe, &head))
		file->stored = head.new_bytes;
	else if (walk->stored && inode->content != CONTENT_ENCODED)
		file->stored = inode->size;
	if (!(file->name = keep_text(listing, name)))
		return -ENOMEM;
	listing->file_count++;
	listing->bytes += file->size;
	listing->stored += file->stored;
	walk->marked |= group_is_marker(name);
	walk->kernel |= group_is_kernel(name);
	return 0;
}

static int see(void *ctx, const struct names_entry *entry)
{
	struct walk *walk = ctx;
	struct inode inode;

	if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return 0;
	walk->rc = names_get(walk->parts->names, entry->ino, &inode);
	if (walk->rc == -ENOENT || walk->rc == -EIO) {
		walk->rc = 0; /* gone by now, or damaged: fsck's business */
		return 0;
	}
	if (!walk->rc && S_ISDIR(inode.mode)) {
		walk->others++;
		if (inode.cache != inode.ino)
			walk->rc = push(walk, entry->name, inode.ino);
	} else if (!walk->rc) {
		if (walk->parts->stage)
			content_fill(walk->parts->stage, &inode);
		walk->rc = add_file(walk, entry->name, &inode);
	}
	return walk->rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct cache_file *)a)->name, ((const struct cache_file *)b)->name);
}

static bool same_stem(const char *a, const char *b)
{
	size_t n = group_stem(a);

	return n == group_stem(b) && !memcmp(a, b, n);
}

static int add_group(struct walk *walk, size_t first, size_t count, bool whole)
{
	struct cache_listing *listing = walk->listing;
	struct cache_group *groups =
		array_grow(listing->groups, listing->group_count, &listing->group_capacity, sizeof *groups);
	struct cache_group *group;

	if (!groups)
		return -ENOMEM;
	listing->groups = groups;
	group = &groups[listing->group_count++];
	*group = (struct cache_group){.directory = walk->at.ino,
		.parent = walk->at.parent,
		.path = walk->at.path,
		.self = whole ? walk->at.name : NULL,
		.first = first,
		.count = count,
		.used = whole ? usage_last(walk->usage, walk->at.ino) : 0,
		.others = walk->others,
		.temporary = true};
	for (size_t i = first; i < first + count; i++) {
		const struct cache_file *file = &listing->files[i];
		group->bytes += file->size;
		group->used = file->used > group->used ? file->used : group->used;
		group->temporary &= walk->at.temporary || group_is_temporary(file->name);
	}
	group->temporary |= whole && walk->kernel && !walk->marked;
	return 0;
}

/* Files of one stem stand together once they are sorted by name, but for what sorts before a dot. */
static int add_stems(struct walk *walk, size_t first)
{
	struct cache_listing *listing = walk->listing;
	int rc = 0;

	for (size_t from = first; !rc && from < listing->file_count;) {
		size_t to = from + 1;
		for (size_t i = to; i < listing->file_count; i++) {
			struct cache_file file = listing->files[i];
			size_t n = group_stem(listing->files[from].name);
			if (strncmp(file.name, listing->files[from].name, n) != 0)
				break;
			if (!same_stem(file.name, listing->files[from].name))
				continue;
			memmove(&listing->files[to + 1], &listing->files[to], (i - to) * sizeof file);
			listing->files[to++] = file;
		}
		rc = add_group(walk, from, to - from, false);
		from = to;
	}
	return rc;
}

static int walk_directory(struct walk *walk)
{
	struct cache_listing *listing = walk->listing;
	size_t first = listing->file_count;
	int rc;

	walk->marked = walk->kernel = false;
	walk->others = 0;
	rc = names_readdir(walk->parts->names, walk->at.ino, 0, see, walk);
	if (!rc)
		rc = walk->rc;
	if (rc == -ENOENT && walk->at.ino != walk->root)
		return 0;
	if (rc || listing->file_count == first)
		return rc;
	qsort(listing->files + first, listing->file_count - first, sizeof *listing->files, by_name);
	if (walk->at.ino != walk->root && (walk->marked || group_is_key(walk->at.name)))
		return add_group(walk, first, listing->file_count - first, true);
	return add_stems(walk, first);
}

int cache_list(const struct parts *parts, struct usage *usage, uint64_t root, bool stored,
	struct cache_listing *listing)
{
	struct walk walk = {
		.parts = parts, .usage = usage, .listing = listing, .root = root, .stored = stored};
	struct inode inode;
	char *path = NULL;
	int rc;

	*listing = (struct cache_listing){0};
	rc = names_get(parts->names, root, &inode);
	if (!rc && !S_ISDIR(inode.mode))
		rc = -ENOTDIR;
	if (!rc)
		rc = cache_path(parts, root, &path);
	if (rc)
		return rc;
	walk.at = (struct pending){.ino = root, .parent = inode.parent, .name = ""};
	walk.at.path = keep_text(listing, path);
	rc = walk.at.path ? walk_directory(&walk) : -ENOMEM;
	while (!rc && walk.count) {
		walk.at = walk.pending[--walk.count];
		rc = walk_directory(&walk);
	}
	free(walk.pending);
	free(path);
	return rc;
}

static int by_use(const void *a, const void *b)
{
	const struct cache_group *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

void cache_listing_sort(struct cache_listing *listing)
{
	if (listing->group_count)
		qsort(listing->groups, listing->group_count, sizeof *listing->groups, by_use);
}

/* --- a directory's path --- */

struct search {
	uint64_t ino;
	char name[NAMES_MAX + 1];
};

static int is_it(void *ctx, const struct names_entry *entry)
{
	struct search *search = ctx;

	if (entry->ino != search->ino || !strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return 0;
	snprintf(search->name, sizeof search->name, "%s", entry->name);
	return 1;
}

int cache_path(const struct parts *parts, uint64_t directory, char **path)
{
	char *text = strdup("");
	int rc = text ? 0 : -ENOMEM;

	for (unsigned depth = 0; !rc && directory != NAMES_ROOT; depth++) {
		struct search search = {.ino = directory};
		struct inode inode;
		char *longer;
		rc = depth < DEPTH_MAX ? names_get(parts->names, directory, &inode) : -ELOOP;
		if (!rc)
			rc = names_readdir(parts->names, inode.parent, 0, is_it, &search);
		if (!rc && !search.name[0])
			rc = -ENOENT;
		if (rc)
			break;
		if (asprintf(&longer, "/%s%s", search.name, text) < 0) {
			rc = -ENOMEM;
			break;
		}
		free(text);
		text = longer;
		directory = inode.parent;
	}
	if (rc)
		free(text);
	else
		*path = text;
	return rc;
}
