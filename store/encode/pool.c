#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <xxhash.h>

#include "store/encode/private.h"
#include "store/util/clock.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define AGE_QUIETS 5u	     /* a file waits so many quiet times for others, */
#define AGE_MAX_MS 5000u     /* and at most that long */
#define KIND_MIN (64u << 10) /* a chunk with that much is not shared with another kind */
#define RETRY_MS 10000u
#define CLOSED_MS 60000u      /* longer than that: what could not go together goes alone */
#define SPLIT_MIN (32u << 10) /* room in a chunk that is worth cutting a file for */

/* One of the files that are encoded together. */
struct small {
	struct stage_job job;
	uint8_t *bytes;
	size_t len, twin; /* twin: an earlier one with the same bytes, or its own index */
	enum small_kind kind;
	uint64_t digest[2];
	struct small_extents extents;
	uint64_t payload; /* its share of what was appended */
	bool known, first;
	int rc;
};

struct packing {
	struct encoder *encoder;
	struct alike *alike;
	struct file_encoding *carrier;
	struct small *files;
	size_t count;
	uint8_t *arena;
	struct chunk_job *job;	  /* being filled, or NULL */
	size_t from;		  /* the first file that is in it */
	enum small_kind kind;	  /* of its first file */
	struct chunk_id previous; /* chunk of that kind; zero: none */
	struct sketch sketch;
};

bool pool_wants(const struct pool *pool, const struct stage_job *job)
{
	if (pool->closed_until_ms && clock_now_ms() < pool->closed_until_ms)
		return false;
	return (job->inode.flags & INODE_CACHE) && job->size && job->size <= POOL_FILE_MAX;
}

void pool_add(struct pool *pool, const struct stage_job *job)
{
	if (!pool->count)
		pool->since_ms = clock_now_ms();
	pool->jobs[pool->count++] = *job;
	pool->bytes += job->size;
}

bool pool_is_full(const struct pool *pool)
{
	return pool->count == POOL_FILES || pool->bytes >= POOL_BYTES;
}

bool pool_is_due(const struct pool *pool, struct stage *stage)
{
	unsigned age = AGE_QUIETS * stage_quiet_ms(stage);

	if (!pool->count)
		return false;
	return stage_is_draining(stage) ||
	       clock_now_ms() - pool->since_ms >= (age < AGE_MAX_MS ? age : AGE_MAX_MS);
}

/* --- what is in a chunk --- */

/* The bytes from..from+len of a file are those of the chunk from `chunk_off` on. */
static int add_extent(
	struct small *file, const struct chunk_id *id, size_t from, size_t len, uint32_t chunk_off)
{
	if (file->extents.count == SMALL_EXTENTS)
		return -EFBIG;
	file->extents.list[file->extents.count++] =
		(struct extent){.off = from, .len = len, .chunk = *id, .chunk_off = chunk_off};
	return 0;
}

/* Chunks that the one at hand is like, and the one before it of the same kind. */
static void choose_near(struct packing *p, struct chunk_job *job)
{
	struct chunk_record record;
	struct chunk_id ids[FRAME_BASES_MAX];
	unsigned n;

	sketch_take(&p->sketch, job->raw, job->len);
	n = alike_find(p->alike, p->encoder->chunks, &p->sketch, ids, FRAME_BASES_MAX);
	memcpy(job->near.id, ids, n * sizeof ids[0]);
	job->near.count = n;
	if (n || chunk_id_is_zero(&p->previous) || chunks_get(p->encoder->chunks, &p->previous, &record) ||
		record.frames > CHUNK_FRAMES_MAX / 4 || record.codec == CODEC_STORED)
		return;
	job->near = chunk_bases_of(&p->previous);
}

/* Encodes the chunk, and tells the files where they are in it. */
static int finish_chunk(struct packing *p)
{
	struct chunk_job *job = p->job;
	size_t len, before = p->carrier->skeleton.count;
	uint64_t new_bytes = p->carrier->new_bytes;
	struct chunk_id id;
	int rc;

	p->job = NULL;
	if (!job)
		return 0;
	len = job->len;
	choose_near(p, job);
	window_submit(&p->encoder->window);
	rc = file_collect(p->carrier);
	if (!rc && p->carrier->skeleton.count == before)
		rc = -EIO;
	if (rc)
		return rc;
	id = p->carrier->skeleton.ids[before];
	new_bytes = p->carrier->new_bytes - new_bytes;
	alike_add(p->alike, &id, &p->sketch);
	p->previous = id;
	for (size_t i = p->from; i < p->count; i++) {
		struct small *file = &p->files[i];
		for (unsigned e = 0; e < file->extents.count; e++)
			if (chunk_id_is_zero(&file->extents.list[e].chunk)) {
				file->extents.list[e].chunk = id;
				file->payload += new_bytes * file->extents.list[e].len / len;
				file->first |= !file->extents.list[e].chunk_off && !e;
			}
	}
	return 0;
}

static int begin_chunk(struct packing *p, size_t file)
{
	struct chunk_job *job = window_slot(&p->encoder->window);

	if (!job)
		return -EBUSY;
	job->kind = JOB_SMALL;
	job->len = 0;
	job->dtype = DTYPE_OPAQUE;
	job->base = (struct chunk_id){{0}};
	job->source.bases.count = 0;
	job->near.count = 0;
	job->hint = -1;
	job->class = NULL;
	job->off = job->span = 0;
	p->job = job;
	p->from = file;
	if (p->files[file].kind != p->kind)
		p->previous = (struct chunk_id){{0}};
	p->kind = p->files[file].kind;
	return 0;
}

/* Whether a file, or the rest of it, begins a chunk of its own. */
static bool wants_new(const struct packing *p, const struct small *file, size_t left)
{
	size_t room = ENCODE_CHUNK - p->job->len;

	if (!room || (file->kind != p->kind && p->job->len >= KIND_MIN))
		return true;
	return left > room && left <= ENCODE_CHUNK && room < SPLIT_MIN;
}

static int put_file(struct packing *p, size_t at)
{
	const struct chunk_id later = {{0}};
	struct small *file = &p->files[at];
	int rc = 0;

	for (size_t done = 0; !rc && done < file->len;) {
		if (p->job && wants_new(p, file, file->len - done))
			rc = finish_chunk(p);
		if (!rc && !p->job)
			rc = begin_chunk(p, at);
		if (rc)
			break;
		size_t room = ENCODE_CHUNK - p->job->len;
		size_t n = file->len - done < room ? file->len - done : room;
		memcpy(p->job->raw + p->job->len, file->bytes + done, n);
		rc = add_extent(file, &later, done, n, (uint32_t)p->job->len);
		p->job->len += n;
		done += n;
	}
	return rc;
}

/* --- files --- */

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
	int rc = io_pread_full(file->job.fd, to, (size_t)file->job.size, 0);

	if (rc)
		return rc == -ENODATA ? -ESTALE : rc;
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
	return same ? file->rc : put_file(p, at);
}

/* --- one file's recipe --- */

/* The records of its chunks that no batch has yet, or whose batch may be given up. */
static int put_records(struct packing *p, struct file_encoding *to, const struct small_extents *extents)
{
	struct chunk_record record;
	int rc = 0;

	(void)p;
	for (unsigned i = 0; !rc && i < extents->count; i++)
		if (chunks_announced(to->encoder->chunks, &extents->list[i].chunk, &record))
			rc = put_announced(to, &extents->list[i].chunk, &record);
	return rc;
}

static int build(struct packing *p, struct small *file, struct file_encoding *to)
{
	const struct small_extents *extents = &p->files[file->twin].extents;
	struct recipe_head head = {.size = file->len, .new_bytes = file->payload};
	int rc = 0;

	if (!(to->batch = kv_batch_new()) ||
		!(to->builder = recipe_builder_new(p->encoder->recipes, to->batch)))
		return -ENOMEM;
	for (unsigned i = 0; !rc && i < extents->count; i++)
		rc = recipe_builder_extent(to->builder, &extents->list[i]);
	if (!rc && file->twin == (size_t)(file - p->files) && !file->known)
		rc = small_enter(to->builder, file->digest, file->len, file->first);
	if (!rc)
		rc = put_records(p, to, extents);
	if (!rc)
		rc = recipe_builder_finish(to->builder, &head);
	recipe_builder_free(to->builder);
	to->builder = NULL;
	to->family.b[0] = 0;
	to->base_recipe = head.recipe;
	return rc;
}

static int publication_of(struct packing *p, struct small *file, struct stage_publication *publication,
	struct file_encoding **out)
{
	struct file_encoding *to = calloc(1, sizeof *to);
	int rc;

	*publication = (struct stage_publication){.job = file->job};
	if (!to)
		return -ENOMEM;
	to->encoder = p->encoder;
	rc = build(p, file, to);
	if (rc) {
		file_release(to);
		free(to);
		return rc;
	}
	publication->batch = to->batch;
	publication->recipe = to->base_recipe;
	publication->blocks = file->payload / 512 + 1;
	*out = to;
	return 0;
}

/* --- all of them --- */

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
		rc = finish_chunk(p);
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
		rc = gather(p, pool);
	}
	if (rc) {
		pool_release(encoder, pool);
		goto out;
	}
	rc = pack_all(p);
	for (size_t i = 0; i < p->count; i++) {
		struct small *file = &p->files[i];
		int one = rc ? rc : publication_of(p, file, &publications[*count], &files[*count]);
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
