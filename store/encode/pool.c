#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <xxhash.h>

#include "store/encode/packing.h"
#include "store/util/clock.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define AGE_QUIETS 5u	 /* what is there goes when no more has come for so many quiet times, */
#define AGE_MAX_MS 5000u /* at most that long, */
#define WAIT_MS 60000u	 /* and when the first has waited that long */
#define RETRY_MS 10000u
#define CLOSED_MS 60000u /* longer than that: what could not go together goes alone */

bool pool_wants(const struct pool *pool, const struct stage_job *job)
{
	if (pool->closed_until_ms && clock_now_ms() < pool->closed_until_ms)
		return false;
	return (job->inode.flags & INODE_CACHE) && job->size && job->size <= POOL_FILE_MAX;
}

void pool_add(struct pool *pool, const struct stage_job *job)
{
	pool->last_ms = clock_now_ms();
	if (!pool->count)
		pool->since_ms = pool->last_ms;
	pool->jobs[pool->count++] = *job;
	pool->bytes += job->size;
}

bool pool_is_full(const struct pool *pool)
{
	return pool->count == POOL_FILES || pool->bytes >= POOL_BYTES;
}

bool pool_has_waited(const struct pool *pool, unsigned quiet_ms, uint64_t now_ms)
{
	unsigned age = AGE_QUIETS * quiet_ms < AGE_MAX_MS ? AGE_QUIETS * quiet_ms : AGE_MAX_MS;

	return pool->count && (now_ms - pool->last_ms >= age || now_ms - pool->since_ms >= WAIT_MS);
}

bool pool_is_due(const struct pool *pool, struct stage *stage)
{
	return pool->count &&
	       (stage_is_draining(stage) || pool_has_waited(pool, stage_quiet_ms(stage), clock_now_ms()));
}

static int by_kind(const void *a, const void *b)
{
	const struct small *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->job.ino < y->job.ino ? -1 : x->job.ino > y->job.ino;
}

static int read_file(struct packing *p, struct small *file, uint8_t *to)
{
	XXH128_hash_t digest;
	int rc = stage_read(&file->job, to);

	if (rc)
		return rc;
	file->bytes = to;
	file->len = (size_t)file->job.size;
	file->kind = small_kind_of(to, file->len);
	digest = XXH3_128bits_withSeed(to, file->len, chunks_seed(p->encoder->chunks));
	file->digest[0] = digest.low64;
	file->digest[1] = digest.high64;
	return 0;
}

/* The first of this group with the same bytes. They stand together: their sizes are the same. */
static size_t find_twin(const struct packing *p, size_t at)
{
	const struct small *file = &p->files[at], *other;

	for (size_t i = at; i-- > 0;) {
		other = &p->files[i];
		if (other->kind != file->kind || other->len != file->len)
			break;
		if (other->twin == i && !other->rc &&
			!memcmp(other->digest, file->digest, sizeof file->digest) &&
			!memcmp(other->bytes, file->bytes, file->len))
			return i;
	}
	return at;
}

/* Its bytes are there already: 1, with the pins the carrier's. */
static int look_up(struct packing *p, struct small *file)
{
	int same = small_find(p->encoder, file->digest, file->bytes, file->len, &file->extents);

	for (unsigned i = 0; same == 1 && i < file->extents.count; i++) {
		int rc = file_keep_pin(p->carrier, &file->extents.list[i].chunk);
		if (rc)
			file->rc = rc;
	}
	if (same != 1)
		file->extents.count = 0;
	return same;
}

static int place(struct packing *p, size_t at)
{
	struct small *file = &p->files[at];
	int same;

	file->twin = find_twin(p, at);
	if (file->twin != at) {
		p->encoder->counts.dedup += file->len;
		return 0;
	}
	same = look_up(p, file);
	if (same < 0)
		return same;
	file->known = same;
	if (same)
		p->encoder->counts.dedup += file->len;
	return same ? file->rc : packing_put(p, at);
}

static void give_back(struct packing *p, struct small *file, int rc)
{
	if (rc != -ESTALE && rc != -ESHUTDOWN)
		log_error(
			"inode %" PRIu64 " stays raw, encoding it failed: %s", file->job.ino, strerror(-rc));
	stage_giveback(p->encoder->stage, &file->job, rc == -ESTALE ? 0 : RETRY_MS, rc);
}

/* Reads them, and puts them in order. */
static int gather(struct packing *p, struct pool *pool)
{
	uint8_t *at;
	size_t kept = 0;

	p->files = calloc(pool->count, sizeof *p->files);
	at = p->arena = malloc(pool->bytes);
	if (!p->files || !p->arena)
		return -ENOMEM;
	for (size_t i = 0; i < pool->count; i++) {
		struct small *file = &p->files[kept];
		*file = (struct small){.job = pool->jobs[i]};
		int rc = read_file(p, file, at);
		if (rc) {
			give_back(p, file, rc);
			continue;
		}
		at += file->len;
		kept++;
	}
	p->count = kept;
	pool->count = 0;
	qsort(p->files, kept, sizeof *p->files, by_kind);
	return 0;
}

static int pack_all(struct packing *p)
{
	int rc = kv_is_full(p->encoder->kv) ? -ENOSPC : 0;

	for (size_t i = 0; !rc && i < p->count; i++)
		rc = place(p, i);
	if (!rc)
		rc = packing_finish(p);
	return rc;
}

/* A filled slot that was not submitted is as it was: it is filled anew by whoever is next. */
static struct file_encoding *new_carrier(struct encoder *encoder)
{
	struct file_encoding *carrier = calloc(1, sizeof *carrier);

	if (!carrier)
		return NULL;
	carrier->encoder = encoder;
	carrier->pass = PASS_SKELETON;
	carrier->batch = kv_batch_new();
	if (carrier->batch)
		return carrier;
	free(carrier);
	return NULL;
}

static struct alike *alike_of(struct encoder *encoder, struct pool *pool)
{
	if (!pool->alike && (pool->alike = alike_new()))
		small_chunks_recent(encoder, pool->alike);
	return pool->alike;
}

/* When nothing more comes there is time; when more comes than a pool holds, or somebody waits, there is none.
 */
static enum codec_level level_of(const struct encoder *encoder, const struct pool *pool)
{
	if (encoder->level != CODEC_DEFAULT || pool_is_full(pool) || stage_is_draining(encoder->stage))
		return encoder->level;
	return CODEC_SMALL;
}

void pool_encode(struct encoder *encoder, struct pool *pool, struct stage_publication *publications,
	struct file_encoding **files, size_t *count, struct file_encoding **carrier)
{
	struct packing *p = calloc(1, sizeof *p);
	int rc = -ENOMEM;

	*count = 0;
	*carrier = new_carrier(encoder);
	if (p && *carrier && (p->alike = alike_of(encoder, pool))) {
		p->encoder = encoder;
		p->carrier = *carrier;
		p->kind = SMALL_KINDS;
		p->level = level_of(encoder, pool);
		rc = gather(p, pool);
	}
	if (rc) {
		pool_release(encoder, pool);
		goto out;
	}
	rc = pack_all(p);
	for (size_t i = 0; i < p->count; i++) {
		struct small *file = &p->files[i];
		int one = rc ? rc : packing_publication(p, file, &publications[*count], &files[*count]);
		if (one)
			give_back(p, file, one);
		else
			++*count;
		encoder->counts.files += !one;
	}
	if (rc)
		encoder->counts.wasted += p->carrier->new_bytes;
	if (rc && rc != -ENOSPC && rc != -ESHUTDOWN)
		pool->closed_until_ms = clock_now_ms() + CLOSED_MS;
out:
	if (p) {
		free(p->files);
		free(p->arena);
	}
	free(p);
	pool->bytes = 0;
}

void pool_release(struct encoder *encoder, struct pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		stage_giveback(encoder->stage, &pool->jobs[i], RETRY_MS, -ESTALE);
	pool->count = 0;
	pool->bytes = 0;
}
