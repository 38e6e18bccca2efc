#include "store/stage/private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/util/log.h"

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

int content_open_staged(struct content *content, int flags)
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
		int fd = content_open_staged(content, O_RDONLY);
		if (fd == -ENOENT && content->stage->read_only) {
			inode.content = CONTENT_NONE;
			inode.size = 0;
			fd = -1;
		} else if (fd == -ENOENT) {
			log_warning("inode %" PRIu64 ": its staged file is missing; the file is empty now",
				content->ino);
			fd = content_open_staged(content, O_RDONLY | O_CREAT);
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
		content->wfd = content_open_staged(content, O_RDWR);
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

void content_close_kept(struct content *content)
{
	close(content->fd);
	content->fd = -1;
	content->kept = false;
	kept_close(&content->stage->kept, content->ino);
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
		content_close_kept(content);
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
