#include "store/stage/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/util/bytes.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define COPY_BLOCK (1u << 20)

static size_t bucket_of(uint64_t ino)
{
	return (size_t)(ino * 0x9e3779b97f4a7c15u >> 40) % TABLE_BUCKETS;
}

void staged_name(uint64_t ino, char name[STAGED_NAME])
{
	snprintf(name, STAGED_NAME, "%016" PRIx64, ino);
}

uint64_t staged_ino(const char *name)
{
	char expected[STAGED_NAME];
	uint64_t ino = strtoull(name, NULL, 16);

	staged_name(ino, expected);
	return strcmp(name, expected) ? 0 : ino;
}

struct content *table_ref(struct stage *stage, uint64_t ino)
{
	size_t bucket = bucket_of(ino);
	pthread_mutex_t *stripe = &stage->stripes[bucket % TABLE_STRIPES];
	struct content *c;

	pthread_mutex_lock(stripe);
	for (c = stage->buckets[bucket]; c && c->ino != ino; c = c->next)
		;
	if (!c && (c = calloc(1, sizeof *c))) {
		c->stage = stage;
		c->ino = ino;
		c->fd = c->wfd = -1;
		pthread_rwlock_init(&c->lock, NULL);
		c->next = stage->buckets[bucket];
		stage->buckets[bucket] = c;
	}
	if (c)
		c->refs++;
	pthread_mutex_unlock(stripe);
	return c;
}

void table_unref(struct content *content)
{
	struct stage *stage = content->stage;
	size_t bucket = bucket_of(content->ino);
	pthread_mutex_t *stripe = &stage->stripes[bucket % TABLE_STRIPES];
	struct content **link;

	pthread_mutex_lock(stripe);
	if (--content->refs) {
		pthread_mutex_unlock(stripe);
		return;
	}
	for (link = &stage->buckets[bucket]; *link != content; link = &(*link)->next)
		;
	*link = content->next;
	pthread_mutex_unlock(stripe);

	if (content->fd >= 0)
		close(content->fd);
	if (content->wfd >= 0)
		close(content->wfd);
	content_forget_bytes(content);
	pthread_rwlock_destroy(&content->lock);
	free(content);
}

bool content_is_open(struct stage *stage, uint64_t ino)
{
	size_t bucket = bucket_of(ino);
	pthread_mutex_t *stripe = &stage->stripes[bucket % TABLE_STRIPES];
	struct content *c;
	bool open;

	pthread_mutex_lock(stripe);
	for (c = stage->buckets[bucket]; c && c->ino != ino; c = c->next)
		;
	open = c && c->opens;
	pthread_mutex_unlock(stripe);
	return open;
}

static int open_staged(struct content *content, int flags)
{
	char name[STAGED_NAME];
	int fd;

	staged_name(content->ino, name);
	fd = openat(content->stage->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

int content_load(struct content *content)
{
	struct inode inode;
	int rc;

	if (content->loaded)
		return 0;
	if ((rc = names_get(content->stage->names, content->ino, &inode)))
		return rc;
	if (!S_ISREG(inode.mode))
		return -EINVAL;
	if (inode.content == CONTENT_STAGED) {
		/* The name can be durable and the staged file not, after a power cut before any fsync: it was
		 * never filled. */
		int fd = open_staged(content, O_RDONLY);
		if (fd == -ENOENT && content->stage->read_only) {
			inode.content = CONTENT_NONE;
			inode.size = 0;
			fd = -1;
		} else if (fd == -ENOENT) {
			log_warning("inode %" PRIu64 ": its staged file is missing; the file is empty now",
				content->ino);
			fd = open_staged(content, O_RDONLY | O_CREAT);
		}
		if (fd < 0 && inode.content == CONTENT_STAGED)
			return fd;
		content->fd = fd;
	}
	content->state = inode.content;
	content->cache = inode.cache;
	content->recipe = inode.recipe;
	content->size = inode.size;
	content->version = inode.version;
	content->ticket = ++content->stage->tickets;
	content->loaded = true;
	return 0;
}

void content_forget_bytes(struct content *content)
{
	if (content->reader)
		reader_close(content->reader);
	content->reader = NULL;
	free(content->inline_bytes);
	content->inline_bytes = NULL;
}

int content_wfd(struct content *content)
{
	if (content->wfd < 0)
		content->wfd = open_staged(content, O_RDWR);
	if (content->wfd < 0) {
		int rc = content->wfd;
		content->wfd = -1;
		return rc;
	}
	return content->wfd;
}

void content_count(struct content *content)
{
	struct stat st;

	if (content->fd >= 0 && !fstat(content->fd, &st))
		tally_set(&content->stage->tally, content->ino, (uint64_t)st.st_blocks * 512);
}

uint64_t content_live_size(const struct content *content)
{
	struct stat st;

	return content->state == CONTENT_STAGED && !fstat(content->fd, &st) ? (uint64_t)st.st_size
									    : content->size;
}

/* Bytes of inline or encoded content into the staged copy; holes stay holes. */
static int copy_back(struct content *content, int fd, uint64_t keep)
{
	struct stage *stage = content->stage;
	void *block = NULL;
	int rc = 0;

	if (content->state == CONTENT_INLINE) {
		size_t len;
		uint8_t key[8];
		put_be64(key, content->ino);
		if ((rc = kv_get_alloc(stage->kv, KV_INLINE, key, sizeof key, &block, &len)))
			goto out;
		rc = io_pwrite_full(fd, block, len < keep ? len : (size_t)keep, 0);
		goto out;
	}
	if (content->state != CONTENT_ENCODED)
		goto out;
	if (!content->reader && (rc = reader_open(stage->decoder, content->recipe, &content->reader)))
		goto out;
	if (!(block = malloc(COPY_BLOCK))) {
		rc = -ENOMEM;
		goto out;
	}
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
out:
	free(block);
	return rc;
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

void content_open_kept(struct content *content)
{
	int fd;

	if (content->state != CONTENT_ENCODED || content->lingering || content->opens)
		return;
	fd = kept_open(&content->stage->kept, content->ino, content->version);
	if (fd < 0)
		return;
	content->fd = fd;
	content->kept = true;
}

static void close_kept(struct content *content)
{
	close(content->fd);
	content->fd = -1;
	content->kept = false;
	kept_close(&content->stage->kept, content->ino);
}

/* Its raw copy lingers in staging/ again; where nothing of it will be read it goes. */
static int take_kept(struct content *content, uint64_t keep)
{
	struct kept *kept = &content->stage->kept;
	int rc;

	if (!keep && !content->opens) {
		close_kept(content);
		kept_drop(kept, content->ino);
		return 0;
	}
	rc = kept_take(kept, content->ino, content->fd, &content->lingering);
	content->kept = !content->lingering;
	return rc;
}

/* A copy that lingers is kept, if it is wanted. */
static void give_kept(struct content *content)
{
	const struct kept_content what = {content->ino, content->version, content->recipe, content->size};
	struct stage *stage = content->stage;

	if (content->state != CONTENT_ENCODED || !kept_give(&stage->kept, &what, content->fd, true))
		return;
	tally_remove(&stage->tally, content->ino);
	content->lingering = false;
	content->kept = true;
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
		wfd = open_staged(content, O_RDWR | O_CREAT | O_TRUNC);
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
		content->fd = open_staged(content, O_RDONLY);
	content->wfd = wfd;
	content->lingering = false;
	content->unsynced = false;
	content->dir_synced = false;
	content->state = CONTENT_STAGED;
	content->version = inode.version + 1;
	content->small = content->awaits = false;
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

void content_settle(struct content *content)
{
	struct stage *stage = content->stage;
	char name[STAGED_NAME];

	if (content->wfd >= 0 && !content->writers) {
		close(content->wfd);
		content->wfd = -1;
	}
	if (content->lingering && !content->unsynced)
		give_kept(content);
	if (content->opens)
		return;
	content->sync_error = 0;
	if (content->kept)
		close_kept(content);
	if (content->lingering && !content->unsynced) {
		staged_name(content->ino, name);
		spares_give(&stage->spares, name, content->fd);
		tally_remove(&stage->tally, content->ino);
		content->lingering = false;
		close(content->fd);
		content->fd = -1;
	}
	content_count(content);
}
