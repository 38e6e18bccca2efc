/* Inode records, the list of orphans, and how many of each type there are. */
#include <errno.h>

#include "store/names/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

int inode_load(struct names *names, uint64_t ino, struct inode *out)
{
	uint8_t key[8], record[NAMES_RECORD_MAX];
	size_t len = 0;
	int rc;

	put_be64(key, ino);
	rc = kv_get(names->kv, KV_INODES, key, sizeof key, record, sizeof record, &len);
	if (rc == -ENOENT)
		return rc;
	if (rc == -ENOBUFS || (!rc && inode_decode(out, ino, record, len))) {
		log_error("inode %llu: the record is damaged", (unsigned long long)ino);
		return -EIO;
	}
	return rc;
}

int directory_load(struct names *names, uint64_t ino, struct inode *out)
{
	int rc = inode_load(names, ino, out);

	if (rc)
		return rc;
	if (!S_ISDIR(out->mode))
		return -ENOTDIR;
	return out->nlink ? 0 : -ENOENT;
}

void inode_store(struct names *names, struct kv_batch *batch, const struct inode *inode)
{
	uint8_t key[8], record[NAMES_RECORD_MAX];
	size_t len = inode_encode(inode, record);

	put_be64(key, inode->ino);
	kv_batch_put(names->kv, batch, KV_INODES, key, sizeof key, record, len);
}

struct timespec inode_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now;
}

void directory_touch(struct inode *directory, struct timespec now)
{
	directory->mtime = now;
	directory->ctime = now;
}

int names_get(struct names *names, uint64_t ino, struct inode *out)
{
	return inode_load(names, ino, out);
}

void names_put_content(struct names *names, struct kv_batch *batch, const struct inode *inode)
{
	struct inode next = *inode;

	next.version++;
	inode_store(names, batch, &next);
}

void names_counted(struct names *names, uint32_t mode, int change)
{
	_Atomic uint64_t *count = S_ISREG(mode)	  ? &names->files
				  : S_ISDIR(mode) ? &names->directories
						  : &names->others;

	atomic_fetch_add(count, (uint64_t)(int64_t)change);
}

void names_count(struct names *names, uint64_t *files, uint64_t *directories, uint64_t *others)
{
	*files = atomic_load(&names->files);
	*directories = atomic_load(&names->directories);
	*others = atomic_load(&names->others);
}

void orphan_add(struct names *names, struct kv_batch *batch, uint64_t ino)
{
	uint8_t key[8];

	put_be64(key, ino);
	kv_batch_put(names->kv, batch, KV_ORPHANS, key, sizeof key, "", 0);
}

void orphan_remove(struct names *names, struct kv_batch *batch, uint64_t ino)
{
	uint8_t key[8];

	put_be64(key, ino);
	kv_batch_delete(names->kv, batch, KV_ORPHANS, key, sizeof key);
}

bool orphan_exists(struct names *names, uint64_t ino)
{
	uint8_t key[8];
	size_t len;

	put_be64(key, ino);
	return kv_get(names->kv, KV_ORPHANS, key, sizeof key, NULL, 0, &len) == 0;
}

int names_orphans(struct names *names, int (*each)(void *ctx, uint64_t ino), void *ctx)
{
	struct kv_iter *it = kv_iter_new(names->kv, KV_ORPHANS, NULL, 0);
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const void *key = kv_iter_key(it, &len);
		if (len == 8)
			rc = each(ctx, get_be64(key));
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

int names_drop(struct names *names, struct kv_batch *batch, uint64_t ino, struct inode *out)
{
	uint8_t key[8];
	int rc = inode_load(names, ino, out);

	if (rc)
		return rc;
	if (out->nlink)
		return -EBUSY;
	if ((out->flags & INODE_XATTRS) || S_ISLNK(out->mode))
		rc = xattr_delete_all(names, batch, ino);
	if (rc)
		return rc;
	kv_batch_frees(batch);
	if (out->cache == ino)
		profile_forget(names, batch, ino);
	put_be64(key, ino);
	kv_batch_delete(names->kv, batch, KV_INODES, key, sizeof key);
	orphan_remove(names, batch, ino);
	return 0;
}
