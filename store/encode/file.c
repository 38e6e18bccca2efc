#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/encode/private.h"
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
	drained = file_collect_all(file);
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
	drained = file_collect_all(file);
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
	drained = file_collect_all(file);
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
