#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount.h"

#define ACL_ACCESS "system.posix_acl_access"

/* A new access ACL may not leave set-group-ID to somebody outside the group. */
static int drop_sgid(struct mount *mount, uint64_t ino)
{
	struct inode inode;
	int ret = content_getattr(mount->stage, ino, &inode);

	if (ret || !(inode.mode & S_ISGID))
		return ret;
	inode.mode &= 07777 & ~S_ISGID;
	return content_setattr(mount->stage, ino, &inode, NAMES_SET_MODE, &inode);
}

static void op_setxattr(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct mount *mount = mount_of(req);
	bool kill = (unsigned)flags & WIRE_KILL_PRIV;
	int ret = names_setxattr(mount->names, ino, name, value, size, flags & ~(int)WIRE_KILL_PRIV);

	if (!ret && kill && !strcmp(name, ACL_ACCESS))
		ret = drop_sgid(mount, ino);
	reply_status(req, ret);
}

static void reply_value(fuse_req_t req, ssize_t n, const char *value, size_t size)
{
	if (n < 0)
		reply_status(req, (int)n);
	else if (!size)
		fuse_reply_xattr(req, (size_t)n);
	else
		fuse_reply_buf(req, value, (size_t)n);
}

static void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	char *value = size ? malloc(size) : NULL;

	if (size && !value)
		fuse_reply_err(req, ENOMEM);
	else
		reply_value(req, names_getxattr(mount_of(req)->names, ino, name, value, size), value, size);
	free(value);
}

static void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	char *value = size ? malloc(size) : NULL;

	if (size && !value)
		fuse_reply_err(req, ENOMEM);
	else
		reply_value(req, names_listxattr(mount_of(req)->names, ino, value, size), value, size);
	free(value);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	reply_status(req, names_removexattr(mount_of(req)->names, ino, name));
}

void xattr_ops(struct fuse_lowlevel_ops *ops)
{
	ops->setxattr = op_setxattr;
	ops->getxattr = op_getxattr;
	ops->listxattr = op_listxattr;
	ops->removexattr = op_removexattr;
}
