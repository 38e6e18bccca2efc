#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"
#include "store/util/io.h"

#define COPY_BLOCK (1u << 20)

/* Encoded bytes into the staged copy; holes stay holes. */
static int copy_encoded(struct content *content, int fd, uint64_t keep)
{
	void *block = malloc(COPY_BLOCK);
	int rc = 0;

	if (!block)
		return -ENOMEM;
	for (uint64_t off = 0; off < keep;) {
		int64_t data = reader_seek(content->reader, off, SEEK_DATA);
		if (data == -ENXIO || (data >= 0 && (uint64_t)data >= keep))
			break;
		int64_t hole = data < 0 ? data : reader_seek(content->reader, (uint64_t)data, SEEK_HOLE);
		if (hole < 0) {
			rc = (int)hole;
			break;
		}
		uint64_t end = (uint64_t)hole < keep ? (uint64_t)hole : keep;
		for (off = (uint64_t)data; off < end && !rc;) {
			size_t want = end - off < COPY_BLOCK ? (size_t)(end - off) : COPY_BLOCK;
			ssize_t n = reader_read(content->reader, block, want, off);
			rc = n < 0 ? (int)n : n == 0 ? -EBADMSG : io_pwrite_full(fd, block, (size_t)n, off);
			off += n > 0 ? (size_t)n : 0;
		}
		if (rc)
			break;
	}
	free(block);
	return rc;
}

/* The first `keep` bytes of inline or encoded content into the staged copy. */
static int copy_back(struct content *content, int fd, uint64_t keep)
{
	int rc = content_load_bytes(content);

	if (rc)
		return rc;
	if (content->state == CONTENT_INLINE)
		return io_pwrite_full(fd, content->inline_bytes, (size_t)keep, 0);
	return content->state == CONTENT_ENCODED ? copy_encoded(content, fd, keep) : 0;
}

/* What may have been durable as encoded or inline stays so when the index says "staged", which any sync can
 * make durable before the kernel has written the copy. What is cut off anyway is not waited for, nor what was
 * made just now and outgrows the index. */
static int make_durable(const struct content *content, int fd, uint64_t keep)
{
	bool none = !keep || (content->made_in && !content->synced);

	return !none && (fdatasync(fd) || fsync(content->stage->dir_fd)) ? -errno : 0;
}

/* The record says "staged" from here on; what held the bytes before goes in the same batch. What was kept is
 * trusted after a power cut as long as the index names it: until that is durable it must not change. */
static int commit_staged(struct content *content, struct inode *inode, bool was_kept)
{
	struct stage *stage = content->stage;
	struct kv_batch *batch = kv_batch_new();
	uint8_t key[8], when[8];
	int rc;

	if (!batch)
		return -ENOMEM;
	put_be64(key, content->ino);
	put_le64(when, (uint64_t)inode->mtime.tv_sec);
	if (content->state == CONTENT_INLINE)
		kv_batch_delete(stage->kv, batch, KV_INLINE, key, sizeof key);
	if (content->state == CONTENT_ENCODED)
		recipes_bury(stage->recipes, batch, content->recipe);
	if (was_kept)
		kept_record_delete(stage->kv, batch, content->ino);
	kv_batch_put(stage->kv, batch, KV_STAGED, key, sizeof key, when, sizeof when);
	inode->content = CONTENT_STAGED;
	inode->recipe = 0;
	names_put_content(stage->names, batch, inode);
	rc = kv_write(stage->kv, batch, was_kept);
	kv_batch_free(batch);
	return rc;
}

/* Its raw copy lingers in staging/ again; where nothing of it will be read it goes. */
static int take_kept(struct content *content, uint64_t keep)
{
	struct kept *kept = &content->stage->kept;
	int rc;

	if (!keep && !content->opens) {
		content_close_kept(content);
		kept_drop(kept, content->ino);
		return 0;
	}
	rc = kept_take(kept, content->ino, content->fd, &content->lingering);
	content->kept = !content->lingering;
	return rc;
}

int content_restage(struct content *content, uint64_t keep)
{
	struct stage *stage = content->stage;
	struct timespec now, times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct inode inode;
	bool fresh = false, was_kept;
	char name[STAGED_NAME];
	int rc, wfd = -1;

	if (content->state == CONTENT_STAGED)
		return 0;
	if (content->size < keep)
		keep = content->size;
	content_open_kept(content);
	was_kept = content->kept;
	if (was_kept && (rc = take_kept(content, keep)))
		return rc;
	if (!content->lingering) {
		wfd = content_open_staged(content, O_RDWR | O_CREAT | O_TRUNC);
		if (wfd < 0)
			return wfd;
		fresh = true;
		if ((rc = copy_back(content, wfd, keep)) || (rc = make_durable(content, wfd, keep)))
			goto out;
	} else if ((wfd = content_wfd(content)) < 0) {
		return wfd;
	}
	names_lock(stage->names, content->ino);
	rc = names_get(stage->names, content->ino, &inode);
	if (!rc && keep == content->size) {
		times[1] = inode.mtime;
		if (ftruncate(wfd, (off_t)content->size) || futimens(wfd, times))
			rc = -errno;
	}
	if (!rc) {
		clock_gettime(CLOCK_REALTIME, &now);
		content->hot = content->version > 1 && now.tv_sec - inode.mtime.tv_sec < 60;
		rc = commit_staged(content, &inode, was_kept);
	}
	names_unlock(stage->names, content->ino);
	if (rc)
		goto out;
	if (content->fd < 0)
		content->fd = content_open_staged(content, O_RDONLY);
	content->wfd = wfd;
	content->lingering = false;
	content->unsynced = false;
	content->dir_synced = false;
	content->state = CONTENT_STAGED;
	content->version = inode.version + 1;
	content->small = false;
	content_forget_bytes(content);
	content_count(content);
	return content->fd < 0 ? content->fd : 0;
out:
	if (fresh) {
		close(wfd);
		staged_name(content->ino, name);
		unlinkat(stage->dir_fd, name, 0);
	}
	return rc;
}
