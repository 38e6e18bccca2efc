/*
 * An open file. Private to fs/. Made by open and create (file_ops.c), used by reads and writes (io_ops.c).
 */
#ifndef MITHRIL_FS_HANDLE_H
#define MITHRIL_FS_HANDLE_H

#include "fs/mount.h"

struct handle {
	struct handle *next, *prev; /* of all that are open */
	struct content *content;
	uint64_t ino;
	int flags;
	struct node_open open;
};

static inline struct handle *handle_of(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

#endif
