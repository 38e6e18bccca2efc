#include <errno.h>

#include "store/encode/private.h"
#include "store/util/array.h"

static int list_add(struct id_list *list, const struct chunk_id *id)
{
	struct chunk_id *ids = array_grow(list->ids, list->count, &list->capacity, sizeof *ids);

	if (!ids)
		return -ENOMEM;
	list->ids = ids;
	ids[list->count++] = *id;
	return 0;
}

static int append_chunk(struct file_encoding *file, const struct chunk_job *job)
{
	struct encoder *e = file->encoder;
	bool based = job->used.count != 0;
	struct frame frame = {
		.id = job->id,
		.bases = job->used,
		.raw_len = (uint32_t)job->len,
		.payload_len = (uint32_t)job->result.len,
		.codec = job->result.codec,
		.codec_version = CODEC_VERSION,
		.dtype = job->dtype,
		.salt = job->salt,
	};
	struct chunk_record record;
	struct frame_place place;
	int rc = packs_append(e->packs, &frame, job->payload, &place);

	if (!rc) {
		record = chunk_record_of(&frame, &place);
		rc = chunks_stand(e->chunks, &record, job->used_records) ? 0 : -EIO;
	}
	if (!rc)
		rc = chunks_announce(e->chunks, &job->id, &record);
	if (rc)
		return rc;
	if ((rc = list_add(&file->announced, &job->id))) {
		chunks_retract(e->chunks, &job->id);
		return rc;
	}
	chunks_put(e->chunks, file->batch, &job->id, &record);
	file->new_bytes += frame_span(&place);
	e->counts.payload += job->result.len;
	if (based)
		e->counts.delta += job->len;
	if (job->result.codec == CODEC_CONSTANT)
		e->counts.zero += job->len;
	if (job->class) {
		job->class->hint = job->result.codec;
		if (!chunk_id_is_zero(&job->base) && !codec_is_derived(job->result.codec)) {
			job->class->tried++;
			job->class->used += based;
		}
	}
	return 0;
}

int file_keep_pin(struct file_encoding *file, const struct chunk_id *id)
{
	int rc = list_add(&file->pins, id);

	if (rc)
		chunks_unpin(file->encoder->chunks, id);
	return rc;
}

int put_announced(struct file_encoding *file, const struct chunk_id *id, const struct chunk_record *record)
{
	struct chunks *chunks = file->encoder->chunks;
	struct chunk_record below;
	int rc = 0;

	chunks_put(chunks, file->batch, id, record);
	for (uint32_t i = 0; !rc && i < record->bases.count; i++) {
		const struct chunk_id *base = &record->bases.id[i];
		if (!chunks_announced(chunks, base, &below))
			continue;
		chunks_pin(chunks, base);
		if (!(rc = file_keep_pin(file, base)))
			rc = put_announced(file, base, &below);
	}
	return rc;
}

static int collect_chunk(struct file_encoding *file, struct chunk_job *job)
{
	struct encoder *e = file->encoder;
	struct chunk_record record;
	bool announced;
	int rc;

	if (job->rc)
		return job->rc;
	rc = file_keep_pin(file, &job->id);
	for (uint32_t i = 0; i < job->used.count; i++) {
		int one = file_keep_pin(file, &job->used.id[i]);
		rc = rc ? rc : one;
	}
	if (rc)
		return rc;
	/* Its twin may have been appended since the worker looked; nothing of it is committed yet. */
	announced = chunks_announced(e->chunks, &job->id, &record);
	if (announced && !job->shared) {
		rc = chunk_compare(e, &job->id, job->raw, job->len);
		if (rc != 1)
			return rc ? rc : -EIO; /* tried again later: then the worker sees the twin */
		job->shared = true;
	}
	if (!job->shared)
		return append_chunk(file, job);
	e->counts.dedup += job->len;
	return announced ? put_announced(file, &job->id, &record) : 0;
}

/* A range of skeleton bytes to extents: the skeleton's chunks are cut every ENCODE_CHUNK bytes of its stream.
 */
static int skeleton_extents(struct file_encoding *file, uint64_t off, uint64_t len)
{
	int rc = 0;

	while (len && !rc) {
		uint64_t left = ENCODE_CHUNK - file->skeleton_off;
		struct extent extent = {
			.off = off, .len = len < left ? len : left, .chunk_off = file->skeleton_off};
		if (file->skeleton_at >= file->skeleton.count)
			return -ESTALE;
		extent.chunk = file->skeleton.ids[file->skeleton_at];
		rc = recipe_builder_extent(file->builder, &extent);
		off += extent.len;
		len -= extent.len;
		file->skeleton_off += (uint32_t)extent.len;
		if (file->skeleton_off == ENCODE_CHUNK) {
			file->skeleton_off = 0;
			file->skeleton_at++;
		}
	}
	return rc;
}

static int add_extent(struct file_encoding *file, const struct extent *extent)
{
	int rc = recipe_builder_extent(file->builder, extent);

	if (!rc && file->noting)
		rc = placed_note(&file->placed, extent->off, extent->len, &extent->chunk);
	return rc;
}

static int place_chunk(struct file_encoding *file, const struct extent *extent)
{
	switch (file->pass) {
	case PASS_SKELETON:
		return list_add(&file->skeleton, &extent->chunk);
	case PASS_EARLY:
		return placed_note(&file->early, extent->off, extent->len, &extent->chunk);
	default:
		return add_extent(file, extent);
	}
}

/* A range of what was encoded early to extents. */
static int early_extents(struct file_encoding *file, uint64_t off, uint64_t len)
{
	struct extent extent;
	int rc = 0;

	for (uint64_t at = off; at < off + len && !rc; at = extent.off + extent.len)
		rc = placed_find(&file->early, at, &extent) ? add_extent(file, &extent) : -ESTALE;
	return rc;
}

int file_collect(struct file_encoding *file)
{
	struct window *window = &file->encoder->window;
	struct chunk_job *job = window_oldest(window);
	struct extent extent = {0};
	int rc = 0;

	if (!job)
		return -EAGAIN;
	extent.off = job->off;
	extent.len = job->span;
	switch (job->kind) {
	case JOB_CHUNK:
	case JOB_SMALL:
		rc = collect_chunk(file, job);
		extent.chunk = job->id;
		if (!rc)
			rc = place_chunk(file, &extent);
		file->encoder->counts.raw += job->len;
		break;
	case JOB_SKELETON:
		rc = skeleton_extents(file, job->off, job->span);
		break;
	case JOB_EARLY:
		rc = early_extents(file, job->off, job->span);
		break;
	case JOB_HOLE:
		rc = recipe_builder_extent(file->builder, &extent);
		file->encoder->counts.zero += job->span;
		break;
	}
	window_collected(window);
	return rc;
}

int file_collect_all(struct file_encoding *file)
{
	int rc = 0;

	while (window_oldest(&file->encoder->window)) {
		int one = file_collect(file);
		rc = rc ? rc : one;
	}
	return rc;
}
