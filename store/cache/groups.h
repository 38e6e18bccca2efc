/*
 * What belongs together in a cache, and goes together: the groups.
 *
 * A directory whose name is a key (32 or more letters, digits, - and _), or that holds a file __grp__*
 * (Triton) or build.ninja (torch extensions), is a group with all its files. In any other directory files are
 * a group whose names are the same up to the first dot behind their first character, and without a trailing
 * -cache or -atime (JAX): X.cpp, X.so and X.lock of Inductor. Directories are no part of the group of the one
 * they are in.
 *
 * A directory with some of what Triton makes of a kernel and no __grp__* yet is being filled, and as
 * temporary as temporary files.
 *
 * Temporary files (a name with .tmp, or that begins with tmp) and locks (lock, *.lock, *.lck) are no group of
 * their own: a group of nothing else, or in a directory whose name is temporary, is only evicted an hour
 * after its last use.
 */
#ifndef MITHRIL_STORE_CACHE_GROUPS_H
#define MITHRIL_STORE_CACHE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/cache/usage.h"
#include "store/upkeep/upkeep.h"

#define CACHE_QUARANTINE ".mithril-quarantine" /* in a cache: files that were found damaged */

struct cache_file {
	uint64_t ino, size, recipe;
	const char *name;      /* the listing's */
	uint64_t used, stored; /* last use, in ms since 1970; payload bytes that came with it */
};

struct cache_group {
	uint64_t directory, parent;
	const char *path;    /* of the directory, from the root of the mount, without a slash at its end; the
				listing's */
	const char *self;    /* the directory's own name when it is a group as a whole; else NULL */
	size_t first, count; /* its files in the listing */
	uint64_t bytes, used;
	uint64_t others; /* other entries of the directory: of its own directories */
	bool temporary;
};

struct cache_listing {
	struct cache_file *files;
	struct cache_group *groups;
	size_t file_count, file_capacity, group_count, group_capacity;
	uint64_t bytes, stored;
	/* the rest belongs to groups.c */
	struct block *blocks;
	size_t block_left;
};

/* Pure. */
bool group_is_key(const char *directory);
bool group_is_marker(const char *name);
bool group_is_temporary(const char *name);
bool group_is_kernel(const char *name); /* one of the files that Triton's __grp__* will tell of */
/* Bytes of the name that members of its group have in common. */
size_t group_stem(const char *name);

/* All groups below directory `root`, which need not be a cache; caches of their own below it are left out.
 * About 150 bytes of memory a file. `stored` also looks up what each file added to the packs. -ENOENT,
 * -ENOTDIR, -ENOMEM, -EIO. Release it after failure too. */
int cache_list(const struct parts *parts, struct usage *usage, uint64_t root, bool stored,
	struct cache_listing *listing);
void cache_listing_release(struct cache_listing *listing);
/* By last use, the oldest first. */
void cache_listing_sort(struct cache_listing *listing);

/* The path of a directory from the root of the mount; the caller frees. -ENOENT, -ENOMEM, -EIO. */
int cache_path(const struct parts *parts, uint64_t directory, char **path);

#endif
