/* Extended attributes: be64 ino, name -> value. The empty name holds the target of a symbolic link. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/names/acl.h"
#include "store/names/internal.h"
#include "store/util/bytes.h"

#define PREFIX 8u /* be64 ino */
#define KEY_MAX (PREFIX + NAMES_XATTR_NAME_MAX)

static size_t xattr_key(uint8_t key[KEY_MAX], uint64_t ino, const char *name)
{
	size_t len = strlen(name);

	put_be64(key, ino);
	memcpy(key + PREFIX, name, len);
	return PREFIX + len;
}

void xattr_put(struct names *names, struct kv_batch *batch, uint64_t ino, const char *name, const void *value,
	size_t len)
{
	uint8_t key[KEY_MAX];
	size_t key_len = xattr_key(key, ino, name);

	kv_batch_put(names->kv, batch, KV_XATTRS, key, key_len, value, len);
}

void xattr_delete(struct names *names, struct kv_batch *batch, uint64_t ino, const char *name)
{
	uint8_t key[KEY_MAX];
	size_t key_len = xattr_key(key, ino, name);

	kv_batch_delete(names->kv, batch, KV_XATTRS, key, key_len);
}

int xattr_load(struct names *names, uint64_t ino, const char *name, void **value, size_t *len)
{
	uint8_t key[KEY_MAX];
	int rc = kv_get_alloc(names->kv, KV_XATTRS, key, xattr_key(key, ino, name), value, len);

	return rc == -ENOENT ? -ENODATA : rc;
}

/* Over all that the inode has, the target of a symbolic link too; NULL: no memory. */
static struct kv_iter *iter_of(struct names *names, uint64_t ino)
{
	uint8_t prefix[PREFIX];

	put_be64(prefix, ino);
	return kv_iter_new(names->kv, KV_XATTRS, prefix, sizeof prefix);
}

int xattr_delete_all(struct names *names, struct kv_batch *batch, uint64_t ino)
{
	struct kv_iter *it = iter_of(names, ino);
	int rc;

	if (!it)
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const void *key = kv_iter_key(it, &len);
		kv_batch_delete(names->kv, batch, KV_XATTRS, key, len);
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

static int xattr_name_check(const char *name)
{
	size_t len = strlen(name);

	return !len || len > NAMES_XATTR_NAME_MAX ? -ERANGE : 0;
}

/* 0, -ENODATA or -EIO. *len is the value's. */
static int find(struct names *names, const struct inode *inode, const char *name, size_t *len)
{
	uint8_t key[KEY_MAX];
	int rc;

	if (!(inode->flags & INODE_XATTRS))
		return -ENODATA;
	rc = kv_get(names->kv, KV_XATTRS, key, xattr_key(key, inode->ino, name), NULL, 0, len);
	if (rc == -ENOBUFS)
		return 0;
	return rc == -ENOENT ? -ENODATA : rc;
}

ssize_t names_getxattr(struct names *names, uint64_t ino, const char *name, void *dst, size_t capacity)
{
	struct inode inode;
	uint8_t key[KEY_MAX];
	size_t len = 0;
	int rc = xattr_name_check(name);

	if (!rc)
		rc = inode_load(names, ino, &inode);
	if (rc)
		return rc;
	if (is_profile(name))
		return profile_get(names, &inode, name, dst, capacity);
	if (!(inode.flags & INODE_XATTRS))
		return -ENODATA;
	rc = kv_get(names->kv, KV_XATTRS, key, xattr_key(key, ino, name), dst, capacity, &len);
	if (rc == -ENOENT)
		return -ENODATA;
	if (rc == -ENOBUFS)
		return capacity ? -ERANGE : (ssize_t)len;
	return rc ? rc : (ssize_t)len;
}

/* Copies the names that fit and gives the length of all. */
static ssize_t list(struct names *names, uint64_t ino, char *dst, size_t capacity)
{
	struct kv_iter *it = iter_of(names, ino);
	size_t total = 0;
	int rc;

	if (!it)
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const char *key = kv_iter_key(it, &len);
		if (len == PREFIX)
			continue;
		len -= PREFIX;
		if (total + len + 1 <= capacity) {
			memcpy(dst + total, key + PREFIX, len);
			dst[total + len] = 0;
		}
		total += len + 1;
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc ? rc : (ssize_t)total;
}

ssize_t names_listxattr(struct names *names, uint64_t ino, char *dst, size_t capacity)
{
	struct inode inode;
	ssize_t total, more;
	size_t skip;
	int rc = inode_load(names, ino, &inode);

	if (rc)
		return rc;
	more = profile_list(names, &inode, dst, capacity);
	if (more < 0)
		return more;
	skip = (size_t)more < capacity ? (size_t)more : capacity;
	total = inode.flags & INODE_XATTRS ? list(names, ino, dst + skip, capacity - skip) : 0;
	if (total < 0)
		return total;
	total += more;
	return capacity && total > (ssize_t)capacity ? -ERANGE : total;
}

/* The flag that says that the inode has this one. */
static uint32_t flag_of(const char *name)
{
	if (strcmp(name, XATTR_ACL_ACCESS) == 0)
		return INODE_ACL;
	if (strcmp(name, XATTR_ACL_DEFAULT) == 0)
		return INODE_DEFAULT_ACL;
	if (strcmp(name, XATTR_CAPABILITY) == 0)
		return INODE_CAPABILITY;
	return 0;
}

static bool is_acl(const char *name)
{
	return flag_of(name) & (INODE_ACL | INODE_DEFAULT_ACL);
}

int store_inode(struct names *names, struct kv_batch *batch, struct inode *inode)
{
	inode->ctime = inode_now();
	inode_store(names, batch, inode);
	return kv_write(names->kv, batch, false);
}

static int remove_locked(struct names *names, struct kv_batch *batch, struct inode *inode, const char *name)
{
	size_t len;
	ssize_t total;
	int rc = find(names, inode, name, &len);

	if (rc == -ENODATA && is_acl(name))
		return 0; /* as the disk file systems answer */
	if (rc)
		return rc;
	total = list(names, inode->ino, NULL, 0);
	if (total < 0)
		return (int)total;
	if ((size_t)total == strlen(name) + 1)
		inode->flags &= ~(uint32_t)INODE_XATTRS;
	inode->flags &= ~flag_of(name);
	xattr_delete(names, batch, inode->ino, name);
	return store_inode(names, batch, inode);
}

/* The value is an ACL: what it does to the mode. 1 when it then need not be kept, because the mode says it
 * all. */
static int apply_acl(struct inode *inode, const char *name, const void *value, size_t len)
{
	int rc;

	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	if (flag_of(name) == INODE_DEFAULT_ACL && !S_ISDIR(inode->mode))
		return -EACCES;
	if (len == 4)
		return get_le32(value) == 2 ? 1 : -EOPNOTSUPP; /* no entries: none */
	rc = acl_check(value, len);
	if (rc)
		return rc;
	if (flag_of(name) == INODE_DEFAULT_ACL)
		return 0;
	return !acl_to_mode(value, len, &inode->mode);
}

static int check_flags(struct names *names, const struct inode *inode, const char *name, int flags)
{
	size_t len;
	ssize_t total;
	int rc = find(names, inode, name, &len);

	if (!rc)
		return flags & XATTR_CREATE ? -EEXIST : 0;
	if (rc != -ENODATA || (flags & XATTR_REPLACE))
		return rc;
	total = inode->flags & INODE_XATTRS ? list(names, inode->ino, NULL, 0) : 0;
	if (total < 0)
		return (int)total;
	return (size_t)total + strlen(name) + 1 > NAMES_XATTR_LIST_MAX ? -ENOSPC : 0;
}

static int set_locked(struct names *names, struct kv_batch *batch, struct inode *inode, const char *name,
	const void *value, size_t len, int flags)
{
	uint32_t mode = inode->mode;
	int rc = is_acl(name) ? apply_acl(inode, name, value, len) : 0;

	if (rc < 0)
		return rc;
	if (rc == 0)
		rc = check_flags(names, inode, name, flags);
	else if (inode->flags & flag_of(name))
		return remove_locked(names, batch, inode, name);
	else
		return inode->mode == mode ? 0 : store_inode(names, batch, inode);
	if (rc)
		return rc;
	inode->flags |= INODE_XATTRS | flag_of(name);
	xattr_put(names, batch, inode->ino, name, value, len);
	return store_inode(names, batch, inode);
}

int names_setxattr(
	struct names *names, uint64_t ino, const char *name, const void *value, size_t len, int flags)
{
	struct kv_batch *batch;
	struct inode inode;
	int rc = xattr_name_check(name);

	if (rc)
		return rc;
	if (len > NAMES_XATTR_SIZE_MAX)
		return -E2BIG;
	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	names_lock(names, ino);
	rc = inode_load(names, ino, &inode);
	if (!rc && is_profile(name))
		rc = profile_set(names, batch, &inode, name, value ? value : "", len, flags);
	else if (!rc)
		rc = set_locked(names, batch, &inode, name, value, len, flags);
	names_unlock(names, ino);
	kv_batch_free(batch);
	return rc;
}

int names_removexattr(struct names *names, uint64_t ino, const char *name)
{
	struct kv_batch *batch;
	struct inode inode;
	int rc = xattr_name_check(name);

	if (rc)
		return rc;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	names_lock(names, ino);
	rc = inode_load(names, ino, &inode);
	if (!rc && is_profile(name))
		rc = profile_set(names, batch, &inode, name, NULL, 0, 0);
	else if (!rc)
		rc = remove_locked(names, batch, &inode, name);
	names_unlock(names, ino);
	kv_batch_free(batch);
	return rc;
}
