#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/group/parallel.h"
#include "dedup/notes.h"
#include "dedup/ranks.h"
#include "dedup/scanner.h"
#include "dedup/spill/record.h"
#include "dedup/spill/sort.h"
#include "dedup/stages.h"

/* Records of one thread that wait to be sorted and written as a run. */
struct batch {
	uint8_t *v;
	size_t count, capacity, size; /* records; bytes each */
};

struct sketch_stage {
	const struct dedup_work *work;
	pthread_mutex_t lock; /* of the files */
	struct dedup_table_writer texts, bands;
	struct dedup_notes_writer notes;
	struct batch *batches; /* texts and bands of each thread */
};

static struct batch *texts_of(const struct sketch_stage *stage, const struct dedup_worker *w)
{
	return &stage->batches[2 * w->number];
}

static struct batch *bands_of(const struct sketch_stage *stage, const struct dedup_worker *w)
{
	return &stage->batches[2 * w->number + 1];
}

/* Both kinds begin with the hash that says which part they belong to. */
static unsigned part_at(const struct sketch_stage *stage, const struct batch *batch, size_t i)
{
	return dedup_work_part(stage->work, get_be64(batch->v + i * batch->size));
}

/* Sorted, as a run for each part. */
static int flush(struct sketch_stage *stage, struct batch *batch, struct dedup_table_writer *file)
{
	int rc = 0;

	dedup_sort(batch->v, batch->count, batch->size);
	pthread_mutex_lock(&stage->lock);
	for (size_t from = 0, to; !rc && from < batch->count; from = to) {
		unsigned part = part_at(stage, batch, from);

		for (to = from + 1; to < batch->count && part_at(stage, batch, to) == part;)
			to++;
		rc = dedup_table_begin(file, part);
		rc = rc ? rc
			: dedup_table_put(file, batch->v + from * batch->size, (to - from) * batch->size);
	}
	pthread_mutex_unlock(&stage->lock);
	batch->count = 0;
	return rc;
}

/* Room for one more. */
static int take(
	struct sketch_stage *stage, struct batch *batch, struct dedup_table_writer *file, uint8_t **record)
{
	int rc = batch->count < batch->capacity ? 0 : flush(stage, batch, file);

	*record = batch->v + batch->count++ * batch->size;
	return rc;
}

static int put_bands(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id)
{
	struct sketch_stage *stage = s->ctx;
	unsigned bands = s->options->bands.bands;
	uint64_t keys[DEDUP_SKETCH_MAX];
	int rc = 0;

	dedup_text_keys(s, w, keys);
	dedup_worker_lap(w, &w->seen.times.sketch);
	for (unsigned b = 0; !rc && b < bands; b++) {
		uint8_t *record;

		rc = take(stage, bands_of(stage, w), &stage->bands, &record);
		put_be64(record, keys[b]);
		put_be48(record + DEDUP_BAND_LINE, id);
	}
	dedup_worker_lap(w, &w->seen.times.band);
	return rc;
}

/* Bands of at least one line with each text: those of the others are left out where the table still knows
 * the text. */
static int note(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	struct sketch_stage *stage = s->ctx;
	uint64_t hash;
	uint32_t check, first, again;
	uint8_t *record;
	int rc = 0;

	w->seen.documents++;
	w->seen.text_bytes += len;
	dedup_key_hash(s, w, &hash, &check);
	if (!w->key.none) {
		rc = take(stage, texts_of(stage, w), &stage->texts, &record);
		put_be64(record, hash);
		put_be32(record + DEDUP_TEXT_CHECK, check);
		put_be48(record + DEDUP_TEXT_LINE, id);
		if (texts_of(stage, w)->size == DEDUP_TEXT_RANKED)
			put_be64(record + DEDUP_TEXT_RANK, dedup_rank_here(s, w, len));
	}
	if (!rc && dedup_method_compares(s->options->method))
		rc = w->key.none ? 1 : dedup_exact_put(s->exact, hash, check, id, &first, &again);
	dedup_worker_lap(w, &w->seen.times.exact);
	if (rc <= 0)
		return rc;
	rc = dedup_shingle(s, w, text, len);
	return rc || !w->shingles.count ? rc : put_bands(s, w, id);
}

static int mark(struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, uint32_t what)
{
	struct sketch_stage *stage = s->ctx;
	int rc;

	(void)w;
	pthread_mutex_lock(&stage->lock);
	rc = dedup_notes_mark(&stage->notes, id, what);
	pthread_mutex_unlock(&stage->lock);
	return rc;
}

static const struct dedup_pass pass = {.mark = mark, .text = note};

static int flush_all(void *ctx, unsigned thread)
{
	struct sketch_stage *stage = ctx;
	int rc = flush(stage, &stage->batches[2 * thread], &stage->texts);

	return rc ? rc : flush(stage, &stage->batches[2 * thread + 1], &stage->bands);
}

static int make_batch(struct batch *batch, size_t size, uint64_t memory)
{
	batch->size = size;
	batch->capacity = memory / size + 64;
	batch->v = malloc(batch->capacity * size);
	return batch->v ? 0 : -ENOMEM;
}

/* Of the memory a quarter is for bands, a quarter for the table of texts, an eighth for their hashes. */
static int prepare(struct sketch_stage *stage, struct dedup_scanner *s, unsigned shard)
{
	const struct dedup_options *o = stage->work->options;
	bool ranked = dedup_ranks_are_own(s->ranks);
	int rc = dedup_work_create(stage->work, "texts", shard, DEDUP_TABLE_TEXTS, &stage->texts);

	rc = rc ? rc : dedup_work_create(stage->work, "bands", shard, DEDUP_TABLE_BANDS, &stage->bands);
	rc = rc ? rc : dedup_notes_create(&stage->notes, stage->work, shard);
	stage->batches = calloc(2 * o->threads, sizeof *stage->batches);
	if (!rc && !stage->batches)
		rc = -ENOMEM;
	for (unsigned i = 0; !rc && i < o->threads; i++) {
		rc = make_batch(&stage->batches[2 * i], ranked ? DEDUP_TEXT_RANKED : DEDUP_TEXT,
			o->memory / 8 / o->threads);
		rc = rc ? rc : make_batch(&stage->batches[2 * i + 1], DEDUP_BAND, o->memory / 4 / o->threads);
	}
	rc = rc ? rc : dedup_exact_new(&s->exact);
	if (!rc)
		dedup_exact_limit(s->exact, o->memory / 4);
	return rc;
}

/* The notes last: with them the stage is done. */
static int finish(struct sketch_stage *stage, const struct dedup_scanner *s, size_t first, size_t end,
	const struct dedup_result *seen)
{
	size_t faults;
	struct dedup_scan_fault *v = dedup_scanner_faults(s, &faults);
	int rc = v ? dedup_parallel(s->options->threads, flush_all, stage) : -ENOMEM;

	rc = rc ? rc : dedup_table_finish(&stage->texts);
	rc = rc ? rc : dedup_table_finish(&stage->bands);
	rc = rc ? rc : dedup_notes_finish(&stage->notes, s->outcome, first, end, v, faults, seen);
	for (size_t i = 0; !rc && s->options->fault && i < faults; i++) {
		struct dedup_fault fault = {&s->options->inputs->v[v[i].input], v[i].line, v[i].why};

		s->options->fault(s->options->ctx, &fault);
	}
	free(v);
	return rc;
}

static int fail_at_record(const struct dedup_scanner *s, struct dedup_result *result)
{
	size_t faults;
	struct dedup_scan_fault *v = dedup_scanner_faults(s, &faults);

	if (v && faults)
		result->fault = (struct dedup_fault){&s->options->inputs->v[v[0].input], v[0].line, v[0].why};
	free(v);
	return -EBADMSG;
}

static void release(struct sketch_stage *stage)
{
	dedup_table_drop(&stage->texts);
	dedup_table_drop(&stage->bands);
	dedup_notes_drop(&stage->notes);
	for (unsigned i = 0; stage->batches && i < 2 * stage->work->options->threads; i++)
		free(stage->batches[i].v);
	free(stage->batches);
	pthread_mutex_destroy(&stage->lock);
}

int dedup_stage_sketch(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	struct sketch_stage stage = {.work = work, .texts.fd = -1, .bands.fd = -1, .notes.file.fd = -1};
	struct dedup_outcome outcome = {0};
	struct dedup_ranks ranks;
	struct dedup_scanner s = {
		.options = work->options, .pass = &pass, .ctx = &stage, .outcome = &outcome};
	struct dedup_result seen = {0};
	size_t first, end;
	int rc = dedup_notes_done(work, shard);

	if (rc != -ENOENT)
		return rc;
	s.ranks = &ranks;
	memcpy(s.seeds, work->seeds, sizeof s.seeds);
	pthread_mutex_init(&stage.lock, NULL);
	dedup_work_inputs(work, shard, &first, &end);
	rc = dedup_ranks_init(&ranks, work->options, &outcome);
	rc = rc ? rc : dedup_outcome_init(&outcome, work->options->inputs->count);
	rc = rc ? rc : dedup_scanner_open(&s, first, end);
	rc = rc ? rc : prepare(&stage, &s, shard);
	if (!rc) {
		rc = dedup_scanner_run(&s, &seen);
		result->fault = seen.fault;
		rc = rc == -EBADMSG && !seen.fault.input ? fail_at_record(&s, result) : rc;
		rc = rc ? rc : finish(&stage, &s, first, end, &seen);
		dedup_times_add(&result->times, &seen.times);
	}
	dedup_scanner_close(&s);
	release(&stage);
	dedup_ranks_release(&ranks);
	dedup_outcome_release(&outcome);
	return rc;
}
