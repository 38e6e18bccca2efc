#include "store/stage/stage.h"

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
#define THROTTLE_STEP_MS 50u
#define THROTTLE_MAX_MS 5000u
#define HOT_QUIET_MS 30000u

static bool is_writer(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* Over budget, an opener for writing waits for the encoder, the longer the further over; never for ever. */
static void throttle(struct stage *stage)
{
	for (unsigned waited = 0; waited < THROTTLE_MAX_MS; waited += THROTTLE_STEP_MS) {
		uint64_t files, bytes;
		tally_sums(&stage->tally, &files, &bytes);
		if (bytes <= stage->budget)
			return;
		usleep(THROTTLE_STEP_MS * 1000);
	}
}

static void touched(struct content *content)
{
	content->ticket = ++content->stage->tickets;
}

int content_create(struct stage *stage, uint64_t parent, const char *name, uint32_t mode,
	const struct names_owner *owner, int flags, struct content **out, struct inode *inode)
{
	struct content *content = NULL;
	char staged[24];
	uint64_t ino;
	int fd, rc;

	if (stage->read_only)
		return -EROFS;
	throttle(stage);
	if ((rc = names_reserve(stage->names, &ino)))
		return rc;
	staged_name(ino, staged);
	fd = spares_take(&stage->spares, staged);
	if (fd < 0)
		return fd;
	if (!(content = table_ref(stage, ino))) {
		rc = -ENOMEM;
		goto fail;
	}
	/* Held over names_make: whoever finds the name meets the content as it is. */
	pthread_rwlock_wrlock(&content->lock);
	rc = name ? names_make(stage->names, parent, name, mode, 0, owner, CONTENT_STAGED, ino, inode)
		  : names_make_unnamed(stage->names, parent, mode, owner, CONTENT_STAGED, ino, inode);
	if (!rc) {
		content->loaded = true;
		content->fd = fd;
		content->state = CONTENT_STAGED;
		content->cache = inode->cache;
		content->version = inode->version;
		content->opens = 1;
		content->writers = is_writer(flags);
		touched(content);
		tally_set(&stage->tally, ino, 0);
	}
	pthread_rwlock_unlock(&content->lock);
	if (rc)
		goto fail;
	content_fill(stage, inode);
	*out = content;
	return 0;
fail:
	if (content)
		table_unref(content);
	close(fd);
	unlinkat(stage->dir_fd, staged, 0);
	return rc;
}

int content_open(struct stage *stage, uint64_t ino, int flags, struct content **out)
{
	bool writer = is_writer(flags) || (flags & O_TRUNC);
	struct content *content;
	int rc;

	if (writer && stage->read_only)
		return -EROFS;
	if (writer)
		throttle(stage);
	if (!(content = table_ref(stage, ino)))
		return -ENOMEM;
	pthread_rwlock_wrlock(&content->lock);
	rc = content_load(content);
	if (!rc && writer) {
		rc = content_restage(content, flags & O_TRUNC ? 0 : UINT64_MAX);
		if (!rc && (flags & O_TRUNC)) {
			int wfd = content_wfd(content);
			rc = wfd < 0 ? wfd : ftruncate(wfd, 0) ? -errno : 0;
		}
		touched(content);
	}
	if (!rc) {
		content->opens++;
		content->writers += is_writer(flags);
	}
	/* An open that failed half way may have left a staged copy with nobody to enqueue it. */
	bool enqueue = rc && content->loaded && content->state == CONTENT_STAGED && !content->opens;
	pthread_rwlock_unlock(&content->lock);
	if (enqueue)
		stage_enqueue(stage, ino, stage->quiet_ms, 0, false);
	if (rc)
		table_unref(content);
	else
		*out = content;
	return rc;
}

void content_release(struct stage *stage, struct content *content, int flags)
{
	bool enqueue;
	unsigned quiet;

	pthread_rwlock_wrlock(&content->lock);
	content->opens--;
	if (is_writer(flags)) {
		content->writers--;
		touched(content);
	}
	content_settle(content);
	enqueue = content->state == CONTENT_STAGED && !content->writers &&
		  (is_writer(flags) || !content->opens);
	quiet = content->hot ? HOT_QUIET_MS : stage->quiet_ms;
	pthread_rwlock_unlock(&content->lock);
	if (enqueue)
		stage_enqueue(stage, content->ino, quiet, 0, false);
	table_unref(content);
}

int content_fd(struct content *content)
{
	pthread_rwlock_rdlock(&content->lock);
	int fd = content->fd;
	pthread_rwlock_unlock(&content->lock);
	return fd;
}

uint64_t content_version(struct content *content)
{
	pthread_rwlock_rdlock(&content->lock);
	uint64_t version = content->state == CONTENT_STAGED ? content->ticket | 1ull << 63 : content->version;
	pthread_rwlock_unlock(&content->lock);
	return version;
}

static int load_bytes(struct content *content)
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
		int rc = load_bytes(content);
		pthread_rwlock_unlock(&content->lock);
		if (rc)
			return rc;
	}
}

static size_t clip(uint64_t size, uint64_t off, size_t len)
{
	return off >= size ? 0 : size - off < len ? (size_t)(size - off) : len;
}

uint64_t content_cache(const struct content *content)
{
	return content->cache;
}

unsigned content_opens(const struct content *content)
{
	return content->opens;
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

ssize_t content_read(struct content *content, void *dst, size_t len, uint64_t off)
{
	ssize_t n = lock_for_read(content);

	if (n)
		return n;
	switch (content->state) {
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
	n = content->state == CONTENT_ENCODED ? reader_pin(content->reader, pins, len, off) : -ENOBUFS;
	pthread_rwlock_unlock(&content->lock);
	return n;
}

/* Takes the lock (exclusively if asked) with content->wfd open. On failure the lock is not held. */
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
	else if ((rc = content_wfd(content)) >= 0)
		rc = 0;
	if (rc || !exclusive)
		pthread_rwlock_unlock(&content->lock);
	return rc || exclusive ? rc : lock_for_write(content, false);
}

ssize_t content_write(struct content *content, const void *src, size_t len, uint64_t off, bool append)
{
	struct stat st;
	int rc = lock_for_write(content, append);

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

ssize_t content_copy(struct content *from, uint64_t from_off, struct content *to, uint64_t to_off, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;
	char *block = NULL;

	while (done < len) {
		loff_t in = (loff_t)(from_off + done), to_at = (loff_t)(to_off + done);
		if ((n = lock_for_write(to, false)))
			break;
		pthread_rwlock_rdlock(&from->lock);
		bool staged = from->state == CONTENT_STAGED;
		if (staged)
			n = copy_file_range(from->fd, &in, to->wfd, &to_at, len - done, 0);
		n = n < 0 ? -errno : n;
		pthread_rwlock_unlock(&from->lock);
		pthread_rwlock_unlock(&to->lock);
		if (!staged) {
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
	else if (fd >= 0)
		content->dir_synced = true;
	pthread_rwlock_unlock(&content->lock);
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

void content_fill(struct stage *stage, struct inode *inode)
{
	struct stat st;
	char name[24];

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
	if (!rc)
		rc = content_restage(content, size);
	if (!rc) {
		int wfd = content_wfd(content);
		rc = wfd < 0 ? wfd : ftruncate(wfd, (off_t)size) ? -errno : 0;
		touched(content);
	}
	enqueue = content->loaded && content->state == CONTENT_STAGED && !content->opens;
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
		char name[24];
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
	char name[24];
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
	char name[24];
	int rc = -ENOMEM;

	if (!content || !batch)
		goto out;
	put_be64(key, ino);
	pthread_rwlock_wrlock(&content->lock);
	names_lock(stage->names, ino);
	rc = content->opens ? -EBUSY : names_get(stage->names, ino, &inode);
	if (!rc)
		rc = names_drop(stage->names, batch, ino);
	if (!rc) {
		if (inode.content == CONTENT_INLINE)
			kv_batch_delete(stage->kv, batch, KV_INLINE, key, sizeof key);
		if (inode.content == CONTENT_STAGED)
			kv_batch_delete(stage->kv, batch, KV_STAGED, key, sizeof key);
		if (inode.content == CONTENT_ENCODED)
			recipes_bury(stage->recipes, batch, inode.recipe);
		rc = kv_write(stage->kv, batch, false);
	}
	names_unlock(stage->names, ino);
	if (!rc) {
		touched(content);
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
