#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/handle.h"
#include "fs/loop.h"
#include "store/util/log.h"

#define CHECK_MAX (1u << 20) /* bytes of an entry of a cache that are decoded when it is opened */

static bool may_write(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static bool may_read(int flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static void denied_once(struct mount *mount)
{
	if (atomic_exchange(&mount->passthrough, false))
		log_warning("the kernel refuses passthrough; reads and writes are relayed from now on");
}

static void link_in(struct mount *mount, struct handle *handle)
{
	pthread_mutex_lock(&mount->handles_lock);
	handle->next = mount->handles;
	if (handle->next)
		handle->next->prev = handle;
	mount->handles = handle;
	pthread_mutex_unlock(&mount->handles_lock);
}

static void unlink_from(struct mount *mount, struct handle *handle)
{
	pthread_mutex_lock(&mount->handles_lock);
	if (handle->next)
		handle->next->prev = handle->prev;
	if (handle->prev)
		handle->prev->next = handle->next;
	else
		mount->handles = handle->next;
	pthread_mutex_unlock(&mount->handles_lock);
}

/* Takes over `content`, whatever the outcome. */
static int handle_new(struct mount *mount, uint64_t ino, int flags, bool created, struct content *content,
	struct handle **out)
{
	struct handle *handle = calloc(1, sizeof *handle);
	struct node_ask ask = {
		.writer = may_write(flags),
		.reader = may_read(flags),
		.created = created,
		.may_direct = mount->init.direct_mmap,
		.dev_fd = atomic_load(&mount->passthrough) ? mount->dev_fd : -1,
	};
	bool denied;
	int ret = -ENOMEM;

	if (!handle)
		goto out;
	handle->content = content;
	handle->ino = ino;
	handle->flags = flags;
	ask.content_fd = content_fd(content);
	ask.version = content_version(content);
	ret = nodes_open(mount->nodes, ino, &ask, &handle->open, &denied);
	if (ret)
		goto out;
	if (denied)
		denied_once(mount);
	link_in(mount, handle);
	*out = handle;
	return 0;
out:
	free(handle);
	content_release(mount->stage, content, flags);
	return ret;
}

static void handle_free(struct mount *mount, struct handle *handle)
{
	unlink_from(mount, handle);
	nodes_close(mount->nodes, handle->ino, mount->dev_fd, &handle->open);
	content_release(mount->stage, handle->content, handle->flags);
	free(handle);
}

void close_left_over(struct mount *mount)
{
	while (mount->handles)
		handle_free(mount, mount->handles);
}

static void fill(struct fuse_file_info *fi, const struct handle *handle)
{
	fi->fh = (uintptr_t)handle;
	fi->direct_io = handle->open.direct;
	fi->keep_cache = handle->open.keep_cache;
	/* Writes go straight through: only pages dirtied by mmap are left to a close, which must then tell.
	 */
	fi->noflush = !handle->open.writer || !may_read(handle->flags);
}

static struct wire_open passthrough_of(const struct handle *handle)
{
	return (struct wire_open){
		.fh = (uintptr_t)handle,
		.open_flags = WIRE_FOPEN_PASSTHROUGH | FOPEN_NOFLUSH,
		.backing_id = handle->open.backing_id,
	};
}

static int reply_open(fuse_req_t req, struct fuse_file_info *fi, const struct handle *handle)
{
	struct wire_open open;

	if (handle->open.passthrough) {
		open = passthrough_of(handle);
		return fuse_reply_buf(req, (const char *)&open, sizeof open);
	}
	fill(fi, handle);
	return fuse_reply_open(req, fi);
}

/* An entry of a cache: what is damaged is not there, so that it is made again. On failure the content is let
 * go. */
static int open_cached(struct mount *mount, uint64_t ino, int flags, struct content *content)
{
	uint64_t cache = content_cache(content);
	int ret = 0;

	if (!may_write(flags) && !nodes_has_pages(mount->nodes, ino, content_version(content))) {
		loop_slow(atomic_load(&mount->loop));
		ret = content_check(content, CHECK_MAX);
	}
	if (ret == -EBADMSG) {
		keeper_damaged(mount->keeper, cache, ino);
		ret = -ENOENT;
	}
	if (ret)
		content_release(mount->stage, content, flags);
	else if (may_read(flags))
		keeper_hit(mount->keeper, cache, ino);
	return ret;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	bool kill = (unsigned)fi->flags & WIRE_KILL_PRIV;
	int flags = fi->flags & ~(int)WIRE_KILL_PRIV;
	struct content *content;
	struct handle *handle;
	struct inode inode;
	int ret = content_open(mount->stage, ino, flags, &content);

	if (!ret && content_cache(content))
		ret = open_cached(mount, ino, flags, content);
	if (ret) {
		reply_status(req, ret);
		return;
	}
	ret = handle_new(mount, ino, flags, false, content, &handle);
	if (!ret && kill) {
		ret = kill_priv(mount, ino, &inode);
		if (ret)
			handle_free(mount, handle);
	}
	if (ret)
		reply_status(req, ret);
	else if (reply_open(req, fi, handle))
		handle_free(mount, handle);
}

static int reply_create(fuse_req_t req, const struct fuse_entry_param *entry, struct fuse_file_info *fi,
	const struct handle *handle)
{
	struct wire_open open;

	fill(fi, handle);
	if (!handle->open.passthrough)
		return fuse_reply_create(req, entry, fi);
	open = passthrough_of(handle);
	return reply_passed_create(req, entry, &open);
}

static void op_create(
	fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	const struct names_owner owner = owner_of(req);
	int flags = fi->flags & ~(int)WIRE_KILL_PRIV;
	bool unnamed = !strcmp(name, WIRE_UNNAMED);
	struct fuse_entry_param entry;
	struct content *content;
	struct handle *handle;
	struct inode inode;
	int ret;

	ret = content_create(
		mount->stage, parent, unnamed ? NULL : name, mode, &owner, flags, &content, &inode);
	if (ret) {
		reply_status(req, ret);
		return;
	}
	ret = entry_of(mount, &inode, &entry);
	if (ret) {
		content_release(mount->stage, content, flags);
		reply_status(req, ret);
		return;
	}
	if (unnamed)
		nodes_set_unlinked(mount->nodes, inode.ino, true);
	keeper_made(mount->keeper, inode.cache, parent);
	ret = handle_new(mount, inode.ino, flags, true, content, &handle);
	if (!ret && !reply_create(req, &entry, fi, handle))
		return;
	if (ret)
		reply_status(req, ret);
	else
		handle_free(mount, handle);
	if (nodes_forget(mount->nodes, inode.ino, 1))
		drops_add(mount->drops, inode.ino);
}

/* A writer of a cache's file is done. */
static void note_written(struct mount *mount, const struct handle *handle)
{
	uint64_t cache = may_write(handle->flags) ? content_cache(handle->content) : 0;

	if (cache)
		keeper_wrote(mount->keeper, cache, handle->ino, content_size(handle->content));
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	note_written(mount_of(req), handle_of(fi));
	handle_free(mount_of(req), handle_of(fi));
	fuse_reply_err(req, 0);
}

void file_ops(struct fuse_lowlevel_ops *ops)
{
	ops->open = op_open;
	ops->create = op_create;
	ops->release = op_release;
}
