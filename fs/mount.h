/*
 * One mount, as the operations see it. Private to fs/.
 */
#ifndef MITHRIL_FS_MOUNT_H
#define MITHRIL_FS_MOUNT_H

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/drops.h"
#include "fs/fs.h"
#include "fs/keeper.h"
#include "fs/meter.h"
#include "fs/nodes.h"
#include "fs/read_buffers.h"
#include "fs/wire.h"

struct handle;
struct loop;

struct mount {
	struct store *store;
	struct names *names;
	struct stage *stage;
	struct nodes *nodes;
	struct drops *drops;
	struct keeper *keeper;
	struct read_buffers *buffers;
	pthread_mutex_t handles_lock;
	struct handle *handles;	     /* all that are open */
	_Atomic(struct loop *) loop; /* that serves it; NULL at first */
	double timeout;
	int store_fd;		 /* the store's directory, for statfs */
	int dev_fd;		 /* /dev/fuse */
	atomic_bool passthrough; /* granted and found to work */
	struct wire_init init;
	struct meter meter;
	/* A request may follow from the reply to another, of another thread; the kernel orders them, but the
	 * language does not know: replies release here, requests acquire. */
	atomic_uint replies;
};

static inline struct mount *mount_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* reply.c: what every operation says back. */

/* 0 or -errno of the store as FUSE wants it; damage (-EBADMSG) is EIO to the caller. */
void reply_status(fuse_req_t req, int status);
void stat_of(const struct inode *inode, struct stat *st);
/* Attributes, with how long they may be kept. */
void reply_attr(fuse_req_t req, const struct inode *inode);
/* An entry the kernel learns by it: counts the lookup and fills `entry`. */
int entry_of(struct mount *mount, const struct inode *inode, struct fuse_entry_param *entry);
void reply_entry(fuse_req_t req, const struct inode *inode);
/* The reply to a create whose file is passed through, which libfuse has no call for. Counts nothing. */
int reply_passed_create(fuse_req_t req, const struct fuse_entry_param *entry, const struct wire_open *open);
/* Who asks. */
struct names_owner owner_of(fuse_req_t req);
/* Clears set-user-ID, set-group-ID and file capabilities, as a change by somebody without the right to keep
 * them must. */
int kill_priv(struct mount *mount, uint64_t ino, struct inode *out);
/* The inode has lost its last name: its content goes when the kernel forgets it. */
void note_unlinked(struct mount *mount, uint64_t ino);

/* Closes what was still open when the connection ended, for which no release will come. */
void close_left_over(struct mount *mount);

/* The operations, by subject. */
void names_ops(struct fuse_lowlevel_ops *ops);
void attr_ops(struct fuse_lowlevel_ops *ops);
void file_ops(struct fuse_lowlevel_ops *ops);
void io_ops(struct fuse_lowlevel_ops *ops);
void dir_ops(struct fuse_lowlevel_ops *ops);
void xattr_ops(struct fuse_lowlevel_ops *ops);

#endif
