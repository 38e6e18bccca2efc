#include "dedup/scanner.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/group/parallel.h"
#include "store/util/clock.h"

/* The next block, with room for its lines. */
static int take_block(struct dedup_scanner *s, struct dedup_worker *w)
{
	const struct dedup_options *o = s->options;
	int rc;

	w->mark = clock_now_ns();
	pthread_mutex_lock(&s->lock);
	rc = s->stop ? 0 : dedup_reader_next(s->reader, &w->block);
	if (rc < 0)
		s->failed_input = w->block.input;
	if (rc > 0) {
		int room = s->pass->room ? s->pass->room(s, w->block.id + w->block.lines - 1) : 0;

		rc = room ? room : rc;
		s->outcome->first_ids[w->block.input + 1] = w->block.id + w->block.lines;
		if (o->progress && o->progress(o->ctx, s->stage ? s->stage : "reading",
					   dedup_reader_done(s->reader), s->of))
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
	dedup_finder_release(&w->finder);
}

static int compare_faults(const void *a, const void *b)
{
	const struct dedup_scan_fault *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

struct dedup_scan_fault *dedup_scanner_faults(const struct dedup_scanner *s, size_t *count)
{
	struct dedup_scan_fault *faults;
	unsigned threads = s->options->threads;

	*count = 0;
	for (unsigned i = 0; i < threads; i++)
		*count += s->workers[i].faults.count;
	faults = malloc((*count + 1) * sizeof *faults);
	*count = 0;
	for (unsigned i = 0; faults && i < threads; i++)
		for (size_t j = 0; j < s->workers[i].faults.count; j++)
			faults[(*count)++] = s->workers[i].faults.v[j];
	if (faults)
		qsort(faults, *count, sizeof *faults, compare_faults);
	return faults;
}

void dedup_times_add(struct dedup_times *to, const struct dedup_times *from)
{
	to->parse += from->parse;
	to->against += from->against;
	to->exact += from->exact;
	to->normalise += from->normalise;
	to->sketch += from->sketch;
	to->band += from->band;
}

static void add_up(const struct dedup_result *seen, struct dedup_result *result)
{
	result->documents += seen->documents;
	result->bytes += seen->bytes;
	result->text_bytes += seen->text_bytes;
	result->against += seen->against;
	result->exact += seen->exact;
	result->near += seen->near;
	dedup_times_add(&result->times, &seen->times);
}

int dedup_scanner_open(struct dedup_scanner *s, size_t first, size_t end)
{
	const struct dedup_options *o = s->options;
	int rc;

	s->failed_input = SIZE_MAX;
	pthread_mutex_init(&s->lock, NULL);
	dedup_turns_init(&s->turns);
	dedup_sketcher_init(&s->sketcher, o->sketch, o->values);
	s->workers = calloc(o->threads, sizeof *s->workers);
	rc = s->workers ? 0 : -ENOMEM;
	for (unsigned i = 0; !rc && i < o->threads; i++) {
		s->workers[i].number = i;
		rc = worker_init(&s->workers[i], o, s->arenas ? &s->arenas[i] : NULL);
	}
	for (size_t i = first; i < end; i++)
		s->of += o->inputs->v[i].size;
	return rc ? rc : dedup_reader_new(o->inputs, first, end, 0, &s->reader);
}

int dedup_scanner_run(struct dedup_scanner *s, struct dedup_result *result)
{
	const struct dedup_options *o = s->options;
	uint32_t *first_ids = s->outcome->first_ids;
	int rc = dedup_parallel(o->threads, work, s);

	if (rc && rc != -EBADMSG && s->failed_input < o->inputs->count)
		result->fault.input = &o->inputs->v[s->failed_input];
	for (size_t i = 1; i <= o->inputs->count; i++) /* files without lines */
		if (first_ids[i] < first_ids[i - 1])
			first_ids[i] = first_ids[i - 1];
	for (unsigned i = 0; i < o->threads; i++)
		add_up(&s->workers[i].seen, result);
	return rc;
}

void dedup_scanner_close(struct dedup_scanner *s)
{
	for (unsigned i = 0; s->workers && i < s->options->threads; i++)
		worker_release(&s->workers[i]);
	free(s->workers);
	dedup_reader_free(s->reader);
	dedup_exact_free(s->exact);
	dedup_cuckoo_release(&s->bands);
	dedup_turns_release(&s->turns);
	pthread_mutex_destroy(&s->lock);
}
