/* New inodes: what they inherit, and the batch that makes them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/names/acl.h"
#include "store/names/internal.h"
#include "store/util/bytes.h"

/* The default ACL of the parent becomes the child's access ACL, cut to the mode that was asked for, and a
 * child directory's default ACL as it is. */
static int inherit_acl(struct names *names, struct kv_batch *batch, uint64_t parent, struct inode *child)
{
	void *acl = NULL;
	size_t len;
	int rc = xattr_load(names, parent, XATTR_ACL_DEFAULT, &acl, &len);

	if (rc)
		return rc == -ENODATA ? -EIO : rc;
	if (acl_check(acl, len)) {
		free(acl);
		return -EIO;
	}
	if (S_ISDIR(child->mode)) {
		xattr_put(names, batch, child->ino, XATTR_ACL_DEFAULT, acl, len);
		child->flags |= INODE_XATTRS | INODE_DEFAULT_ACL;
	}
	if (acl_inherit(acl, len, &child->mode)) {
		xattr_put(names, batch, child->ino, XATTR_ACL_ACCESS, acl, len);
		child->flags |= INODE_XATTRS | INODE_ACL;
	}
	free(acl);
	return 0;
}

static int inherit(struct names *names, struct kv_batch *batch, const struct inode *parent,
	const struct names_owner *owner, struct inode *child)
{
	child->uid = owner->uid;
	child->gid = owner->gid;
	if (parent->mode & S_ISGID) {
		child->gid = parent->gid;
		if (S_ISDIR(child->mode))
			child->mode |= S_ISGID;
	}
	if ((parent->flags & INODE_CACHE) && (S_ISREG(child->mode) || S_ISDIR(child->mode))) {
		child->flags |= INODE_CACHE;
		child->cache = parent->cache;
	}
	if (S_ISLNK(child->mode))
		return 0;
	if (parent->flags & INODE_DEFAULT_ACL)
		return inherit_acl(names, batch, parent->ino, child);
	child->mode &= ~(owner->umask & 0777);
	return 0;
}

static void set_birth(struct inode *child, struct timespec now)
{
	child->atime = now;
	child->mtime = now;
	child->ctime = now;
	child->btime = now;
}

static void queue_staged(struct names *names, struct kv_batch *batch, const struct inode *child)
{
	uint8_t key[8], when[8];

	put_be64(key, child->ino);
	put_le64(when, (uint64_t)child->mtime.tv_sec);
	kv_batch_put(names->kv, batch, KV_STAGED, key, sizeof key, when, sizeof when);
}

/* Adds the name to the directory and the directory's record. */
static int add_entry(struct names *names, struct kv_batch *batch, struct inode *parent, const char *name,
	struct inode *child)
{
	struct entry existing;
	int rc = entry_get(names, parent->ino, name, &existing);

	if (rc != -ENOENT)
		return rc ? rc : -EEXIST;
	if (S_ISDIR(child->mode)) {
		if (parent->nlink >= NAMES_LINK_MAX)
			return -EMLINK;
		parent->nlink++;
		child->parent = parent->ino;
	}
	child->nlink = S_ISDIR(child->mode) ? 2 : 1;
	parent->size++;
	directory_touch(parent, child->mtime);
	entry_put(names, batch, parent->ino, name, child);
	inode_store(names, batch, parent);
	return 0;
}

/* Fills `batch` and writes it. With the parent's stripe held. */
static int make_locked(struct names *names, struct kv_batch *batch, uint64_t parent, const char *name,
	const struct names_owner *owner, struct inode *child, const char *target)
{
	struct inode directory;
	int rc = directory_load(names, parent, &directory);

	if (rc)
		return rc;
	set_birth(child, inode_now());
	if (name)
		rc = add_entry(names, batch, &directory, name, child);
	else
		orphan_add(names, batch, child->ino);
	if (!rc)
		rc = inherit(names, batch, &directory, owner, child);
	if (rc)
		return rc;
	if (target)
		xattr_put(names, batch, child->ino, "", target, strlen(target));
	if (child->content == CONTENT_STAGED)
		queue_staged(names, batch, child);
	inode_store(names, batch, child);
	return kv_write(names->kv, batch, false);
}

static int make(struct names *names, uint64_t parent, const char *name, const struct names_owner *owner,
	struct inode *child, const char *target, struct inode *out)
{
	struct kv_batch *batch;
	int rc = 0;

	if (!child->ino)
		rc = names_reserve(names, &child->ino);
	if (rc)
		return rc;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	names_lock(names, parent);
	rc = make_locked(names, batch, parent, name, owner, child, target);
	names_unlock(names, parent);
	kv_batch_free(batch);
	if (rc)
		return rc;
	if (name)
		names_counted(names, child->mode, 1);
	if (out)
		*out = *child;
	return 0;
}

/* Whether names_make can make that. */
static bool is_makeable(uint32_t mode, enum content_state content)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return content == CONTENT_NONE || content == CONTENT_STAGED;
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return content == CONTENT_NONE;
	default:
		return false;
	}
}

int names_make(struct names *names, uint64_t parent, const char *name, uint32_t mode, uint64_t rdev,
	const struct names_owner *owner, enum content_state content, uint64_t ino, struct inode *out)
{
	struct inode child = {.ino = ino, .mode = mode & 0177777, .content = content};
	int rc = name_check(name);

	if (rc)
		return rc;
	if (!is_makeable(mode, content))
		return -EINVAL;
	if (S_ISCHR(mode) || S_ISBLK(mode))
		child.rdev = rdev;
	return make(names, parent, name, owner, &child, NULL, out);
}

int names_make_unnamed(struct names *names, uint64_t parent, uint32_t mode, const struct names_owner *owner,
	enum content_state content, uint64_t ino, struct inode *out)
{
	struct inode child = {.ino = ino, .mode = mode & 0177777, .content = content};

	if (!S_ISREG(mode) || !is_makeable(mode, content))
		return -EINVAL;
	return make(names, parent, NULL, owner, &child, NULL, out);
}

int names_symlink(struct names *names, uint64_t parent, const char *name, const char *target,
	const struct names_owner *owner, struct inode *out)
{
	struct inode child = {.mode = S_IFLNK | 0777, .size = strlen(target)};
	int rc = name_check(name);

	if (rc)
		return rc;
	if (child.size > NAMES_SYMLINK_MAX)
		return -ENAMETOOLONG;
	if (!child.size)
		return -EINVAL;
	return make(names, parent, name, owner, &child, target, out);
}

int names_readlink(struct names *names, uint64_t ino, char *dst, size_t capacity)
{
	struct inode inode;
	void *target = NULL;
	size_t len;
	int rc = inode_load(names, ino, &inode);

	if (rc)
		return rc;
	if (!S_ISLNK(inode.mode))
		return -EINVAL;
	rc = xattr_load(names, ino, "", &target, &len);
	if (rc)
		return rc == -ENODATA ? -EIO : rc;
	if (len != inode.size || memchr(target, 0, len))
		rc = -EIO;
	else if (len >= capacity)
		rc = -ENAMETOOLONG;
	else
		memcpy(dst, target, len + 1);
	free(target);
	return rc;
}
