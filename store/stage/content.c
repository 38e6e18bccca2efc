#include "store/stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/private.h"

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

void content_touch(struct content *content)
{
	content->ticket = ++content->stage->tickets;
}

int content_create(struct stage *stage, uint64_t parent, const char *name, uint32_t mode,
	const struct names_owner *owner, int flags, struct content **out, struct inode *inode)
{
	enum content_state state;
	struct content *content = NULL;
	char staged[STAGED_NAME];
	bool small;
	uint64_t ino;
	int fd = -1, rc;

	if (stage->read_only)
		return -EROFS;
	throttle(stage);
	small = small_expected(stage, parent);
	state = small ? CONTENT_NONE : CONTENT_STAGED;
	if ((rc = names_reserve(stage->names, &ino)))
		return rc;
	staged_name(ino, staged);
	if (!small && (fd = spares_take(&stage->spares, staged)) < 0)
		return fd;
	if (!(content = table_ref(stage, ino))) {
		rc = -ENOMEM;
		goto fail;
	}
	/* Held over names_make: whoever finds the name meets the content as it is. */
	pthread_rwlock_wrlock(&content->lock);
	rc = name ? names_make(stage->names, parent, name, mode, 0, owner, state, ino, inode)
		  : names_make_unnamed(stage->names, parent, mode, owner, state, ino, inode);
	if (!rc) {
		content->loaded = true;
		content->fd = fd;
		content->state = state;
		content->small = small;
		content->made_in = parent;
		content->cache = inode->cache;
		content->version = inode->version;
		content->opens = 1;
		content->writers = is_writer(flags);
		content_touch(content);
		if (!small)
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
	if (fd >= 0) {
		close(fd);
		unlinkat(stage->dir_fd, staged, 0);
	}
	return rc;
}

/* The bytes of who opens to write are where they are written. */
static int prepare_writing(struct content *content, int flags)
{
	bool cut = flags & O_TRUNC;
	int rc, wfd;

	if (small_suits(content, cut ? 0 : content->size)) {
		rc = cut ? small_resize(content, 0) : 0;
		content->small = !rc;
		return rc;
	}
	if ((rc = content_restage(content, cut ? 0 : UINT64_MAX)) || !cut)
		return rc;
	wfd = content_wfd(content);
	return wfd < 0 ? wfd : ftruncate(wfd, 0) ? -errno : 0;
}

/* Whether an entry of a cache went with its group before this first open of it counted: who evicts looks for
 * opens with the inode's stripe held. */
static int check_there(struct content *content)
{
	struct names *names = content->stage->names;
	struct inode inode;
	int rc;

	if (!content->cache || content->opens != 1)
		return 0;
	names_lock(names, content->ino);
	rc = names_get(names, content->ino, &inode);
	names_unlock(names, content->ino);
	return !rc && inode.flags & INODE_EVICTED ? -ESTALE : rc;
}

/* One handle more. */
static int count_open(struct content *content, int flags)
{
	int rc;

	content->opens++;
	content->writers += is_writer(flags);
	if ((rc = check_there(content))) {
		content->opens--;
		content->writers -= is_writer(flags);
	}
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
	if (!rc)
		content_open_kept(content);
	if (!rc && writer) {
		rc = prepare_writing(content, flags);
		content_touch(content);
	}
	if (!rc)
		rc = count_open(content, flags);
	/* An open that failed half way may have left a staged copy with nobody to enqueue it, or
	 * opened one that is kept. */
	bool unopened = rc && content->loaded && !content->opens;
	bool enqueue = unopened && content->state == CONTENT_STAGED;
	if (unopened)
		content_settle(content);
	pthread_rwlock_unlock(&content->lock);
	if (enqueue)
		stage_enqueue(stage, ino, stage->quiet_ms, 0, false);
	if (rc)
		table_unref(content);
	else
		*out = content;
	return rc;
}

/* What was made here says what to expect of the next in its directory. */
static void note_made(struct content *content)
{
	if (content->made_in)
		small_made(content->stage, content->made_in, content_live_size(content) <= INLINE_MAX);
	content->made_in = 0;
}

void content_release(struct stage *stage, struct content *content, int flags)
{
	bool enqueue;
	unsigned quiet;

	pthread_rwlock_wrlock(&content->lock);
	content->opens--;
	if (is_writer(flags)) {
		content->writers--;
		content_touch(content);
	}
	if (!content->writers)
		note_made(content);
	content_settle(content);
	enqueue = !content->writers && content_suits_job(content) &&
		  (is_writer(flags) || (content->state == CONTENT_STAGED && !content->opens));
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

uint64_t content_size(struct content *content)
{
	pthread_rwlock_rdlock(&content->lock);
	uint64_t size = content_live_size(content);
	pthread_rwlock_unlock(&content->lock);
	return size;
}

uint64_t content_cache(const struct content *content)
{
	return content->cache;
}
