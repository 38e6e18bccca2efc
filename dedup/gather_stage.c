#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/group/parallel.h"
#include "dedup/notes.h"
#include "dedup/ranks.h"
#include "dedup/saved.h"
#include "dedup/scanner.h"
#include "dedup/spill/record.h"
#include "dedup/stages.h"
#include "store/util/array.h"

/* Texts of one thread that wait to be sorted and written as a run. */
struct heap {
	uint8_t *v; /* records, one after the other */
	size_t len, capacity;
	size_t *offsets;
	size_t count, offset_capacity;
	uint64_t taken; /* in all */
	uint64_t *data; /* of the text at hand: keys and words */
	size_t data_capacity;
};

struct gather_stage {
	const struct dedup_work *work;
	uint32_t *bases;
	unsigned shard;
	struct dedup_lines components; /* of the shard's lines */
	pthread_mutex_t lock;	       /* of the file */
	struct dedup_table_writer file;
	struct heap *heaps;
	size_t most; /* bytes of a heap */
};

static int compare(const void *a, const void *b, void *ctx)
{
	const uint8_t *v = ctx;

	return memcmp(v + *(const size_t *)a, v + *(const size_t *)b, DEDUP_SHINGLES_COUNT);
}

static size_t size_at(const struct gather_stage *stage, const uint8_t *record)
{
	return DEDUP_SHINGLES +
	       8 * ((size_t)stage->work->options->bands.bands + get_be32(record + DEDUP_SHINGLES_COUNT));
}

/* A run for each part of the components. */
static int write_sorted(struct gather_stage *stage, const struct heap *heap)
{
	uint32_t lines = stage->bases[stage->work->shards];
	unsigned part = UINT32_MAX;
	int rc = 0;

	for (size_t i = 0; !rc && i < heap->count; i++) {
		const uint8_t *record = heap->v + heap->offsets[i];
		unsigned own = dedup_work_part_of_line(stage->work, get_be32(record), lines);

		if (own != part)
			rc = dedup_table_begin(&stage->file, own);
		part = own;
		rc = rc ? rc : dedup_table_put(&stage->file, record, size_at(stage, record));
	}
	return rc;
}

static int flush(struct gather_stage *stage, struct heap *heap)
{
	int rc;

	if (heap->count)
		qsort_r(heap->offsets, heap->count, sizeof *heap->offsets, compare, heap->v);
	pthread_mutex_lock(&stage->lock);
	rc = write_sorted(stage, heap);
	pthread_mutex_unlock(&stage->lock);
	heap->len = heap->count = 0;
	return rc;
}

/* Room for a record; a single one may be larger than a heap should be. */
static int take(struct gather_stage *stage, struct heap *heap, size_t size, uint8_t **record)
{
	size_t *offsets;
	int rc = heap->count && heap->len + size + heap->count * sizeof *offsets > stage->most
			 ? flush(stage, heap)
			 : 0;

	if (rc)
		return rc;
	if (heap->len + size > heap->capacity) {
		size_t capacity = size > stage->most ? size : stage->most;
		uint8_t *grown = realloc(heap->v, capacity);

		if (!grown)
			return -ENOMEM;
		heap->v = grown;
		heap->capacity = capacity;
	}
	offsets = array_grow(heap->offsets, heap->count, &heap->offset_capacity, sizeof *offsets);
	if (!offsets)
		return -ENOMEM;
	heap->offsets = offsets;
	offsets[heap->count++] = heap->len;
	heap->taken++;
	*record = heap->v + heap->len;
	heap->len += size;
	return 0;
}

static bool wants(const struct dedup_scanner *s, uint32_t id)
{
	const struct gather_stage *stage = s->ctx;

	return id < stage->bases[stage->shard + 1] - stage->bases[stage->shard] &&
	       *dedup_lines_at(&stage->components, id) < DEDUP_LINE_GONE;
}

static int note(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	struct gather_stage *stage = s->ctx;
	struct heap *heap = &stage->heaps[w->number];
	unsigned bands = s->options->bands.bands;
	uint64_t rank = dedup_rank_here(s, w, len), *data;
	size_t words;
	int rc = dedup_shingle(s, w, text, len);
	uint8_t *record;

	if (!rc && !w->shingles.count)
		rc = -ESTALE;
	words = dedup_text_words(s->options, w->shingles.count);
	rc = rc ? rc : take(stage, heap, DEDUP_SHINGLES + 8 * (bands + words), &record);
	if (rc)
		return rc;
	data = array_reserve(heap->data, bands + words, &heap->data_capacity, sizeof *data);
	if (!data)
		return -ENOMEM;
	heap->data = data;
	dedup_text_keys(s, w, data);
	dedup_text_copy(s->options, w, data + bands);
	put_be32(record, *dedup_lines_at(&stage->components, id));
	put_be64(record + DEDUP_SHINGLES_RANK, rank);
	put_be48(record + DEDUP_SHINGLES_LINE, stage->bases[stage->shard] + id);
	put_be32(record + DEDUP_SHINGLES_COUNT, (uint32_t)words);
	record += DEDUP_SHINGLES;
	for (size_t i = 0; i < bands + words; i++, record += 8)
		put_be64(record, data[i]);
	dedup_worker_lap(w, &w->seen.times.sketch);
	return 0;
}

static const struct dedup_pass pass = {.wants = wants, .text = note};

static int flush_thread(void *ctx, unsigned thread)
{
	struct gather_stage *stage = ctx;

	return flush(stage, &stage->heaps[thread]);
}

static int prepare(struct gather_stage *stage)
{
	const struct dedup_work *work = stage->work;
	struct dedup_outcome outcome;
	struct dedup_result counted = {0};
	struct dedup_table table = {.fd = -1};
	int rc = dedup_outcome_init(&outcome, work->options->inputs->count);

	stage->most = work->options->memory / 2 / work->options->threads;
	stage->bases = calloc(work->shards + 1, sizeof *stage->bases);
	stage->heaps = calloc(work->options->threads, sizeof *stage->heaps);
	if (!rc && (!stage->bases || !stage->heaps))
		rc = -ENOMEM;
	rc = rc ? rc : dedup_notes_count(work, &outcome, stage->bases, &counted);
	dedup_outcome_release(&outcome);
	rc = rc ? rc : dedup_work_load(work, "components", 0, DEDUP_TABLE_COMPONENTS, &table);
	rc = rc ? rc
		: dedup_lines_get(&table, stage->shard, &stage->components, 0,
			  stage->bases[stage->shard + 1] - stage->bases[stage->shard]);
	dedup_table_close(&table);
	return rc ? rc
		  : dedup_work_create(work, "shingles", stage->shard, DEDUP_TABLE_SHINGLES, &stage->file);
}

/* Components are lines of the run: what the file says is not to be trusted until then. */
static int check(const struct gather_stage *stage)
{
	uint32_t lines = stage->bases[stage->work->shards];
	uint32_t own = stage->bases[stage->shard + 1] - stage->bases[stage->shard];

	for (uint32_t id = 0; id < own; id++) {
		uint32_t component = *dedup_lines_at(&stage->components, id);

		if (component >= lines && component != DEDUP_LINE_GONE)
			return -EBADMSG;
	}
	return 0;
}

static int run(struct gather_stage *stage, struct dedup_result *result)
{
	const struct dedup_work *work = stage->work;
	struct dedup_outcome outcome = {0};
	struct dedup_ranks ranks = {0};
	struct dedup_scanner s = {.options = work->options, .pass = &pass, .ctx = stage, .outcome = &outcome};
	struct dedup_result seen = {0};
	size_t first, end;
	int rc = dedup_ranks_init(&ranks, work->options, &outcome);

	s.ranks = &ranks;
	dedup_work_inputs(work, stage->shard, &first, &end);
	rc = rc ? rc : dedup_outcome_init(&outcome, work->options->inputs->count);
	rc = rc ? rc : dedup_scanner_open(&s, first, end);
	rc = rc ? rc : dedup_scanner_run(&s, &seen);
	if (!rc && outcome.first_ids[end] != stage->bases[stage->shard + 1] - stage->bases[stage->shard])
		rc = -ESTALE;
	result->fault = seen.fault;
	dedup_times_add(&result->times, &seen.times);
	dedup_scanner_close(&s);
	dedup_ranks_release(&ranks);
	dedup_outcome_release(&outcome);
	return rc;
}

int dedup_stage_gather(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	struct gather_stage stage = {.work = work, .shard = shard, .file.fd = -1};
	struct dedup_table done;
	int rc = dedup_work_load(work, "shingles", shard, DEDUP_TABLE_SHINGLES, &done);

	dedup_table_close(&done);
	if (rc != -ENOENT)
		return rc;
	pthread_mutex_init(&stage.lock, NULL);
	rc = prepare(&stage);
	rc = rc ? rc : check(&stage);
	rc = rc ? rc : run(&stage, result);
	rc = rc ? rc : dedup_parallel(work->options->threads, flush_thread, &stage);
	for (unsigned i = 0; !rc && i < work->options->threads; i++)
		stage.file.counts[0] += stage.heaps[i].taken;
	rc = rc ? rc : dedup_table_finish(&stage.file);
	dedup_table_drop(&stage.file);
	for (unsigned i = 0; stage.heaps && i < work->options->threads; i++) {
		free(stage.heaps[i].v);
		free(stage.heaps[i].offsets);
		free(stage.heaps[i].data);
	}
	free(stage.heaps);
	free(stage.bases);
	dedup_lines_release(&stage.components);
	pthread_mutex_destroy(&stage.lock);
	return rc;
}
