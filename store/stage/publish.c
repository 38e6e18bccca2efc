#include <errno.h>
#include <sys/stat.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"

/* Whether the job's content is what it was when it was taken. *times: of the staged copy. */
static bool is_unchanged(const struct stage_job *job, struct stat *times)
{
	const struct content *content = job->content;

	if (content->ticket != job->ticket || content->writers || !content_suits_job(content) ||
		(content->state == CONTENT_STAGED) != (job->fd >= 0))
		return false;
	return job->fd < 0 || (!staged_has_writers(job->fd) && !fstat(job->fd, times) &&
				      (uint64_t)times->st_size == job->size);
}

static void take_times(struct inode *inode, const struct stat *st)
{
	inode->mtime = st->st_mtim;
	if (st->st_ctim.tv_sec > inode->ctime.tv_sec ||
		(st->st_ctim.tv_sec == inode->ctime.tv_sec && st->st_ctim.tv_nsec > inode->ctime.tv_nsec))
		inode->ctime = st->st_ctim;
}

/* The inode's new content, in one batch with what it refers to. With the content's lock held exclusively. */
static int publish_one(struct stage *stage, struct stage_publication *p)
{
	struct content *content = p->job.content;
	struct kv_batch *own = NULL, *batch = p->batch;
	bool staged = content->state == CONTENT_STAGED;
	struct inode inode;
	struct stat st;
	uint8_t key[8];
	int rc;

	if (!is_unchanged(&p->job, &st))
		return -ESTALE;
	if (!batch && !(batch = own = kv_batch_new()))
		return -ENOMEM;
	put_be64(key, content->ino);
	names_lock(stage->names, content->ino);
	rc = names_get(stage->names, content->ino, &inode);
	if (!rc && !inode.nlink)
		rc = -ESTALE;
	if (!rc) {
		inode.content = p->recipe ? CONTENT_ENCODED : p->job.size ? CONTENT_INLINE : CONTENT_NONE;
		inode.recipe = p->recipe;
		inode.size = p->job.size;
		inode.blocks = p->blocks;
		if (staged)
			take_times(&inode, &st);
		if (staged && inode.content == CONTENT_INLINE)
			kv_batch_put(
				stage->kv, batch, KV_INLINE, key, sizeof key, p->inline_bytes, p->job.size);
		if (!staged && inode.content != CONTENT_INLINE)
			kv_batch_delete(stage->kv, batch, KV_INLINE, key, sizeof key);
		kv_batch_trades(batch); /* the staged copy goes after it */
		kv_batch_delete(stage->kv, batch, KV_STAGED, key, sizeof key);
		names_put_content(stage->names, batch, &inode);
		rc = kv_write(stage->kv, batch, false);
	}
	names_unlock(stage->names, content->ino);
	kv_batch_free(own);
	if (rc)
		return rc == -ENOENT ? -ESTALE : rc;
	content->state = inode.content;
	content->recipe = p->recipe;
	content->size = p->job.size;
	content->version = inode.version + 1;
	content->lingering = staged;
	content->unsynced = staged;
	if (!staged && p->recipe)
		content_forget_bytes(content);
	content->hot = false;
	return 0;
}

void stage_watch(struct stage *stage, void (*published)(void *ctx, uint64_t ino), void *ctx)
{
	pthread_mutex_lock(&stage->watch_lock);
	stage->published = published;
	stage->watch_ctx = ctx;
	pthread_mutex_unlock(&stage->watch_lock);
}

static void tell_published(struct stage *stage, uint64_t ino)
{
	pthread_mutex_lock(&stage->watch_lock);
	if (stage->published)
		stage->published(stage->watch_ctx, ino);
	pthread_mutex_unlock(&stage->watch_lock);
}

int stage_publish(struct stage *stage, struct stage_publication *group, size_t count)
{
	int rc = 0, sync;

	for (size_t i = 0; i < count; i++) {
		struct content *content = group[i].job.content;
		pthread_rwlock_wrlock(&content->lock);
		group[i].result = publish_one(stage, &group[i]);
		pthread_rwlock_unlock(&content->lock);
		if (group[i].result && group[i].result != -ESTALE && !rc)
			rc = group[i].result;
	}
	/* Until the log is durable the staged copies are what a power cut would leave. */
	sync = kv_sync(stage->kv);
	for (size_t i = 0; i < count; i++) {
		struct stage_job *job = &group[i].job;
		if (group[i].result) {
			stage_giveback(stage, job, group[i].result == -ESTALE ? stage->quiet_ms : 5000,
				group[i].result);
			continue;
		}
		pthread_rwlock_wrlock(&job->content->lock);
		if (!sync) {
			job->content->unsynced = false;
			content_settle(job->content);
		}
		pthread_rwlock_unlock(&job->content->lock);
		if (group[i].recipe)
			tell_published(stage, job->ino);
		job_end(stage, job);
	}
	return rc ? rc : sync;
}
