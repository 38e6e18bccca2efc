#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"
#include "store/util/clock.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define BUSY_RETRY_MS 1000u
#define CALM_MS 200u /* after the last close, before encoding takes processor time from those who save */
#define BUSY_MAX_MS 30000u /* a file waits no longer than that for calm */

void stage_enqueue(struct stage *stage, uint64_t ino, unsigned soft_ms, unsigned hard_ms, bool deferred)
{
	uint64_t now = clock_now_ms();

	if (stage->read_only)
		return;
	pthread_mutex_lock(&stage->queue_lock);
	stage->last_queued = now;
	if (queue_put(&stage->queue, ino, now + soft_ms, now + hard_ms, deferred))
		log_warning("inode %" PRIu64 ": no memory to queue it; it stays raw until it is opened again",
			ino);
	/* Who waits for the first to be due need not hear of a later one: with many small files that wakes
	 * much. */
	else if (stage->draining || stage->queue.heap[0].soft >= now + soft_ms)
		pthread_cond_broadcast(&stage->queue_cond);
	pthread_mutex_unlock(&stage->queue_lock);
}

bool staged_has_writers(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

bool content_suits_job(const struct content *content)
{
	return content->state == CONTENT_STAGED || (content->state == CONTENT_INLINE && content->cache);
}

/* The staged copy, for the job. */
static int prepare_staged(struct content *content, struct stage_job *job)
{
	struct stat st;

	if (content->wfd >= 0) {
		close(content->wfd);
		content->wfd = -1;
	}
	if (staged_has_writers(content->fd))
		return -EAGAIN;
	if (fstat(content->fd, &st))
		return -errno;
	if ((job->fd = fcntl(content->fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return -errno;
	job->size = (uint64_t)st.st_size;
	return 0;
}

/* 0 taken; -EAGAIN not now, try later; another error: nothing to encode here. */
static int prepare(struct content *content, struct stage_job *job)
{
	int rc;

	if ((rc = content_load(content)))
		return rc;
	if (!content_suits_job(content) || content->writers)
		return -ENOENT; /* not staged any more, or its last close will queue it again */
	if ((rc = names_get(content->stage->names, content->ino, &job->inode)))
		return rc;
	if (!job->inode.nlink)
		return -ENOENT; /* an open file without a name: it goes with its last close */
	job->fd = -1;
	job->size = content->size;
	if (content->state == CONTENT_STAGED && (rc = prepare_staged(content, job)))
		return rc;
	job->ino = content->ino;
	job->ticket = content->ticket;
	job->content = content;
	return 0;
}

static void wait_for_entry(struct stage *stage, uint64_t ms)
{
	struct timespec until = clock_deadline(ms);

	pthread_cond_timedwait(&stage->queue_cond, &stage->queue_lock, &until);
}

static void end_running(struct stage *stage)
{
	pthread_mutex_lock(&stage->queue_lock);
	stage->running--;
	pthread_cond_broadcast(&stage->queue_cond);
	pthread_mutex_unlock(&stage->queue_lock);
}

/* A job for an entry that was popped (and counted as running). */
static int take_entry(struct stage *stage, uint64_t ino, struct stage_job *job)
{
	struct content *content = table_ref(stage, ino);
	int rc = -ENOMEM;

	if (content) {
		pthread_rwlock_wrlock(&content->lock);
		rc = prepare(content, job);
		pthread_rwlock_unlock(&content->lock);
		if (rc)
			table_unref(content);
	}
	if (!rc)
		return 0;
	if (rc != -ENOENT && rc != -EINVAL)
		stage_enqueue(stage, ino, BUSY_RETRY_MS, BUSY_RETRY_MS, true);
	end_running(stage);
	return rc;
}

/* While files are being closed one after the other, only what has waited long is due, unless staging fills
 * up. */
static uint64_t due_time(struct stage *stage, uint64_t now)
{
	uint64_t files, bytes;

	if (now - stage->last_queued >= CALM_MS || now < BUSY_MAX_MS)
		return now;
	tally_sums(&stage->tally, &files, &bytes);
	return bytes > stage->budget / 2 ? now : now - BUSY_MAX_MS;
}

int stage_take(struct stage *stage, struct stage_job *job, unsigned wait_ms)
{
	uint64_t until = clock_now_ms() + wait_ms;

	for (;;) {
		uint64_t ino, pause, now = clock_now_ms();
		pthread_mutex_lock(&stage->queue_lock);
		bool stopped = stage->stopped;
		bool urgent = stage->draining > 0;
		uint64_t due = urgent ? now : due_time(stage, now);
		bool popped = !stopped && queue_pop(&stage->queue, due, urgent, &ino, &pause);
		if (due < now && pause > CALM_MS)
			pause = CALM_MS;
		if (popped)
			stage->running++;
		else if (!stopped && now < until)
			wait_for_entry(stage, pause < until - now ? pause : until - now);
		pthread_mutex_unlock(&stage->queue_lock);
		if (stopped)
			return -ESHUTDOWN;
		if (popped && !take_entry(stage, ino, job))
			return 0;
		if (!popped && now >= until)
			return -EAGAIN;
	}
}

int stage_read(const struct stage_job *job, void *dst)
{
	ssize_t n;
	int rc;

	if (job->fd >= 0) {
		rc = io_pread_full(job->fd, dst, (size_t)job->size, 0);
		return rc == -ENODATA ? -ESTALE : rc;
	}
	n = content_read(job->content, dst, (size_t)job->size, 0);
	if (job->content->ticket != job->ticket) /* what was read, or that it could not be, says nothing */
		return -ESTALE;
	return n < 0 ? (int)n : (uint64_t)n == job->size ? 0 : -ESTALE;
}

bool stage_still(struct stage *stage, const struct stage_job *job)
{
	(void)stage;
	return job->content->ticket == job->ticket;
}

void job_end(struct stage *stage, struct stage_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	table_unref(job->content);
	job->fd = -1;
	job->content = NULL;
	end_running(stage);
}

void stage_giveback(struct stage *stage, struct stage_job *job, unsigned delay_ms, int error)
{
	if (error && error != -ESTALE) {
		pthread_mutex_lock(&stage->queue_lock);
		stage->last_error = error;
		pthread_mutex_unlock(&stage->queue_lock);
	}
	stage_enqueue(stage, job->ino, delay_ms, delay_ms, error && error != -ESTALE);
	job_end(stage, job);
}

void stage_stop(struct stage *stage)
{
	pthread_mutex_lock(&stage->queue_lock);
	stage->stopped = true;
	pthread_cond_broadcast(&stage->queue_cond);
	pthread_mutex_unlock(&stage->queue_lock);
}

int stage_drain(struct stage *stage, int (*progress)(void *ctx, uint64_t files, uint64_t bytes), void *ctx)
{
	uint64_t staged, bytes;
	int rc = 0;

	pthread_mutex_lock(&stage->queue_lock);
	stage->draining++;
	stage->last_error = 0;
	pthread_cond_broadcast(&stage->queue_cond);
	while (!rc && !stage->stopped && (stage->queue.used > stage->queue.deferred || stage->running)) {
		uint64_t files = stage->queue.used - stage->queue.deferred + stage->running;
		wait_for_entry(stage, 200);
		pthread_mutex_unlock(&stage->queue_lock);
		tally_sums(&stage->tally, &staged, &bytes);
		if (progress && progress(ctx, files, bytes))
			rc = -EINTR;
		pthread_mutex_lock(&stage->queue_lock);
	}
	if (!rc)
		rc = stage->last_error;
	stage->draining--;
	pthread_mutex_unlock(&stage->queue_lock);
	if (!rc)
		kept_seal(&stage->kept);
	return rc;
}

bool stage_is_draining(struct stage *stage)
{
	pthread_mutex_lock(&stage->queue_lock);
	bool draining = stage->draining;
	pthread_mutex_unlock(&stage->queue_lock);
	return draining;
}

unsigned stage_quiet_ms(const struct stage *stage)
{
	return stage->quiet_ms;
}

void stage_counts(struct stage *stage, struct stage_counts *out)
{
	struct kept_sums kept;

	tally_sums(&stage->tally, &out->staged_files, &out->staged_bytes);
	kept_sums(&stage->kept, &kept);
	out->kept_files = kept.files;
	out->kept_bytes = kept.bytes;
	out->kept_idle_bytes = kept.idle_bytes;
	pthread_mutex_lock(&stage->queue_lock);
	out->queued_files = stage->queue.used + stage->running;
	pthread_mutex_unlock(&stage->queue_lock);
}
