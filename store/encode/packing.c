#include <errno.h>
#include <string.h>

#include "store/encode/packing.h"

#define KIND_MIN (64u << 10)  /* a chunk with that much is not shared with another kind */
#define SPLIT_MIN (32u << 10) /* room in a chunk that is worth cutting a file for */

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

int packing_finish(struct packing *p)
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
	job->level = p->level;
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

int packing_put(struct packing *p, size_t at)
{
	const struct chunk_id later = {{0}};
	struct small *file = &p->files[at];
	int rc = 0;

	for (size_t done = 0; !rc && done < file->len;) {
		if (p->job && wants_new(p, file, file->len - done))
			rc = packing_finish(p);
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
