#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/encode/private.h"
#include "store/util/array.h"
#include "store/util/io.h"

#define HOLE_MIN (64u << 10)
#define BASE_TRIES 4u /* chunks of a class after which a base that never paid is no longer read */
#define BASE_RETRY 16u

static int view_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	const struct stage_job *job = ctx;
	int rc = io_pread_full(job->fd, dst, len, off);

	return rc == -ENODATA ? -ESTALE : rc;
}

static int list_add(struct id_list *list, const struct chunk_id *id)
{
	struct chunk_id *ids = array_grow(list->ids, list->count, &list->capacity, sizeof *ids);

	if (!ids)
		return -ENOMEM;
	list->ids = ids;
	ids[list->count++] = *id;
	return 0;
}

/* --- collecting what workers have done, in order --- */

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

static int collect_all(struct file_encoding *file)
{
	int rc = 0;

	while (window_oldest(&file->encoder->window)) {
		int one = file_collect(file);
		rc = rc ? rc : one;
	}
	return rc;
}

/* A free slot, reset; collects until there is one. */
static int next_slot(struct file_encoding *file, enum job_kind kind, struct chunk_job **out)
{
	struct window *window = &file->encoder->window;
	struct chunk_job *job;
	int rc;

	if (file->encoder->stop)
		return -ESHUTDOWN;
	if (!stage_still(file->encoder->stage, file->job))
		return -ESTALE;
	while (!(job = window_slot(window)))
		if ((rc = file_collect(file)))
			return rc;
	job->kind = kind;
	job->len = 0;
	job->dtype = DTYPE_OPAQUE;
	job->base = (struct chunk_id){{0}};
	job->source = (struct source){0};
	job->hint = -1;
	job->class = NULL;
	*out = job;
	return 0;
}

/* --- the skeleton pass --- */

static void submit_gathered(struct file_encoding *file)
{
	if (file->gather) {
		file->gather->base = base_chunk(file, SIZE_MAX, file->gather->off, file->gather->len);
		window_submit(&file->encoder->window);
	}
	file->gather = NULL;
}

static int gather_range(struct file_encoding *file, uint64_t off, uint64_t len)
{
	int rc = 0;

	while (len && !rc) {
		if (!file->gather) {
			if ((rc = next_slot(file, JOB_CHUNK, &file->gather)))
				break;
			file->gather->off = off;
		}
		struct chunk_job *job = file->gather;
		size_t n = ENCODE_CHUNK - job->len < len ? ENCODE_CHUNK - job->len : (size_t)len;
		rc = file->view.read(file->view.ctx, off, job->raw + job->len, n);
		job->len += n;
		off += n;
		len -= n;
		if (!rc && job->len == ENCODE_CHUNK)
			submit_gathered(file);
	}
	return rc;
}

static int encode_skeleton(struct file_encoding *file)
{
	struct plan plan;
	struct piece piece;
	int rc = 0, drained;

	file->pass = PASS_SKELETON;
	plan_init(&plan, &file->layout, file->view.size);
	for (plan_next(&plan, &piece); !rc && piece.kind != PIECE_END; plan_next(&plan, &piece))
		if (piece.kind == PIECE_SKELETON)
			rc = gather_range(file, piece.off, piece.len);
	if (!rc)
		submit_gathered(file);
	file->gather = NULL;
	drained = collect_all(file);
	return rc ? rc : drained;
}

/* --- tensors --- */

static struct class_stats *class_of(struct file_encoding *file, const struct tensor *tensor)
{
	const char *last = strrchr(tensor->name, '.');
	last = last ? last + 1 : tensor->name;
	uint64_t key = XXH3_64bits_withSeed(last, strlen(last), tensor->dtype) | 1;

	for (size_t i = 0; i < CLASSES_MAX; i++) {
		struct class_stats *c = &file->classes[(key + i) % CLASSES_MAX];
		if (!c->key)
			*c = (struct class_stats){.key = key, .hint = -1};
		if (c->key == key)
			return c;
	}
	return &file->classes[key % CLASSES_MAX];
}

/* Reading a base costs as much as a read of the chunk: a class that never took one is asked only now and
 * then. */
static bool wants_base(struct class_stats *class)
{
	if (class->tried < BASE_TRIES || class->used * 8 >= class->tried)
		return true;
	return class->skipped++ % BASE_RETRY == 0;
}

static int tensor_piece(struct file_encoding *file, const struct piece *piece)
{
	const struct tensor *tensor = &file->layout.tensors[piece->tensor];
	struct chunk_job *job;
	int rc = next_slot(file, JOB_CHUNK, &job);

	if (rc)
		return rc;
	job->off = piece->off;
	job->span = job->len = (size_t)piece->len;
	job->dtype = tensor->dtype;
	job->class = class_of(file, tensor);
	job->hint = job->class->hint;
	if (wants_base(job->class))
		job->base = base_chunk(file, piece->tensor, piece->off, job->len);
	rc = step_source(file, piece->tensor, piece->off, job->len, &job->source);
	if (!rc && !job->source.bases.count)
		rc = source_find(file, piece->tensor, piece->off, job->len, &job->source);
	if (rc)
		return rc;
	if ((rc = file->view.read(file->view.ctx, piece->off, job->raw, job->len)))
		return rc;
	window_submit(&file->encoder->window);
	return 0;
}

/* What weights stand on that lie before it. */
static int encode_early(struct file_encoding *file)
{
	struct plan plan;
	struct piece piece;
	int rc = 0, drained;

	if (!file->steps.early)
		return 0;
	file->pass = PASS_EARLY;
	plan_init(&plan, &file->layout, file->view.size);
	for (plan_next(&plan, &piece); !rc && piece.kind != PIECE_END; plan_next(&plan, &piece))
		if (piece.kind == PIECE_TENSOR && file->steps.early[piece.tensor])
			rc = tensor_piece(file, &piece);
	drained = collect_all(file);
	return rc ? rc : drained;
}

/* --- the main pass --- */

/* The next hole at or after off, clipped; small ones are read as zeros. */
static void find_hole(int fd, uint64_t off, uint64_t end, uint64_t *start, uint64_t *stop)
{
	*start = *stop = end;
	for (uint64_t at = off; at < end;) {
		off_t hole = lseek(fd, (off_t)at, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole >= end)
			return;
		off_t data = lseek(fd, hole, SEEK_DATA);
		uint64_t stops = data < 0 || (uint64_t)data > end ? end : (uint64_t)data;
		if (stops - (uint64_t)hole >= HOLE_MIN) {
			*start = (uint64_t)hole;
			*stop = stops;
			return;
		}
		at = stops;
	}
}

static int submit_span(struct file_encoding *file, enum job_kind kind, uint64_t off, uint64_t len)
{
	struct chunk_job *job;
	int rc = next_slot(file, kind, &job);

	if (rc)
		return rc;
	job->off = off;
	job->span = len;
	window_submit(&file->encoder->window);
	return 0;
}

/* Dense bytes of unknown type. */
static int opaque_data(struct file_encoding *file, uint64_t off, uint64_t end, bool by_content)
{
	int rc = 0;

	while (off < end && !rc) {
		size_t n = end - off < ENCODE_CHUNK ? (size_t)(end - off) : ENCODE_CHUNK;
		struct chunk_job *job;
		if ((rc = next_slot(file, JOB_CHUNK, &job)) ||
			(rc = file->view.read(file->view.ctx, off, job->raw, n)))
			break;
		job->off = off;
		job->span = job->len = by_content ? cdc_next(&file->encoder->cdc, job->raw, n) : n;
		job->base = base_chunk(file, SIZE_MAX, off, job->len);
		off += job->len;
		window_submit(&file->encoder->window);
	}
	return rc;
}

static bool looks_compressed(struct file_encoding *file, const struct piece *piece)
{
	uint8_t sample[4096];
	size_t n = piece->len < sizeof sample ? (size_t)piece->len : sizeof sample;

	return !file->view.read(file->view.ctx, piece->off + (piece->len - n) / 2, sample, n) &&
	       cdc_incompressible(sample, n);
}

static int opaque_piece(struct file_encoding *file, const struct piece *piece)
{
	uint64_t off = piece->off, end = piece->off + piece->len, start, stop;
	bool by_content = piece->len > ENCODE_CHUNK && !looks_compressed(file, piece);
	int rc = 0;

	while (off < end && !rc) {
		find_hole(file->job->fd, off, end, &start, &stop);
		rc = opaque_data(file, off, start, by_content);
		if (!rc && stop > start)
			rc = submit_span(file, JOB_HOLE, start, stop - start);
		off = stop;
	}
	return rc;
}

static int encode_pieces(struct file_encoding *file)
{
	struct plan plan;
	struct piece piece;
	int rc = 0, drained;

	file->pass = PASS_MAIN;
	plan_init(&plan, &file->layout, file->view.size);
	for (plan_next(&plan, &piece); !rc && piece.kind != PIECE_END; plan_next(&plan, &piece)) {
		if (piece.kind == PIECE_SKELETON)
			rc = submit_span(file, JOB_SKELETON, piece.off, piece.len);
		else if (piece.kind == PIECE_TENSOR && file->steps.early && file->steps.early[piece.tensor])
			rc = submit_span(file, JOB_EARLY, piece.off, piece.len);
		else if (piece.kind == PIECE_TENSOR)
			rc = tensor_piece(file, &piece);
		else
			rc = opaque_piece(file, &piece);
	}
	drained = collect_all(file);
	return rc ? rc : drained;
}

static int add_segments(struct file_encoding *file)
{
	struct segment *segment = malloc(sizeof *segment);
	int rc = segment ? 0 : -ENOMEM;

	for (size_t i = 0; i < file->layout.count && !rc; i++) {
		if (file->layout.tensors[i].len < ENCODE_TENSOR_MIN)
			continue;
		segment_of(&file->layout.tensors[i], segment);
		rc = recipe_builder_segment(file->builder, segment, &file->family, 1);
	}
	free(segment);
	return rc;
}

int file_encode(struct encoder *encoder, struct file_encoding *file, struct stage_publication *p)
{
	struct recipe_head head = {.size = p->job.size};
	int rc;

	*file = (struct file_encoding){.encoder = encoder, .job = &p->job, .base_tensor = SIZE_MAX};
	file->view = (struct view){.read = view_read, .ctx = &p->job, .size = p->job.size};
	if (!(file->batch = kv_batch_new()) ||
		!(file->builder = recipe_builder_new(encoder->recipes, file->batch)))
		return -ENOMEM;
	if ((rc = formats_label(&file->view, &file->layout)))
		return rc;
	file->family = family_of(&file->layout);
	if ((rc = base_choose(file, encoder->ws)))
		return rc;
	if ((rc = steps_find(file)) || (rc = encode_skeleton(file)) || (rc = encode_early(file)) ||
		(rc = encode_pieces(file)) || (rc = add_segments(file)))
		return rc;
	head.new_bytes = file->new_bytes;
	head.format = file->layout.format;
	head.family = file->family;
	if ((rc = recipe_builder_finish(file->builder, &head)))
		return rc;
	p->batch = file->batch;
	p->recipe = head.recipe;
	/* Never 0 for a file with bytes: archivers take that for one great hole. */
	p->blocks = (file->new_bytes + 511) / 512 < 8 ? 8 : (file->new_bytes + 511) / 512;
	encoder->counts.files++;
	return 0;
}

void file_release(struct file_encoding *file)
{
	struct encoder *e = file->encoder;

	for (size_t i = 0; i < file->announced.count; i++)
		chunks_retract(e->chunks, &file->announced.ids[i]);
	for (size_t i = 0; i < file->pins.count; i++)
		chunks_unpin(e->chunks, &file->pins.ids[i]);
	free(file->announced.ids);
	free(file->pins.ids);
	free(file->skeleton.ids);
	recipe_cursor_free(file->base_cursor);
	source_release(&file->sources);
	steps_release(&file->steps);
	placed_release(&file->placed);
	placed_release(&file->early);
	recipe_builder_free(file->builder);
	kv_batch_free(file->batch);
	layout_release(&file->layout);
}
