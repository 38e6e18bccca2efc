#include "dedup/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "dedup/group/clock.h"
#include "dedup/group/parallel.h"
#include "dedup/scanner.h"

/* The next block, with room for its lines. */
static int take_block(struct dedup_scanner *s, struct dedup_worker *w)
{
	const struct dedup_options *o = s->options;
	int rc;

	w->mark = dedup_now_ns();
	pthread_mutex_lock(&s->lock);
	rc = s->stop ? 0 : dedup_reader_next(s->reader, &w->block);
	if (rc < 0)
		s->failed_input = w->block.input;
	if (rc > 0) {
		int room = dedup_lines_room(&s->outcome->lines, w->block.id + w->block.lines - 1);

		room = room ? room : dedup_ranks_room(s->ranks, w->block.id + w->block.lines - 1);
		rc = room ? room : rc;
		s->outcome->first_ids[w->block.input + 1] = w->block.id + w->block.lines;
		s->done += w->block.len;
		if (o->progress && o->progress(o->ctx, "reading", s->done, s->of))
			rc = -EINTR;
	}
	pthread_mutex_unlock(&s->lock);
	dedup_worker_lap(w, &w->seen.times.parse);
	return rc;
}

/* Blocks are handed out in order: when one thread stops at a fault, those before it are in work already, and
 * the first fault of all is found whoever comes first. */
static int work(void *ctx, unsigned thread)
{
	struct dedup_scanner *s = ctx;
	struct dedup_worker *w = &s->workers[thread];
	int rc;

	while ((rc = take_block(s, w)) > 0) {
		rc = dedup_note_block(s, w);
		if (!rc && s->options->method == DEDUP_STREAM)
			rc = dedup_stream_put(s, w);
		if (rc)
			break;
	}
	if (rc) {
		s->stop = 1;
		dedup_turns_end(&s->turns);
	}
	return rc;
}

static int worker_init(struct dedup_worker *w, const struct dedup_options *o, struct dedup_arena *arena)
{
	dedup_words_init(&w->words, o->normalise);
	w->arena = arena;
	w->sketch = calloc(o->values, sizeof *w->sketch);
	return w->sketch ? dedup_json_new(&w->json) : -ENOMEM;
}

static void worker_release(struct dedup_worker *w)
{
	dedup_block_release(&w->block);
	dedup_json_free(w->json);
	dedup_words_release(&w->words);
	dedup_shingles_release(&w->shingles);
	free(w->sketch);
	free(w->texts.v);
	free(w->pending.ids);
	free(w->pending.keys);
	free(w->faults.v);
}

/* In the order in which they would be kept. */
static int compare_texts(const void *a, const void *b, void *ranks)
{
	const struct dedup_text *x = a, *y = b;

	return dedup_ranks_before(ranks, y->id, x->id) - dedup_ranks_before(ranks, x->id, y->id);
}

static int compare_faults(const void *a, const void *b)
{
	const struct dedup_scan_fault *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int gather_faults(struct dedup_scanner *s)
{
	struct dedup_scan *scan = s->scan;
	size_t faults = 0;

	for (unsigned i = 0; i < scan->threads; i++)
		faults += s->workers[i].faults.count;
	scan->faults = malloc((faults + 1) * sizeof *scan->faults);
	if (!scan->faults)
		return -ENOMEM;
	for (unsigned i = 0; i < scan->threads; i++)
		for (size_t j = 0; j < s->workers[i].faults.count; j++)
			scan->faults[scan->fault_count++] = s->workers[i].faults.v[j];
	qsort(scan->faults, scan->fault_count, sizeof *scan->faults, compare_faults);
	return 0;
}

/* Which of several lines with one text came first to a thread is chance; which one stands for it is not. */
static int gather_texts(struct dedup_scanner *s)
{
	struct dedup_scan *scan = s->scan;
	uint32_t *first_ids = s->outcome->first_ids;
	size_t texts = 0;

	for (size_t i = 1; i <= s->options->inputs->count; i++) /* files without lines */
		if (first_ids[i] < first_ids[i - 1])
			first_ids[i] = first_ids[i - 1];
	dedup_outcome_settle(
		s->outcome, s->options->keep == DEDUP_KEEP_FIRST ? NULL : dedup_ranks_before, s->ranks);
	for (unsigned i = 0; i < scan->threads; i++)
		texts += s->workers[i].texts.count;
	scan->texts = malloc((texts + 1) * sizeof *scan->texts);
	if (!scan->texts)
		return -ENOMEM;
	for (unsigned i = 0; i < scan->threads; i++)
		for (size_t j = 0; j < s->workers[i].texts.count; j++) {
			struct dedup_text *text = &scan->texts[scan->text_count++];

			*text = s->workers[i].texts.v[j];
			text->id = *dedup_lines_at(&s->outcome->lines, text->id);
		}
	qsort_r(scan->texts, scan->text_count, sizeof *scan->texts, compare_texts, s->ranks);
	return 0;
}

static void add_up(const struct dedup_worker *w, struct dedup_result *result)
{
	result->documents += w->seen.documents;
	result->bytes += w->seen.bytes;
	result->text_bytes += w->seen.text_bytes;
	result->exact += w->seen.exact;
	result->times.parse += w->seen.times.parse;
	result->times.exact += w->seen.times.exact;
	result->times.normalise += w->seen.times.normalise;
	result->times.sketch += w->seen.times.sketch;
	result->times.band += w->seen.times.band;
	result->near += w->seen.near;
}

int dedup_scan(const struct dedup_options *options, struct dedup_outcome *outcome, struct dedup_ranks *ranks,
	struct dedup_scan *scan, struct dedup_result *result)
{
	struct dedup_scanner s = {.options = options,
		.outcome = outcome,
		.ranks = ranks,
		.scan = scan,
		.failed_input = SIZE_MAX};
	int rc;

	pthread_mutex_init(&s.lock, NULL);
	dedup_turns_init(&s.turns);
	if (getrandom(s.seeds, sizeof s.seeds, 0) != sizeof s.seeds)
		s.seeds[0] = ~(s.seeds[1] = dedup_now_ns());
	dedup_sketcher_init(&s.sketcher, options->sketch, options->values);
	scan->threads = options->threads;
	scan->arenas = calloc(options->threads, sizeof *scan->arenas);
	s.workers = calloc(options->threads, sizeof *s.workers);
	rc = scan->arenas && s.workers ? 0 : -ENOMEM;
	if (!rc && options->method == DEDUP_STREAM)
		rc = dedup_bloom_init(&s.bloom, options->bands.bands, options->expect, options->wrong);
	else if (!rc)
		rc = dedup_exact_new(&s.exact);
	for (unsigned i = 0; !rc && i < options->threads; i++)
		rc = worker_init(&s.workers[i], options, &scan->arenas[i]);
	for (size_t i = 0; i < options->inputs->count; i++)
		s.of += options->inputs->v[i].codec == DEDUP_CODEC_NONE ? options->inputs->v[i].size : 0;
	if (!rc)
		rc = dedup_reader_new(options->inputs, 0, options->inputs->count, 0, &s.reader);
	if (rc)
		goto out;
	rc = dedup_parallel(options->threads, work, &s);
	if (rc && rc != -EBADMSG && s.failed_input < options->inputs->count)
		result->fault.input = &options->inputs->v[s.failed_input];
	if (!rc || rc == -EBADMSG) {
		int gathered = gather_faults(&s);

		rc = gathered ? gathered : rc;
	}
	rc = rc ? rc : gather_texts(&s);
	scan->table_memory = s.exact ? dedup_exact_memory(s.exact) : dedup_bloom_memory(&s.bloom);
	result->faults = scan->fault_count;
	result->distinct = result->documents;
	for (unsigned i = 0; i < options->threads; i++)
		add_up(&s.workers[i], result);
	result->distinct = result->documents - result->exact;
out:
	for (unsigned i = 0; s.workers && i < options->threads; i++)
		worker_release(&s.workers[i]);
	free(s.workers);
	dedup_reader_free(s.reader);
	dedup_exact_free(s.exact);
	dedup_bloom_release(&s.bloom);
	dedup_turns_release(&s.turns);
	pthread_mutex_destroy(&s.lock);
	return rc;
}

void dedup_scan_release(struct dedup_scan *scan)
{
	free(scan->texts);
	free(scan->faults);
	for (unsigned i = 0; scan->arenas && i < scan->threads; i++)
		dedup_arena_release(&scan->arenas[i]);
	free(scan->arenas);
	*scan = (struct dedup_scan){0};
}
