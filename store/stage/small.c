#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"

#define MADE_SLOTS 1024u /* directories whose last files are remembered */
#define MADE_SMALL 32u	 /* so many small ones in a row: the next one will be small too */

/* --- which files begin so --- */

static _Atomic uint64_t *made_slot(struct stage *stage, uint64_t dir)
{
	return &stage->made[(dir * 0x9e3779b97f4a7c15u >> 40) % MADE_SLOTS];
}

int small_init(struct stage *stage)
{
	stage->made = calloc(MADE_SLOTS, sizeof *stage->made);
	return stage->made ? 0 : -ENOMEM;
}

void small_release(struct stage *stage)
{
	free(stage->made);
}

/* A slot holds a directory's number and, in its low byte, how many small files in a row it got. Who is
 * overtaken here loses a count, no more. */
void small_made(struct stage *stage, uint64_t dir, bool small)
{
	_Atomic uint64_t *slot = made_slot(stage, dir);
	uint64_t was = atomic_load_explicit(slot, memory_order_relaxed);
	uint64_t row = was >> 8 == dir ? was & 0xff : 0;

	row = !small ? 0 : row < MADE_SMALL ? row + 1 : row;
	atomic_store_explicit(slot, dir << 8 | row, memory_order_relaxed);
}

bool small_expected(struct stage *stage, uint64_t dir)
{
	uint64_t was = atomic_load_explicit(made_slot(stage, dir), memory_order_relaxed);
	struct inode inode;

	if (was == (dir << 8 | MADE_SMALL))
		return true;
	return !names_get(stage->names, dir, &inode) && inode.cache;
}

static bool may_be(const struct content *content, uint64_t size)
{
	if (size > INLINE_MAX || content->fd >= 0)
		return false;
	return content->state == CONTENT_NONE || content->state == CONTENT_INLINE ||
	       (content->state == CONTENT_ENCODED && !size);
}

bool small_suits(const struct content *content, uint64_t size)
{
	return (content->cache || (content->state == CONTENT_INLINE && size)) && may_be(content, size);
}

/* --- their bytes --- */

/* What held the bytes before goes in the same batch. */
static void put_bytes(struct content *content, struct kv_batch *batch, const void *bytes, size_t size,
	const struct inode *inode)
{
	struct kv *kv = content->stage->kv;
	uint8_t key[8], when[8];

	put_be64(key, content->ino);
	put_le64(when, (uint64_t)inode->mtime.tv_sec);
	if (content->state == CONTENT_ENCODED)
		recipes_bury(content->stage->recipes, batch, content->recipe);
	if (size)
		kv_batch_put(kv, batch, KV_INLINE, key, sizeof key, bytes, size);
	else if (content->state == CONTENT_INLINE)
		kv_batch_delete(kv, batch, KV_INLINE, key, sizeof key);
	if (size && content->cache)
		kv_batch_put(kv, batch, KV_STAGED, key, sizeof key, when, sizeof when);
	else if (content->cache && content->state == CONTENT_INLINE)
		kv_batch_delete(kv, batch, KV_STAGED, key, sizeof key);
}

/* The file has these bytes from now on, which become the content's; on failure they stay the caller's. */
static int replace(struct content *content, void *bytes, size_t size)
{
	struct stage *stage = content->stage;
	struct kv_batch *batch = kv_batch_new();
	struct inode inode;
	int rc;

	if (!batch)
		return -ENOMEM;
	names_lock(stage->names, content->ino);
	rc = names_get(stage->names, content->ino, &inode);
	if (!rc) {
		inode.content = size ? CONTENT_INLINE : CONTENT_NONE;
		inode.recipe = 0;
		inode.size = size;
		inode.blocks = size ? 8 : 0;
		clock_gettime(CLOCK_REALTIME, &inode.mtime);
		inode.ctime = inode.mtime;
		put_bytes(content, batch, bytes, size, &inode);
		names_put_content(stage->names, batch, &inode);
		rc = kv_write(stage->kv, batch, false);
	}
	names_unlock(stage->names, content->ino);
	kv_batch_free(batch);
	if (rc)
		return rc;
	content_forget_bytes(content);
	content->inline_bytes = bytes;
	content->state = inode.content;
	content->size = size;
	content->recipe = 0;
	content->version = inode.version + 1;
	content_touch(content);
	return 0;
}

/* A copy of the bytes, cut or filled with zeros to `size`. */
static int copy_of(struct content *content, size_t size, uint8_t **out)
{
	size_t keep = content->size < size ? content->size : size;
	int rc = keep ? content_load_bytes(content) : 0;
	uint8_t *bytes;

	if (rc)
		return rc;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOMEM;
	if (keep)
		memcpy(bytes, content->inline_bytes, keep);
	memset(bytes + keep, 0, size - keep);
	*out = bytes;
	return 0;
}

static int rewrite(struct content *content, size_t size, const void *src, size_t len, size_t off)
{
	uint8_t *bytes;
	int rc = copy_of(content, size, &bytes);

	if (rc)
		return rc;
	if (len)
		memcpy(bytes + off, src, len);
	rc = replace(content, bytes, size);
	if (rc)
		free(bytes);
	return rc;
}

int small_resize(struct content *content, uint64_t size)
{
	return rewrite(content, (size_t)size, NULL, 0, 0);
}

int small_write(struct content *content, const void *src, size_t len, uint64_t off, bool append)
{
	int rc = -ENOTSUP;

	pthread_rwlock_wrlock(&content->lock);
	if (append)
		off = content->size;
	if (!content->small || len > INLINE_MAX || off > INLINE_MAX || !may_be(content, off + len))
		goto out;
	if (!content->writers)
		rc = -EBADF;
	else if (content->sync_error)
		rc = content->sync_error;
	else
		rc = rewrite(content, off + len > content->size ? off + len : (size_t)content->size, src, len,
			(size_t)off);
out:
	pthread_rwlock_unlock(&content->lock);
	return rc;
}
