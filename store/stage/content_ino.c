#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"

void content_fill(struct stage *stage, struct inode *inode)
{
	struct stat st;
	char name[STAGED_NAME];

	for (int tries = 0; inode->content == CONTENT_STAGED && tries < 3; tries++) {
		staged_name(inode->ino, name);
		if (!fstatat(stage->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
			inode->size = (uint64_t)st.st_size;
			inode->blocks = (uint64_t)st.st_blocks;
			inode->mtime = st.st_mtim;
			if (st.st_ctim.tv_sec > inode->ctime.tv_sec ||
				(st.st_ctim.tv_sec == inode->ctime.tv_sec &&
					st.st_ctim.tv_nsec > inode->ctime.tv_nsec))
				inode->ctime = st.st_ctim;
			return;
		}
		/* Published since the record was read. */
		if (names_get(stage->names, inode->ino, inode))
			return;
	}
}

int content_getattr(struct stage *stage, uint64_t ino, struct inode *out)
{
	int rc = names_get(stage->names, ino, out);

	if (!rc)
		content_fill(stage, out);
	return rc;
}

int content_truncate(struct stage *stage, uint64_t ino, uint64_t size)
{
	struct content *content = stage->read_only ? NULL : table_ref(stage, ino);
	bool enqueue;
	int rc;

	if (!content)
		return stage->read_only ? -EROFS : -ENOMEM;
	pthread_rwlock_wrlock(&content->lock);
	rc = content_load(content);
	if (!rc && small_suits(content, size)) {
		rc = small_resize(content, size);
	} else if (!rc && !(rc = content_restage(content, size))) {
		int wfd = content_wfd(content);
		rc = wfd < 0 ? wfd : ftruncate(wfd, (off_t)size) ? -errno : 0;
		content_touch(content);
	}
	enqueue = content->loaded && content_suits_job(content) && !content->opens;
	if (content->loaded)
		content_settle(content);
	pthread_rwlock_unlock(&content->lock);
	if (enqueue)
		stage_enqueue(stage, ino, stage->quiet_ms, 0, false);
	table_unref(content);
	return rc;
}

int content_setattr(
	struct stage *stage, uint64_t ino, const struct inode *attr, unsigned fields, struct inode *out)
{
	struct content *content = table_ref(stage, ino);
	int rc;

	if (!content)
		return -ENOMEM;
	/* The lock keeps publication, which takes the times of the staged copy, apart from this. */
	pthread_rwlock_wrlock(&content->lock);
	rc = names_setattr(stage->names, ino, attr, fields, out);
	if (!rc && out->content == CONTENT_STAGED && (fields & NAMES_SET_MTIME)) {
		struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, attr->mtime};
		char name[STAGED_NAME];
		staged_name(ino, name);
		if (utimensat(stage->dir_fd, name, times, AT_SYMLINK_NOFOLLOW))
			rc = -errno;
	}
	pthread_rwlock_unlock(&content->lock);
	table_unref(content);
	if (!rc)
		content_fill(stage, out);
	return rc;
}

void content_writeout(struct stage *stage, uint64_t ino)
{
	char name[STAGED_NAME];
	int fd;

	staged_name(ino, name);
	fd = openat(stage->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(fd);
}

int content_drop(struct stage *stage, uint64_t ino)
{
	struct content *content = table_ref(stage, ino);
	struct kv_batch *batch = kv_batch_new();
	struct inode inode;
	uint8_t key[8];
	char name[STAGED_NAME];
	int rc = -ENOMEM;

	if (!content || !batch)
		goto out;
	put_be64(key, ino);
	pthread_rwlock_wrlock(&content->lock);
	names_lock(stage->names, ino);
	rc = content->opens ? -EBUSY : names_drop(stage->names, batch, ino, &inode);
	if (!rc) {
		if (inode.content == CONTENT_INLINE)
			kv_batch_delete(stage->kv, batch, KV_INLINE, key, sizeof key);
		if (inode.content == CONTENT_STAGED || (inode.content == CONTENT_INLINE && inode.cache))
			kv_batch_delete(stage->kv, batch, KV_STAGED, key, sizeof key);
		if (inode.content == CONTENT_ENCODED)
			recipes_bury(stage->recipes, batch, inode.recipe);
		rc = kv_write(stage->kv, batch, false);
	}
	names_unlock(stage->names, ino);
	if (!rc) {
		content_touch(content);
		kept_drop(&stage->kept, ino);
		staged_name(ino, name);
		if (inode.content == CONTENT_STAGED || content->lingering) {
			if (content->wfd >= 0)
				close(content->wfd);
			content->wfd = -1;
			spares_give(&stage->spares, name, content->fd);
			if (content->fd >= 0)
				close(content->fd);
			content->fd = -1;
			tally_remove(&stage->tally, ino);
		}
		content->lingering = false;
		content->loaded = false;
		pthread_mutex_lock(&stage->queue_lock);
		queue_remove(&stage->queue, ino);
		pthread_mutex_unlock(&stage->queue_lock);
	}
	pthread_rwlock_unlock(&content->lock);
out:
	kv_batch_free(batch);
	if (content)
		table_unref(content);
	return rc == -ENOENT || rc == -EBUSY ? 0 : rc;
}
