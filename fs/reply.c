#include <errno.h>
#include <linux/fuse.h>
#include <sys/stat.h>

#include "fs/mount.h"

/* What programs use as the size of their buffers: a request costs as much as copying some tens of KiB. */
#define IO_SIZE (64u << 10)

void reply_status(fuse_req_t req, int status)
{
	fuse_reply_err(req, status == -EBADMSG ? EIO : -status);
}

void stat_of(const struct inode *inode, struct stat *st)
{
	*st = (struct stat){
		.st_ino = inode->ino,
		.st_mode = inode->mode,
		.st_nlink = inode->nlink,
		.st_uid = inode->uid,
		.st_gid = inode->gid,
		.st_rdev = inode->rdev,
		.st_size = (off_t)inode->size,
		.st_blksize = IO_SIZE,
		.st_blocks = (blkcnt_t)inode->blocks,
		.st_atim = inode->atime,
		.st_mtim = inode->mtime,
		.st_ctim = inode->ctime,
	};
}

static double keep_attr(struct mount *mount, const struct inode *inode)
{
	if (S_ISREG(inode->mode) && nodes_written_elsewhere(mount->nodes, inode->ino))
		return 0;
	return mount->timeout;
}

void reply_attr(fuse_req_t req, const struct inode *inode)
{
	struct stat st;

	stat_of(inode, &st);
	fuse_reply_attr(req, &st, keep_attr(mount_of(req), inode));
}

int entry_of(struct mount *mount, const struct inode *inode, struct fuse_entry_param *entry)
{
	*entry = (struct fuse_entry_param){
		.ino = inode->ino,
		.attr_timeout = keep_attr(mount, inode),
		.entry_timeout = mount->timeout,
	};
	stat_of(inode, &entry->attr);
	return nodes_add(mount->nodes, inode->ino);
}

void reply_entry(fuse_req_t req, const struct inode *inode)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param entry;
	int ret = entry_of(mount, inode, &entry);

	if (ret)
		reply_status(req, ret);
	else if (fuse_reply_entry(req, &entry) && nodes_forget(mount->nodes, inode->ino, 1))
		drops_add(mount->drops, inode->ino);
}

static void fill_times(struct fuse_attr *attr, const struct stat *st)
{
	attr->atime = (uint64_t)st->st_atim.tv_sec;
	attr->atimensec = (uint32_t)st->st_atim.tv_nsec;
	attr->mtime = (uint64_t)st->st_mtim.tv_sec;
	attr->mtimensec = (uint32_t)st->st_mtim.tv_nsec;
	attr->ctime = (uint64_t)st->st_ctim.tv_sec;
	attr->ctimensec = (uint32_t)st->st_ctim.tv_nsec;
}

int reply_passed_create(fuse_req_t req, const struct fuse_entry_param *entry, const struct wire_open *open)
{
	const struct stat *st = &entry->attr;
	struct {
		struct fuse_entry_out entry;
		struct wire_open open;
	} out = {
		.entry.nodeid = entry->ino,
		.entry.entry_valid = (uint64_t)entry->entry_timeout,
		.entry.attr_valid = (uint64_t)entry->attr_timeout,
		.entry.attr.ino = st->st_ino,
		.entry.attr.size = (uint64_t)st->st_size,
		.entry.attr.blocks = (uint64_t)st->st_blocks,
		.entry.attr.mode = st->st_mode,
		.entry.attr.nlink = (uint32_t)st->st_nlink,
		.entry.attr.uid = st->st_uid,
		.entry.attr.gid = st->st_gid,
		.entry.attr.blksize = (uint32_t)st->st_blksize,
		.open = *open,
	};

	fill_times(&out.entry.attr, st);
	return fuse_reply_buf(req, (const char *)&out, sizeof out);
}

struct names_owner owner_of(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct names_owner){.uid = ctx->uid, .gid = ctx->gid, .umask = ctx->umask};
}

int kill_priv(struct mount *mount, uint64_t ino, struct inode *out)
{
	const struct inode nothing = {0};

	return content_setattr(mount->stage, ino, &nothing, NAMES_KILL_PRIV, out);
}

void note_unlinked(struct mount *mount, uint64_t ino)
{
	if (!nodes_set_unlinked(mount->nodes, ino, true))
		drops_add(mount->drops, ino);
}
