#include "store/encode/encode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "store/encode/private.h"
#include "store/util/io.h"
#include "store/util/log.h"
#include "store/util/processors.h"

#define GROUP_MAX 256u
#define GROUP_BYTES (2u << 20) /* new bytes after which a group is published, */
#define BASE_BYTES (64u << 10) /* and those of a file with tensors, which may be bases of the next */
#define IDLE_MS 500u
#define POOL_LOOK_MS 50u
#define RETRY_MS 10000u
#define NICE 10

/* Files encoded and not yet published. A large file makes a group of its own, and one with tensors ends its
 * group, so that the next one finds its bases. */
struct group {
	struct stage_publication publications[GROUP_MAX];
	struct file_encoding *files[GROUP_MAX]; /* NULL: inline */
	struct file_encoding *carrier;		/* holds the chunks of small files; or NULL */
	size_t count;
	uint64_t bytes;
	bool ends; /* not to grow any more */
};

/* --- the table of contents of the write path --- */

static int encode_inline(struct stage_publication *p)
{
	void *bytes = malloc(p->job.size ? p->job.size : 1);
	int rc = bytes ? stage_read(&p->job, bytes) : -ENOMEM;

	if (rc) {
		free(bytes);
		return rc;
	}
	p->inline_bytes = bytes;
	p->blocks = p->job.size ? 8 : 0;
	return 0;
}

static int encode_job(struct encoder *encoder, struct group *group, struct stage_job *job)
{
	struct stage_publication *p = &group->publications[group->count];
	struct file_encoding *file = NULL;
	int rc = kv_is_full(encoder->kv) ? -ENOSPC : 0; /* it could not be published */

	if (rc)
		return rc;
	*p = (struct stage_publication){.job = *job};
	if (job->size <= INLINE_MAX) {
		rc = encode_inline(p);
	} else if (!(file = malloc(sizeof *file))) {
		rc = -ENOMEM;
	} else if ((rc = file_encode(encoder, file, p))) {
		encoder->counts.wasted += file->new_bytes;
		file_release(file);
		free(file);
	}
	if (rc)
		return rc;
	group->files[group->count++] = file;
	group->bytes += file ? file->new_bytes : job->size;
	group->ends = group->count == GROUP_MAX || group->bytes >= GROUP_BYTES ||
		      (file && file->layout.count && file->new_bytes >= BASE_BYTES);
	return 0;
}

static void publish(struct encoder *encoder, struct group *group)
{
	bool unsynced;
	int rc;

	pthread_mutex_lock(&encoder->publish_lock);
	rc = group->count ? packs_sync(encoder->packs) : 0;
	unsynced = rc != 0;
	if (rc) {
		for (size_t i = 0; i < group->count; i++)
			stage_giveback(encoder->stage, &group->publications[i].job, RETRY_MS, rc);
	} else if (group->count) {
		rc = stage_publish(encoder->stage, group->publications, group->count);
	}
	if (rc)
		log_error("cannot publish %zu encoded files, they stay raw for now: %s", group->count,
			strerror(-rc));
	for (size_t i = 0; i < group->count; i++) {
		free((void *)group->publications[i].inline_bytes);
		if (group->files[i]) {
			if (unsynced || group->publications[i].result)
				encoder->counts.wasted += group->files[i]->new_bytes;
			file_release(group->files[i]);
			free(group->files[i]);
		}
	}
	if (group->carrier) {
		file_release(group->carrier);
		free(group->carrier);
	}
	group->carrier = NULL;
	group->count = 0;
	group->bytes = 0;
	group->ends = false;
	pthread_mutex_unlock(&encoder->publish_lock);
}

/* Small files of caches wait for each other, and go together. */
static void publish_pool(struct encoder *encoder, struct group *group)
{
	if (group->count)
		publish(encoder, group);
	pool_encode(
		encoder, &encoder->pool, group->publications, group->files, &group->count, &group->carrier);
	publish(encoder, group);
}

/* Who drains waits for what the pool holds. */
static unsigned wait_ms(const struct encoder *encoder, const struct group *group)
{
	if (group->count || (encoder->pool.count && stage_is_draining(encoder->stage)))
		return 0;
	return encoder->pool.count ? POOL_LOOK_MS : IDLE_MS;
}

static void *coordinate(void *arg)
{
	struct encoder *encoder = arg;
	struct group *group = calloc(1, sizeof *group);
	struct stage_job job;
	int rc = group ? 0 : -ENOMEM;

	while (!rc) {
		rc = stage_take(encoder->stage, &job, wait_ms(encoder, group));
		if (rc == -EAGAIN) {
			if (group->count)
				publish(encoder, group);
			if (pool_is_due(&encoder->pool, encoder->stage))
				publish_pool(encoder, group);
			rc = 0;
			continue;
		}
		if (rc)
			break;
		if (pool_wants(&encoder->pool, &job)) {
			pool_add(&encoder->pool, &job);
			if (pool_is_full(&encoder->pool))
				publish_pool(encoder, group);
			continue;
		}
		rc = encode_job(encoder, group, &job);
		if (rc) {
			if (rc != -ESTALE && rc != -ESHUTDOWN)
				log_error("inode %" PRIu64 " stays raw, encoding it failed: %s", job.ino,
					strerror(-rc));
			stage_giveback(encoder->stage, &job, rc == -ESTALE ? 0 : RETRY_MS, rc);
			rc = 0;
		}
		if (group->ends)
			publish(encoder, group);
	}
	pool_release(encoder, &encoder->pool);
	if (group && group->count)
		publish(encoder, group);
	free(group);
	return NULL;
}

/* --- threads --- */

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *work(void *arg)
{
	struct encoder *encoder = arg;
	struct codec_workspace *ws = codec_workspace_new();
	struct chunk_job *job;

	/* Saving comes first: encoding takes what the machine has left. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while ((job = window_take(&encoder->window))) {
		uint64_t start = cpu_ns();
		if (ws)
			chunk_encode(encoder, ws, job);
		else
			job->rc = -ENOMEM;
		encoder->counts.busy_ns += cpu_ns() - start;
		window_finish(&encoder->window, job);
	}
	codec_workspace_free(ws);
	return NULL;
}

int encoder_start(struct stage *stage, struct chunks *chunks, struct packs *packs, struct recipes *recipes,
	struct decoder *decoder, struct kv *kv, unsigned threads, enum codec_level level,
	struct encoder **out)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);
	int rc = -ENOMEM;

	if (!encoder)
		return rc;
	*encoder = (struct encoder){.stage = stage,
		.chunks = chunks,
		.packs = packs,
		.recipes = recipes,
		.decoder = decoder,
		.kv = kv,
		.level = level};
	pthread_mutex_init(&encoder->again_lock, NULL);
	pthread_mutex_init(&encoder->publish_lock, NULL);
	cdc_init(&encoder->cdc, chunks_seed(chunks));
	encoder->threads = threads ? threads : processors_count();
	encoder->workers = calloc(encoder->threads, sizeof *encoder->workers);
	encoder->ws = codec_workspace_new();
	encoder->again_ws = codec_workspace_new();
	if (!encoder->workers || !encoder->ws || !encoder->again_ws ||
		(stage && window_init(&encoder->window)))
		goto fail;
	if (!stage) {
		*out = encoder;
		return 0;
	}
	for (; encoder->workers_started < encoder->threads; encoder->workers_started++)
		if ((rc = -pthread_create(&encoder->workers[encoder->workers_started], NULL, work, encoder)))
			goto fail;
	if ((rc = -pthread_create(&encoder->coordinator, NULL, coordinate, encoder)))
		goto fail;
	encoder->coordinator_started = true;
	*out = encoder;
	return 0;
fail:
	encoder_stop(encoder);
	return rc;
}

void encoder_stop(struct encoder *encoder)
{
	if (!encoder)
		return;
	encoder->stop = true;
	if (encoder->coordinator_started) {
		stage_stop(encoder->stage);
		pthread_join(encoder->coordinator, NULL);
	}
	if (encoder->workers_started)
		window_stop(&encoder->window);
	for (unsigned i = 0; i < encoder->workers_started; i++)
		pthread_join(encoder->workers[i], NULL);
	if (encoder->stage)
		window_release(&encoder->window);
	alike_free(encoder->pool.alike);
	codec_workspace_free(encoder->ws);
	codec_workspace_free(encoder->again_ws);
	pthread_mutex_destroy(&encoder->again_lock);
	pthread_mutex_destroy(&encoder->publish_lock);
	free(encoder->workers);
	free(encoder);
}

void encoder_settle(struct encoder *encoder)
{
	pthread_mutex_lock(&encoder->publish_lock);
	pthread_mutex_unlock(&encoder->publish_lock);
}

void encoder_counts(struct encoder *encoder, struct encoder_counts *out)
{
	*out = (struct encoder_counts){
		.files = encoder->counts.files,
		.raw_bytes = encoder->counts.raw,
		.payload_bytes = encoder->counts.payload,
		.dedup_bytes = encoder->counts.dedup,
		.delta_bytes = encoder->counts.delta,
		.zero_bytes = encoder->counts.zero,
		.busy_ns = encoder->counts.busy_ns,
		.wasted_bytes = encoder->counts.wasted,
	};
}
