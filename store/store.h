/*
 * The content store: one directory that holds everything. Opening it opens its parts in order; the parts are
 * used directly through their own headers.
 *
 * Knows files, names, chunks, packs; knows no FUSE.
 */
#ifndef MITHRIL_STORE_STORE_H
#define MITHRIL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/chunks/chunks.h"
#include "store/decode/decode.h"
#include "store/encode/encode.h"
#include "store/kv/kv.h"
#include "store/kv/superblock.h"
#include "store/names/names.h"
#include "store/packs/packs.h"
#include "store/recipes/recipes.h"
#include "store/stage/stage.h"
#include "store/upkeep/upkeep.h"

struct store_options {
	bool read_only; /* nothing is written, nothing encoded: for stats, info and fsck without repair, of a
			   store nobody has mounted, and for a mount of one on a read-only disk */
	bool hold;	/* with read_only: nobody may open it for writing meanwhile; others may read */
	bool no_background; /* no encoder threads' queue and no upkeep thread: for gc and fsck on an unmounted
			       store. encode_again works */
	uint64_t stage_budget;	    /* 0: default of stage_options */
	uint64_t keep_raw;	    /* as stage_options */
	bool keep_as_is;	    /* as stage_options; so also with no_background */
	unsigned quiet_ms, threads; /* 0: defaults */
	size_t cache_bytes;	    /* decoded chunks; 0: default */
	enum codec_level level;	    /* of encoding */
};

struct store {
	char *path;
	struct superblock sb;
	bool read_only;
	int lock_fd; /* -1: none */
	struct parts parts;
	struct upkeep *upkeep; /* NULL when read_only or no_background */
};

/* Why an open failed, in words a user can act on. */
struct store_error {
	char text[512];
};

/* Makes a new store in directory `path` (made if missing; mode 0700; must be empty). Owner of the root
 * directory: uid, gid. -EEXIST it is a store already; -ENOTEMPTY; -EPERM as trust.h; -errno. */
int store_init(const char *path, uint32_t uid, uint32_t gid, struct store_error *error);

/* -EINVAL not a store; -EPROTONOSUPPORT a newer version; -EBADMSG damaged superblock; -EWOULDBLOCK locked
 * (error says by whom); -EPERM others can write to it (trust.h); -EUCLEAN damaged, or a part is missing;
 * -EROFS, -ENOSPC, -EACCES, -ENOENT. On failure nothing was changed on disk. Raises the process's limit of
 * open files as far as it may. */
int store_open(
	const char *path, const struct store_options *options, struct store **out, struct store_error *error);

/* Stops the threads, syncs, closes. */
void store_close(struct store *store);

#endif
