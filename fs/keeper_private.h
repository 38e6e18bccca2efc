/*
 * What the files of the keeper share: keeper.c has its thread, keeper_words.c what others tell and ask it.
 */
#ifndef MITHRIL_FS_KEEPER_PRIVATE_H
#define MITHRIL_FS_KEEPER_PRIVATE_H

#include <pthread.h>

#include "fs/keeper.h"
#include "fs/mount.h"

#define DAMAGED_MAX 256u
#define GRACE_MS 2000u /* a group that was just used is whole for its reader */

struct damaged {
	uint64_t cache, ino;
};

struct keeper {
	struct mount *mount;
	struct fuse_session *fuse;
	struct cache_env env;
	struct tended_table table;
	pthread_mutex_t work; /* held by whoever walks or changes caches */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake, eased;
	struct damaged damaged[DAMAGED_MAX];
	size_t damaged_count;
	bool over, refresh, stop;
};

#endif
