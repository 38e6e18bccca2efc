#include <errno.h>
#include <time.h>

#include "fs/mount.h"

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct inode inode;
	int ret = content_getattr(mount_of(req)->stage, ino, &inode);

	(void)fi;
	if (ret)
		reply_status(req, ret);
	else
		reply_attr(req, &inode);
}

static unsigned fields_of(const struct stat *st, int to_set, struct inode *attr)
{
	unsigned fields = 0;

	*attr = (struct inode){.mode = st->st_mode & 07777, .uid = st->st_uid, .gid = st->st_gid};
	attr->atime = st->st_atim;
	attr->mtime = st->st_mtim;
	attr->ctime = st->st_ctim;
	if (to_set & FUSE_SET_ATTR_ATIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->atime);
	if (to_set & FUSE_SET_ATTR_MTIME_NOW)
		clock_gettime(CLOCK_REALTIME, &attr->mtime);
	if (to_set & FUSE_SET_ATTR_MODE)
		fields |= NAMES_SET_MODE;
	if (to_set & FUSE_SET_ATTR_UID)
		fields |= NAMES_SET_UID;
	if (to_set & FUSE_SET_ATTR_GID)
		fields |= NAMES_SET_GID;
	if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW))
		fields |= NAMES_SET_ATIME;
	if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		fields |= NAMES_SET_MTIME;
	if (to_set & FUSE_SET_ATTR_CTIME)
		fields |= NAMES_SET_CTIME;
	if (st->st_mode & WIRE_KILL_PRIV)
		fields |= NAMES_KILL_PRIV;
	return fields;
}

static int setattr(struct mount *mount, uint64_t ino, const struct stat *st, int to_set, struct inode *out)
{
	struct inode attr;
	unsigned fields = fields_of(st, to_set, &attr);
	int ret;

	if (to_set & FUSE_SET_ATTR_SIZE) {
		if (st->st_size < 0)
			return -EINVAL;
		ret = content_truncate(mount->stage, ino, (uint64_t)st->st_size);
		if (ret)
			return ret;
	}
	if (fields)
		return content_setattr(mount->stage, ino, &attr, fields, out);
	return content_getattr(mount->stage, ino, out);
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
{
	struct inode inode;
	int ret = setattr(mount_of(req), ino, st, to_set, &inode);

	(void)fi;
	if (ret)
		reply_status(req, ret);
	else
		reply_attr(req, &inode);
}

void attr_ops(struct fuse_lowlevel_ops *ops)
{
	ops->getattr = op_getattr;
	ops->setattr = op_setattr;
}
