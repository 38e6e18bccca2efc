/* Names come and go: link, unlink, rmdir. */
#include <errno.h>

#include "store/names/internal.h"

static int link_locked(struct names *names, struct kv_batch *batch, struct inode *inode,
	struct inode *directory, const char *name)
{
	struct entry existing;
	int rc = entry_get(names, directory->ino, name, &existing);

	if (rc != -ENOENT)
		return rc ? rc : -EEXIST;
	if (S_ISDIR(inode->mode))
		return -EPERM;
	if (inode->nlink >= NAMES_LINK_MAX)
		return -EMLINK;
	if (!inode->nlink) {
		if (!orphan_exists(names, inode->ino))
			return -ENOENT;
		orphan_remove(names, batch, inode->ino);
	}
	inode->nlink++;
	inode->ctime = inode_now();
	directory->size++;
	directory_touch(directory, inode->ctime);
	entry_put(names, batch, directory->ino, name, inode);
	inode_store(names, batch, inode);
	inode_store(names, batch, directory);
	return kv_write(names->kv, batch, false);
}

int names_link(struct names *names, uint64_t ino, uint64_t parent, const char *name, struct inode *out)
{
	struct kv_batch *batch;
	struct inode inode, directory;
	struct locks locks;
	int rc = name_check(name);

	if (rc)
		return rc;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	locks_take(names, &locks, (uint64_t[]){ino, parent}, 2);
	rc = directory_load(names, parent, &directory);
	if (!rc)
		rc = inode_load(names, ino, &inode);
	if (!rc)
		rc = link_locked(names, batch, &inode, &directory, name);
	locks_release(names, &locks);
	kv_batch_free(batch);
	if (rc)
		return rc;
	if (inode.nlink == 1)
		names_counted(names, inode.mode, 1);
	if (out)
		*out = inode;
	return 0;
}

/* Takes one name away. The directory and the inode go into the batch, which is written. */
static int remove_locked(struct names *names, struct kv_batch *batch, struct inode *directory,
	const char *name, struct inode *inode)
{
	struct timespec now = inode_now();

	if (S_ISDIR(inode->mode)) {
		inode->nlink = 0;
		directory->nlink--;
	} else {
		inode->nlink--;
	}
	inode->ctime = now;
	directory->size--;
	directory_touch(directory, now);
	if (!inode->nlink)
		orphan_add(names, batch, inode->ino);
	kv_batch_frees(batch);
	entry_delete(names, batch, directory->ino, name);
	inode_store(names, batch, inode);
	inode_store(names, batch, directory);
	return kv_write(names->kv, batch, false);
}

static int may_unlink(const struct inode *inode)
{
	return S_ISDIR(inode->mode) ? -EISDIR : 0;
}

static int may_rmdir(const struct inode *inode)
{
	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (inode->ino == NAMES_ROOT)
		return -EBUSY;
	return inode->size ? -ENOTEMPTY : 0;
}

static int remove_name(struct names *names, uint64_t parent, const char *name,
	int (*may_remove)(const struct inode *), struct inode *out)
{
	struct kv_batch *batch;
	struct inode inode, directory;
	struct entry entry;
	struct locks locks;
	int rc = name_check(name);

	if (rc)
		return rc;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	rc = entry_lock(names, parent, name, &entry, &locks);
	if (rc)
		goto out;
	rc = directory_load(names, parent, &directory);
	if (!rc)
		rc = child_load(names, &entry, &inode);
	if (!rc)
		rc = may_remove(&inode);
	if (!rc)
		rc = remove_locked(names, batch, &directory, name, &inode);
	locks_release(names, &locks);
	if (!rc && !inode.nlink)
		names_counted(names, inode.mode, -1);
	if (!rc && out)
		*out = inode;
out:
	kv_batch_free(batch);
	return rc;
}

int names_unlink(struct names *names, uint64_t parent, const char *name, struct inode *out)
{
	return remove_name(names, parent, name, may_unlink, out);
}

int names_rmdir(struct names *names, uint64_t parent, const char *name, struct inode *out)
{
	return remove_name(names, parent, name, may_rmdir, out);
}
