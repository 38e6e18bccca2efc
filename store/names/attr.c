#include <errno.h>
#include <stdlib.h>

#include "store/names/acl.h"
#include "store/names/internal.h"

static int set_mode(struct names *names, struct kv_batch *batch, struct inode *inode, uint32_t mode)
{
	void *acl = NULL;
	size_t len;
	int rc;

	inode->mode = (inode->mode & S_IFMT) | (mode & 07777);
	if (!(inode->flags & INODE_ACL))
		return 0;
	rc = xattr_load(names, inode->ino, XATTR_ACL_ACCESS, &acl, &len);
	if (rc)
		return rc == -ENODATA ? -EIO : rc;
	if (acl_check(acl, len)) {
		rc = -EIO;
	} else {
		acl_set_mode(acl, len, inode->mode);
		xattr_put(names, batch, inode->ino, XATTR_ACL_ACCESS, acl, len);
	}
	free(acl);
	return rc;
}

/* True when there was something to take away. */
static bool kill_privileges(struct names *names, struct kv_batch *batch, struct inode *inode)
{
	uint32_t bits = S_ISUID | (inode->mode & S_IXGRP ? S_ISGID : 0);
	bool changed = false;

	if (S_ISDIR(inode->mode))
		return false;
	if (inode->mode & bits) {
		inode->mode &= ~bits;
		changed = true;
	}
	if (inode->flags & INODE_CAPABILITY) {
		xattr_delete(names, batch, inode->ino, XATTR_CAPABILITY);
		inode->flags &= ~(uint32_t)INODE_CAPABILITY;
		changed = true;
	}
	return changed;
}

static int set_locked(struct names *names, struct kv_batch *batch, struct inode *inode,
	const struct inode *attr, unsigned fields)
{
	bool changed = fields & ~(unsigned)NAMES_KILL_PRIV;
	int rc = 0;

	if (fields & NAMES_SET_MODE)
		rc = set_mode(names, batch, inode, attr->mode);
	if (rc)
		return rc;
	if (fields & NAMES_KILL_PRIV)
		changed |= kill_privileges(names, batch, inode);
	if (!changed)
		return 0;
	if (fields & NAMES_SET_UID)
		inode->uid = attr->uid;
	if (fields & NAMES_SET_GID)
		inode->gid = attr->gid;
	if (fields & NAMES_SET_ATIME)
		inode->atime = attr->atime;
	if (fields & NAMES_SET_MTIME)
		inode->mtime = attr->mtime;
	inode->ctime = fields & NAMES_SET_CTIME ? attr->ctime : inode_now();
	inode_store(names, batch, inode);
	return kv_write(names->kv, batch, false);
}

static bool are_times_sound(const struct inode *attr, unsigned fields)
{
	return !((fields & NAMES_SET_ATIME) && (unsigned long)attr->atime.tv_nsec > 999999999ul) &&
	       !((fields & NAMES_SET_MTIME) && (unsigned long)attr->mtime.tv_nsec > 999999999ul) &&
	       !((fields & NAMES_SET_CTIME) && (unsigned long)attr->ctime.tv_nsec > 999999999ul);
}

int names_setattr(
	struct names *names, uint64_t ino, const struct inode *attr, unsigned fields, struct inode *out)
{
	struct kv_batch *batch;
	struct inode inode;
	int rc;

	if (!are_times_sound(attr, fields))
		return -EINVAL;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	names_lock(names, ino);
	rc = inode_load(names, ino, &inode);
	if (!rc)
		rc = set_locked(names, batch, &inode, attr, fields);
	names_unlock(names, ino);
	kv_batch_free(batch);
	if (!rc && out)
		*out = inode;
	return rc;
}
