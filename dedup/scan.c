#include "dedup/scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/group/bloom.h"
#include "dedup/group/exact.h"
#include "dedup/group/parallel.h"
#include "dedup/read/record.h"
#include "dedup/text/shingles.h"
#include "dedup/turns.h"
#include "store/util/array.h"

struct texts {
	struct dedup_text *v;
	size_t count, capacity;
};

struct faults {
	struct dedup_scan_fault *v;
	size_t count, capacity;
};

/* Texts of the block at hand that wait for their turn at the Bloom filters. */
struct pending {
	uint32_t *ids;
	uint64_t *keys; /* `bands` each */
	size_t count, capacity, keys_capacity;
};

/* One thread's. */
struct worker {
	struct dedup_block block;
	struct dedup_json *json;
	struct dedup_words words;
	struct dedup_shingles shingles;
	uint64_t *sketch;
	struct texts texts;
	struct faults faults;
	struct pending pending;
	struct dedup_arena *arena;
	struct dedup_result seen;
	uint64_t mark; /* when the stage at hand began */
};

struct scanner {
	const struct dedup_options *options;
	struct dedup_scan *scan;
	struct dedup_reader *reader;
	pthread_mutex_t lock;	   /* of the reader together with the lines' room, and of progress */
	struct dedup_exact *exact; /* not with DEDUP_STREAM */
	struct dedup_bloom bloom;  /* only with DEDUP_STREAM, and so are: */
	struct dedup_turns turns;
	uint64_t put;	   /* texts in the filters */
	uint64_t seeds[2]; /* of the hashes: other ones each time, so that nobody can prepare collisions */
	struct dedup_sketcher sketcher;
	struct worker *workers;
	atomic_int stop;
	uint64_t done, of;   /* bytes */
	size_t failed_input; /* of an error that is no record's */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Adds the time since the last mark to a stage. */
static void lap(struct worker *w, double *stage)
{
	uint64_t now = now_ns();

	*stage += (double)(now - w->mark) * 1e-9;
	w->mark = now;
}

static int add_fault(struct worker *w, size_t line_in_block, const char *why)
{
	struct dedup_scan_fault *grown =
		array_grow(w->faults.v, w->faults.count, &w->faults.capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	w->faults.v = grown;
	grown[w->faults.count++] = (struct dedup_scan_fault){
		.id = w->block.id + (uint32_t)line_in_block,
		.input = (uint32_t)w->block.input,
		.line = w->block.line + line_in_block + 1,
		.why = why,
	};
	return 0;
}

static int add_text(struct scanner *s, struct worker *w, uint32_t id, size_t bytes)
{
	unsigned bands = s->options->bands.bands;
	size_t count = w->shingles.count;
	struct dedup_text *grown;
	uint64_t *data;

	grown = array_grow(w->texts.v, w->texts.count, &w->texts.capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	w->texts.v = grown;
	data = dedup_arena_take(w->arena, bands + count);
	if (!data)
		return -ENOMEM;
	if (count) {
		dedup_sketch(&s->sketcher, w->shingles.v, count, w->sketch);
		dedup_bands_keys(s->options->bands, w->sketch, data);
		memcpy(data + bands, w->shingles.v, count * sizeof *data);
	}
	grown[w->texts.count++] = (struct dedup_text){
		.keys = data,
		.shingles = (uint32_t)count,
		.id = id,
		.bytes = (uint32_t)bytes,
	};
	return 0;
}

static int note_near(struct scanner *s, struct worker *w, uint32_t id, const char *text, size_t len)
{
	struct dedup_times *times = &w->seen.times;
	int rc = dedup_words_of(&w->words, text, len);

	lap(w, &times->normalise);
	if (!rc)
		rc = dedup_shingles_of(&w->shingles, w->words.v, w->words.count, s->options->ngram);
	if (!rc)
		rc = add_text(s, w, id, len);
	lap(w, &times->sketch);
	return rc;
}

static int add_pending(struct scanner *s, struct worker *w, uint32_t id)
{
	struct pending *p = &w->pending;
	unsigned bands = s->options->bands.bands;
	uint32_t *ids = array_grow(p->ids, p->count, &p->capacity, sizeof *ids);

	if (!ids)
		return -ENOMEM;
	p->ids = ids;
	if (p->keys_capacity < p->capacity) {
		uint64_t *keys = realloc(p->keys, p->capacity * bands * sizeof *keys);

		if (!keys)
			return -ENOMEM;
		p->keys = keys;
		p->keys_capacity = p->capacity;
	}
	dedup_sketch(&s->sketcher, w->shingles.v, w->shingles.count, w->sketch);
	dedup_bands_keys(s->options->bands, w->sketch, p->keys + p->count * bands);
	p->ids[p->count++] = id;
	return 0;
}

static int note_stream(struct scanner *s, struct worker *w, uint32_t id, const char *text, size_t len)
{
	int rc;

	w->seen.documents++;
	w->seen.text_bytes += len;
	*dedup_lines_at(&s->scan->lines, id) = id;
	rc = dedup_words_of(&w->words, text, len);
	lap(w, &w->seen.times.normalise);
	if (!rc)
		rc = dedup_shingles_of(&w->shingles, w->words.v, w->words.count, s->options->ngram);
	if (!rc && w->shingles.count)
		rc = add_pending(s, w, id);
	lap(w, &w->seen.times.sketch);
	return rc;
}

/* The block's texts go through the filters after those of all blocks before it. */
static int put_pending(struct scanner *s, struct worker *w)
{
	struct pending *p = &w->pending;
	int rc = 0;

	if (!dedup_turns_wait(&s->turns, w->block.id))
		return 0;
	s->put += p->count;
	if (s->put > s->options->expect)
		rc = -ERANGE;
	for (size_t i = 0; !rc && i < p->count; i++)
		if (dedup_bloom_put(&s->bloom, p->keys + i * s->options->bands.bands)) {
			*dedup_lines_at(&s->scan->lines, p->ids[i]) = DEDUP_LINE_GONE;
			w->seen.near++;
		}
	p->count = 0;
	dedup_turns_pass(&s->turns, w->block.id + w->block.lines);
	lap(w, &w->seen.times.band);
	return rc;
}

static int note_text(struct scanner *s, struct worker *w, uint32_t id, const char *text, size_t len)
{
	uint64_t hash = XXH3_128bits_withSeed(text, len, s->seeds[0]).low64;
	uint32_t check = (uint32_t)XXH64(text, len, s->seeds[1]), first, again;
	int rc;

	w->seen.documents++;
	w->seen.text_bytes += len;
	/* Before others can learn of it: they may say at once that it is a duplicate. */
	*dedup_lines_at(&s->scan->lines, id) = id;
	rc = dedup_exact_put(s->exact, hash, check, id, &first, &again);
	if (rc < 0)
		return rc;
	if (!rc) {
		w->seen.exact++;
		*dedup_lines_at(&s->scan->lines, again) = first;
	}
	lap(w, &w->seen.times.exact);
	return rc && s->options->method == DEDUP_NEAR ? note_near(s, w, id, text, len) : 0;
}

static int note_line(struct scanner *s, struct worker *w, size_t number, const struct dedup_line *line)
{
	uint32_t id = w->block.id + (uint32_t)number;
	const char *text, *why;
	size_t len;
	int rc;

	if (dedup_line_is_blank(line)) {
		*dedup_lines_at(&s->scan->lines, id) = DEDUP_LINE_BLANK;
		return 0;
	}
	rc = dedup_record_text(w->json, s->options->inputs->v[w->block.input].format, s->options->field, line,
		&text, &len, &why);
	lap(w, &w->seen.times.parse);
	if (!rc && s->options->method == DEDUP_STREAM)
		return note_stream(s, w, id, text, len);
	if (!rc)
		return note_text(s, w, id, text, len);
	if (rc == -ENOMEM)
		return rc;
	*dedup_lines_at(&s->scan->lines, id) = DEDUP_LINE_BAD;
	rc = add_fault(w, number, why);
	return rc ? rc : s->options->on_error == DEDUP_STOP ? -EBADMSG : 0;
}

static int note_block(struct scanner *s, struct worker *w)
{
	struct dedup_line line;
	size_t at = 0, number = 0;
	int rc = 0;

	w->seen.bytes += w->block.len;
	if (w->block.why) {
		*dedup_lines_at(&s->scan->lines, w->block.id) = DEDUP_LINE_BAD;
		rc = add_fault(w, 0, w->block.why);
		return rc ? rc : s->options->on_error == DEDUP_STOP ? -EBADMSG : 0;
	}
	while (!rc && dedup_block_line(&w->block, &at, &line))
		rc = note_line(s, w, number++, &line);
	return rc;
}

/* The next block, with room for its lines. */
static int take_block(struct scanner *s, struct worker *w)
{
	const struct dedup_options *o = s->options;
	int rc;

	w->mark = now_ns();
	pthread_mutex_lock(&s->lock);
	rc = s->stop ? 0 : dedup_reader_next(s->reader, &w->block);
	if (rc < 0)
		s->failed_input = w->block.input;
	if (rc > 0) {
		int room = dedup_lines_room(&s->scan->lines, w->block.id + w->block.lines - 1);

		rc = room ? room : rc;
		for (size_t i = w->block.input + 1; i <= o->inputs->count; i++)
			s->scan->first_ids[i] = w->block.id + w->block.lines;
		s->done += w->block.len;
		if (o->progress && o->progress(o->ctx, "reading", s->done, s->of))
			rc = -EINTR;
	}
	pthread_mutex_unlock(&s->lock);
	lap(w, &w->seen.times.parse);
	return rc;
}

/* Blocks are handed out in order: when one thread stops at a fault, those before it are in work already, and
 * the first fault of all is found whoever comes first. */
static int work(void *ctx, unsigned thread)
{
	struct scanner *s = ctx;
	struct worker *w = &s->workers[thread];
	int rc;

	while ((rc = take_block(s, w)) > 0) {
		rc = note_block(s, w);
		if (!rc && s->options->method == DEDUP_STREAM)
			rc = put_pending(s, w);
		if (rc)
			break;
	}
	if (rc) {
		s->stop = 1;
		dedup_turns_end(&s->turns);
	}
	return rc;
}

static int worker_init(struct worker *w, const struct dedup_options *o, struct dedup_arena *arena)
{
	dedup_words_init(&w->words, o->normalise);
	w->arena = arena;
	w->sketch = calloc(o->values, sizeof *w->sketch);
	return w->sketch ? dedup_json_new(&w->json) : -ENOMEM;
}

static void worker_release(struct worker *w)
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

static int compare_texts(const void *a, const void *b)
{
	const struct dedup_text *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_faults(const void *a, const void *b)
{
	const struct dedup_scan_fault *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static uint32_t lowest(const struct dedup_lines *lines, uint32_t id)
{
	while (*dedup_lines_at(lines, id) != id)
		id = *dedup_lines_at(lines, id);
	return id;
}

/* Which of several lines with one text came first to a thread is chance; that the lowest stands for it is
 * not. */
static int gather(struct scanner *s)
{
	struct dedup_scan *scan = s->scan;
	size_t texts = 0, faults = 0;

	for (unsigned i = 0; i < scan->threads; i++) {
		texts += s->workers[i].texts.count;
		faults += s->workers[i].faults.count;
	}
	scan->texts = malloc((texts + 1) * sizeof *scan->texts);
	scan->faults = malloc((faults + 1) * sizeof *scan->faults);
	if (!scan->texts || !scan->faults)
		return -ENOMEM;
	for (unsigned i = 0; i < scan->threads; i++) {
		const struct worker *w = &s->workers[i];

		for (size_t j = 0; j < w->texts.count; j++) {
			scan->texts[scan->text_count] = w->texts.v[j];
			scan->texts[scan->text_count++].id = lowest(&scan->lines, w->texts.v[j].id);
		}
		for (size_t j = 0; j < w->faults.count; j++)
			scan->faults[scan->fault_count++] = w->faults.v[j];
	}
	qsort(scan->texts, scan->text_count, sizeof *scan->texts, compare_texts);
	qsort(scan->faults, scan->fault_count, sizeof *scan->faults, compare_faults);
	return 0;
}

static void add_up(const struct worker *w, struct dedup_result *result)
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

int dedup_scan(const struct dedup_options *options, struct dedup_scan *scan, struct dedup_result *result)
{
	struct scanner s = {.options = options, .scan = scan, .failed_input = SIZE_MAX};
	int rc;

	pthread_mutex_init(&s.lock, NULL);
	dedup_turns_init(&s.turns);
	if (getrandom(s.seeds, sizeof s.seeds, 0) != sizeof s.seeds)
		s.seeds[0] = ~(s.seeds[1] = now_ns());
	dedup_sketcher_init(&s.sketcher, options->sketch, options->values);
	scan->threads = options->threads;
	scan->arenas = calloc(options->threads, sizeof *scan->arenas);
	s.workers = calloc(options->threads, sizeof *s.workers);
	scan->first_ids = calloc(options->inputs->count + 1, sizeof *scan->first_ids);
	rc = scan->arenas && s.workers && scan->first_ids ? 0 : -ENOMEM;
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
		int gathered = gather(&s);

		rc = gathered ? gathered : rc;
	}
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
	dedup_lines_release(&scan->lines);
	free(scan->first_ids);
	free(scan->texts);
	free(scan->faults);
	for (unsigned i = 0; scan->arenas && i < scan->threads; i++)
		dedup_arena_release(&scan->arenas[i]);
	free(scan->arenas);
	*scan = (struct dedup_scan){0};
}
