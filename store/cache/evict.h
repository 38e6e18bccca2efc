/*
 * What leaves a cache: whole groups, so that it keeps within its bound, and files that are damaged, so that
 * they are missed and made again.
 *
 * A group goes in one batch (names_remove_group), if nothing of it is open and nothing was used in the last
 * `grace_ms`: a reader that has opened one of its files finds the others. Any thread, but one at a time for a
 * cache: the caller sees to that.
 */
#ifndef MITHRIL_STORE_CACHE_EVICT_H
#define MITHRIL_STORE_CACHE_EVICT_H

#include "store/cache/groups.h"

struct cache_env {
	const struct parts *parts; /* with a stage */
	struct usage *usage;
	/* A name is gone from a directory: the kernel must forget it, and what has lost its last name
	 * (unlinked) is to be dropped. No lock is held. */
	void (*gone)(void *ctx, uint64_t directory, const char *name, uint64_t ino, bool unlinked);
	void *ctx;
};

struct cache_evicted {
	uint64_t groups, files, bytes; /* that went */
	uint64_t busy_groups, left;    /* that would have but were in use; bytes that stayed */
};
/* When there are more than `above` bytes: evicts what was used least recently until at most `target` are
 * left, or nothing more may go. `progress` (may be NULL) as for gc_run, -EINTR. Errors of cache_list; a group
 * that cannot go for another reason than use is logged and stays. */
int cache_evict(const struct cache_env *env, uint64_t root, uint64_t above, uint64_t target,
	uint64_t grace_ms, int (*progress)(void *ctx, const char *phase, double share), void *ctx,
	struct cache_evicted *result);

/* Moves a file to the cache's quarantine: <inode in 16 hex digits>-<name>. `path` (the caller frees; may be
 * NULL) is where it was. `ino` is looked for below `cache`. -ENOENT it is not there (any more). */
int cache_quarantine(const struct cache_env *env, uint64_t cache, uint64_t ino, char **path);

struct cache_verified {
	uint64_t files, bytes, damaged, quarantined;
};
/* Reads every file below `root` from the disk up, and moves the damaged ones to the quarantine of their cache
 * (of `root` where they have none). `report` gets each with its path. -EINTR, errors of cache_list. */
int cache_verify(const struct cache_env *env, uint64_t root,
	int (*progress)(void *ctx, const char *phase, double share),
	void (*report)(void *ctx, const char *path, const char *what), void *ctx,
	struct cache_verified *result);

#endif
