#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"
#include "store/util/io.h"

#define COPY_BLOCK (1u << 20)

int content_load_bytes(struct content *content)
{
	uint8_t key[8];
	size_t len;
	int rc = 0;

	if (content->state == CONTENT_ENCODED && !content->reader)
		rc = reader_open(content->stage->decoder, content->recipe, &content->reader);
	if (content->state == CONTENT_INLINE && !content->inline_bytes) {
		put_be64(key, content->ino);
		rc = kv_get_alloc(
			content->stage->kv, KV_INLINE, key, sizeof key, &content->inline_bytes, &len);
		if (!rc && len != content->size) {
			free(content->inline_bytes);
			content->inline_bytes = NULL;
			rc = -EBADMSG;
		}
	}
	return rc == -ENOENT ? -EBADMSG : rc;
}

/* Takes the lock shared, with what a read needs at hand. On failure the lock is not held. */
static int lock_for_read(struct content *content)
{
	for (;;) {
		pthread_rwlock_rdlock(&content->lock);
		if ((content->state != CONTENT_ENCODED || content->reader) &&
			(content->state != CONTENT_INLINE || content->inline_bytes))
			return 0;
		pthread_rwlock_unlock(&content->lock);
		pthread_rwlock_wrlock(&content->lock);
		int rc = content_load_bytes(content);
		pthread_rwlock_unlock(&content->lock);
		if (rc)
			return rc;
	}
}

static size_t clip(uint64_t size, uint64_t off, size_t len)
{
	return off >= size ? 0 : size - off < len ? (size_t)(size - off) : len;
}

int content_check(struct content *content, uint64_t max)
{
	int rc = lock_for_read(content);

	if (rc)
		return rc;
	if (content->state == CONTENT_ENCODED && content->size <= max)
		rc = reader_check(content->reader);
	pthread_rwlock_unlock(&content->lock);
	return rc;
}

/* Of encoded content the raw copy may still be there, or be kept. */
static bool is_raw(const struct content *content)
{
	return content->state == CONTENT_STAGED ||
	       ((content->lingering || content->kept) && content->fd >= 0);
}

ssize_t content_read(struct content *content, void *dst, size_t len, uint64_t off)
{
	ssize_t n = lock_for_read(content);

	if (n)
		return n;
	switch (is_raw(content) ? CONTENT_STAGED : content->state) {
	case CONTENT_STAGED:
		n = io_pread_some(content->fd, dst, len, off);
		break;
	case CONTENT_ENCODED:
		n = reader_read(content->reader, dst, len, off);
		break;
	case CONTENT_INLINE:
		n = (ssize_t)clip(content->size, off, len);
		if (n)
			memcpy(dst, (char *)content->inline_bytes + off, (size_t)n);
		break;
	default:
		n = (ssize_t)clip(content->size, off, len);
		memset(dst, 0, (size_t)n);
	}
	pthread_rwlock_unlock(&content->lock);
	return n;
}

ssize_t content_pin(struct content *content, struct reader_pins *pins, size_t len, uint64_t off)
{
	ssize_t n = lock_for_read(content);

	if (n)
		return n;
	n = -ENOBUFS;
	if (content->state == CONTENT_ENCODED && !is_raw(content))
		n = reader_pin(content->reader, pins, len, off);
	pthread_rwlock_unlock(&content->lock);
	return n;
}

/* Takes the lock (exclusively if asked) with content->wfd open, the content being staged. On failure the lock
 * is not held. */
static int lock_for_write(struct content *content, bool exclusive)
{
	int rc = 0;

	if (!exclusive) {
		pthread_rwlock_rdlock(&content->lock);
		if (content->writers && content->wfd >= 0)
			return 0;
		pthread_rwlock_unlock(&content->lock);
	}
	pthread_rwlock_wrlock(&content->lock);
	if (!content->writers)
		rc = -EBADF;
	else if (!(rc = content_restage(content, UINT64_MAX)) && (rc = content_wfd(content)) >= 0)
		rc = 0;
	if (rc || !exclusive)
		pthread_rwlock_unlock(&content->lock);
	return rc || exclusive ? rc : lock_for_write(content, false);
}

ssize_t content_write(struct content *content, const void *src, size_t len, uint64_t off, bool append)
{
	struct stat st;
	int rc = content->small ? small_write(content, src, len, off, append) : -ENOTSUP;

	if (rc != -ENOTSUP)
		return rc ? rc : (ssize_t)len;
	rc = lock_for_write(content, append);
	if (rc)
		return rc;
	if (content->sync_error)
		rc = content->sync_error;
	else if (append && fstat(content->wfd, &st))
		rc = -errno;
	else
		rc = io_pwrite_full(content->wfd, src, len, append ? (uint64_t)st.st_size : off);
	pthread_rwlock_unlock(&content->lock);
	return rc ? rc : (ssize_t)len;
}

int content_fallocate(struct content *content, int mode, uint64_t off, uint64_t len)
{
	int rc = lock_for_write(content, false);

	if (rc)
		return rc;
	while (fallocate(content->wfd, mode, (off_t)off, (off_t)len)) {
		if (errno == EINTR)
			continue;
		rc = -errno;
		break;
	}
	pthread_rwlock_unlock(&content->lock);
	return rc;
}

int64_t content_seek(struct content *content, uint64_t off, int whence)
{
	int64_t at = lock_for_read(content);

	if (at)
		return at;
	if (content->state == CONTENT_STAGED) {
		at = lseek(content->fd, (off_t)off, whence);
		at = at < 0 ? -errno : at;
	} else if (off >= content->size) {
		at = -ENXIO;
	} else if (content->state == CONTENT_ENCODED) {
		at = reader_seek(content->reader, off, whence);
	} else {
		bool hole = content->state == CONTENT_NONE;
		if (whence == SEEK_DATA)
			at = hole ? -ENXIO : (int64_t)off;
		else
			at = hole ? (int64_t)off : (int64_t)content->size;
	}
	pthread_rwlock_unlock(&content->lock);
	return at;
}

/* -ENOTSUP: what is read is not staged. */
static ssize_t copy_staged(
	struct content *from, uint64_t from_off, struct content *to, uint64_t to_off, size_t len)
{
	loff_t in = (loff_t)from_off, out = (loff_t)to_off;
	ssize_t n = lock_for_write(to, false);

	if (n)
		return n;
	pthread_rwlock_rdlock(&from->lock);
	n = -ENOTSUP;
	if (from->state == CONTENT_STAGED) {
		n = copy_file_range(from->fd, &in, to->wfd, &out, len, 0);
		n = n < 0 ? -errno : n;
	}
	pthread_rwlock_unlock(&from->lock);
	pthread_rwlock_unlock(&to->lock);
	return n;
}

ssize_t content_copy(struct content *from, uint64_t from_off, struct content *to, uint64_t to_off, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;
	char *block = NULL;

	while (done < len) {
		n = to->small ? -ENOTSUP : copy_staged(from, from_off + done, to, to_off + done, len - done);
		if (n == -ENOTSUP) {
			size_t want = len - done < COPY_BLOCK ? len - done : COPY_BLOCK;
			if (!block && !(block = malloc(COPY_BLOCK))) {
				n = -ENOMEM;
				break;
			}
			n = content_read(from, block, want, from_off + done);
			if (n > 0)
				n = content_write(to, block, (size_t)n, to_off + done, false);
		}
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	free(block);
	return done ? (ssize_t)done : n;
}

int content_fsync(struct content *content, bool datasync)
{
	struct stage *stage = content->stage;
	int rc;

	pthread_rwlock_wrlock(&content->lock);
	rc = content->sync_error;
	int fd = content->state == CONTENT_STAGED && content->fd >= 0 ? fcntl(content->fd, F_DUPFD_CLOEXEC, 0)
								      : -1;
	bool dir_synced = content->dir_synced;
	pthread_rwlock_unlock(&content->lock);
	if (rc)
		goto out;
	if (fd >= 0 && (datasync ? fdatasync(fd) : fsync(fd)))
		rc = -errno;
	if (!rc && fd >= 0 && !dir_synced && fsync(stage->dir_fd))
		rc = -errno;
	if (!rc)
		rc = names_sync(stage->names);
	pthread_rwlock_wrlock(&content->lock);
	if (rc)
		content->sync_error = rc;
	else
		content->synced = true;
	if (!rc && fd >= 0)
		content->dir_synced = true;
	pthread_rwlock_unlock(&content->lock);
out:
	if (fd >= 0)
		close(fd);
	return rc;
}
