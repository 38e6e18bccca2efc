/*
 * Keeps caches: counts what is asked of them, remembers when their files were last used, holds them within
 * their bounds, and moves damaged entries aside. A thread of its own does what takes time; requests only
 * leave word.
 *
 * Bounds are of the sizes of files. A cache that is above its bound is brought to nine tenths of it; while it
 * is above by more than a thirtieth, who makes files in it waits a little, up to two seconds each time.
 */
#ifndef MITHRIL_FS_KEEPER_H
#define MITHRIL_FS_KEEPER_H

#include <stdint.h>

#include "fs/tended.h"
#include "store/cache/evict.h"

struct mount;
struct fuse_session;
struct keeper;

/* `mount` is borrowed, and has names and stage. -ENOMEM, errors of names_caches. */
int keeper_new(struct mount *mount, struct keeper **out);
/* Starts the thread. `fuse` is told of names that go. */
int keeper_start(struct keeper *keeper, struct fuse_session *fuse);
/* Ends the thread, and writes last uses down. The other calls still work. NULL is fine. */
void keeper_halt(struct keeper *keeper);
void keeper_free(struct keeper *keeper);

/* From requests. `cache` 0: nothing is done. */
void keeper_hit(struct keeper *keeper, uint64_t cache, uint64_t ino); /* opened for reading */
void keeper_miss(struct keeper *keeper, uint64_t cache);	      /* looked for and not there */
void keeper_wrote(struct keeper *keeper, uint64_t cache, uint64_t ino, uint64_t bytes);
/* A file was made in that directory: what is there is being filled, and stays. Waits while the cache is far
 * above its bound. */
void keeper_made(struct keeper *keeper, uint64_t cache, uint64_t directory);
void keeper_damaged(struct keeper *keeper, uint64_t cache, uint64_t ino);
/* A directory has become a cache, or is one no more, or its bound has changed. */
void keeper_refresh(struct keeper *keeper);

/* Of all caches that there are; the caller frees. -ENOMEM, -EIO. */
int keeper_counts(struct keeper *keeper, struct tended_counts **counts, size_t *count);

/* For requests that evict, list or verify: the environment, while nobody else works on caches. */
const struct cache_env *keeper_take(struct keeper *keeper);
void keeper_give(struct keeper *keeper);
/* What was done by one who has taken it. */
void keeper_evicted(struct keeper *keeper, uint64_t cache, const struct cache_evicted *evicted);
void keeper_quarantined(struct keeper *keeper, uint64_t cache, uint64_t files);

#endif
