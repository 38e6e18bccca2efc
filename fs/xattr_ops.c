#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* The kernel hands on any name; those that other file systems would refuse are refused. */
static bool is_namespace(const char *name)
{
	static const char *const prefixes[] = {"user.", "trusted.", "security."};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t len = strlen(prefixes[i]);

		if (!strncmp(name, prefixes[i], len) && name[len])
			return true;
	}
	return !strcmp(name, ACL_ACCESS) || !strcmp(name, ACL_DEFAULT);
}

static bool is_profile(const char *name)
{
	return !strcmp(name, NAMES_PROFILE) || !strcmp(name, NAMES_MAX_SIZE);
}

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
	int ret = -EOPNOTSUPP;

	if (is_namespace(name))
		ret = names_setxattr(mount->names, ino, name, value, size, flags & ~(int)WIRE_KILL_PRIV);
	if (!ret && is_profile(name))
		keeper_refresh(mount->keeper);
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
	else if (!is_namespace(name))
		fuse_reply_err(req, EOPNOTSUPP);
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

static int remove_attribute(struct mount *mount, uint64_t ino, const char *name)
{
	int ret = names_removexattr(mount->names, ino, name);

	if (!ret && is_profile(name))
		keeper_refresh(mount->keeper);
	return ret;
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (!is_namespace(name))
		fuse_reply_err(req, EOPNOTSUPP);
	else
		reply_status(req, remove_attribute(mount_of(req), ino, name));
}

void xattr_ops(struct fuse_lowlevel_ops *ops)
{
	ops->setxattr = op_setxattr;
	ops->getxattr = op_getxattr;
	ops->listxattr = op_listxattr;
	ops->removexattr = op_removexattr;
}
