#include "tools/codec_run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/encode/encode.h"
#include "store/util/array.h"
#include "store/util/io.h"

/* What a thread takes at a time: the hint is of use within, and the last one keeps the others waiting. */
#define UNIT (4u * ENCODE_CHUNK)

/* A file and what its format says of it. */
struct codec_source {
	int fd;
	struct view view;
	struct layout layout;
	struct tensor **by_name; /* sorted */
};

/* A stretch of one tensor, or of what lies between two. */
struct unit {
	size_t tensor; /* in run->tensors */
	uint64_t off, len;
	int64_t base_off; /* -1: none */
};

struct work {
	const struct codec_run_options *options;
	struct codec_run *run;
	struct unit *units;
	size_t count, capacity;

	pthread_mutex_t lock; /* guards what follows, and the figures of the run */
	size_t next;
	uint64_t done;
	int rc;
};

struct worker {
	struct work *work;
	struct codec_workspace *ws;
	uint8_t raw[ENCODE_CHUNK], before[ENCODE_CHUNK], payload[ENCODE_CHUNK], back[ENCODE_CHUNK];
};

/* What a unit gave; a unit has one tensor and so one dtype. */
struct figures {
	struct codec_tally by_codec[CODEC_RUN_CODECS];
};

static int read_view(void *ctx, uint64_t off, void *dst, size_t len)
{
	return io_pread_full(*(int *)ctx, dst, len, off);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct tensor *const *)a)->name, (*(struct tensor *const *)b)->name);
}

static void source_close(struct codec_source *source)
{
	if (!source)
		return;
	layout_release(&source->layout);
	free(source->by_name);
	if (source->fd >= 0)
		close(source->fd);
	free(source);
}

static int source_open(const char *path, struct codec_source **out)
{
	struct codec_source *source = calloc(1, sizeof *source);
	struct stat st;
	int rc = 0;

	*out = source;
	if (!source)
		return -ENOMEM;
	source->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (source->fd < 0 || fstat(source->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	source->view = (struct view){read_view, &source->fd, (uint64_t)st.st_size};
	rc = formats_label(&source->view, &source->layout);
	if (rc)
		return rc;
	source->by_name = calloc(source->layout.count + 1, sizeof *source->by_name);
	if (!source->by_name)
		return -ENOMEM;
	for (size_t i = 0; i < source->layout.count; i++)
		source->by_name[i] = &source->layout.tensors[i];
	qsort(source->by_name, source->layout.count, sizeof *source->by_name, compare_names);
	return 0;
}

/* Where the tensor of the base file that has this one's name, type and length begins; -1: none. */
static int64_t find_base(const struct codec_source *base, const struct tensor *tensor)
{
	struct tensor **hit;

	if (!base || !tensor->name)
		return -1;
	hit = bsearch(&tensor, base->by_name, base->layout.count, sizeof tensor, compare_names);
	return hit && (*hit)->dtype == tensor->dtype && (*hit)->len == tensor->len ? (int64_t)(*hit)->off
										   : -1;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int add_units(struct work *work, size_t tensor, uint64_t off, uint64_t len, int64_t base_off)
{
	for (uint64_t at = 0; at < len; at += UNIT) {
		struct unit *units = array_grow(work->units, work->count, &work->capacity, sizeof *units);

		if (!units)
			return -ENOMEM;
		work->units = units;
		units[work->count++] = (struct unit){tensor, off + at, len - at < UNIT ? len - at : UNIT,
			base_off < 0 ? -1 : base_off + (int64_t)at};
	}
	return 0;
}

/* The tensors, and what lies between them. */
static int plan(struct work *work)
{
	struct codec_run *run = work->run;
	const struct layout *layout = &run->file->layout;
	uint64_t end = 0;
	int rc = 0;

	run->tensors = calloc(layout->count + 1, sizeof *run->tensors);
	if (!run->tensors)
		return -ENOMEM;
	for (size_t i = 0; i < layout->count && !rc; i++) {
		const struct tensor *t = &layout->tensors[i];

		run->tensors[i].name = t->name;
		run->tensors[i].dtype = t->dtype < DTYPE_COUNT ? t->dtype : DTYPE_OPAQUE;
		rc = add_units(work, layout->count, end, t->off - end, -1);
		if (!rc)
			rc = add_units(work, i, t->off, t->len, find_base(run->base, t));
		end = t->off + t->len;
	}
	if (!rc)
		rc = add_units(work, layout->count, end, run->file->view.size - end, -1);
	run->count = layout->count + 1;
	return rc;
}

static int measure_chunk(struct worker *w, const struct codec_input *in, int *hint, struct figures *figures)
{
	const struct codec_run_options *options = w->work->options;
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), middle;
	const struct codec_bases bases = {.count = 1, .at = {{in->base, in->base_len}}};
	struct codec_result result;
	struct codec_tally *tally;
	int rc = codec_encode(w->ws, w->payload, sizeof w->payload, in, options->level, *hint, &result);

	if (rc)
		return rc;
	middle = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	rc = codec_decode(w->ws, w->back, in->len, w->payload, result.len, result.codec, CODEC_VERSION,
		in->dtype, codec_needs_base(result.codec) ? &bases : NULL);
	if (rc)
		return rc;
	tally = &figures->by_codec[(unsigned)result.codec % CODEC_RUN_CODECS];
	tally->decode_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - middle;
	tally->encode_ns += middle - start;
	tally->raw += in->len;
	tally->stored += result.len;
	*hint = (int)result.codec;
	return memcmp(w->raw, w->back, in->len) ? -EBADMSG : 0;
}

static int measure_unit(struct worker *w, const struct unit *unit, struct figures *figures)
{
	const struct codec_run *run = w->work->run;
	int hint = -1, rc = 0;

	for (uint64_t at = 0; at < unit->len && !rc; at += ENCODE_CHUNK) {
		struct codec_input in = {.src = w->raw, .dtype = run->tensors[unit->tensor].dtype};

		in.len = unit->len - at < ENCODE_CHUNK ? (size_t)(unit->len - at) : ENCODE_CHUNK;
		rc = io_pread_full(run->file->fd, w->raw, in.len, unit->off + at);
		if (!rc && unit->base_off >= 0) {
			in.base = w->before;
			in.base_len = in.len;
			rc = io_pread_full(run->base->fd, w->before, in.len, (uint64_t)unit->base_off + at);
		}
		if (!rc)
			rc = measure_chunk(w, &in, &hint, figures);
	}
	return rc;
}

static void tally_add(struct codec_tally *to, const struct codec_tally *from)
{
	to->raw += from->raw;
	to->stored += from->stored;
	to->encode_ns += from->encode_ns;
	to->decode_ns += from->decode_ns;
}

static void collect(struct codec_run *run, const struct unit *unit, const struct figures *figures)
{
	struct codec_tensor *tensor = &run->tensors[unit->tensor];

	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++) {
		const struct codec_tally *tally = &figures->by_codec[c];

		tensor->raw += tally->raw;
		tensor->stored += tally->stored;
		tensor->by_codec[c].raw += tally->raw;
		tensor->by_codec[c].stored += tally->stored;
		tally_add(&run->by_codec[c], tally);
		tally_add(&run->by_dtype[tensor->dtype], tally);
		tally_add(&run->all, tally);
	}
}

static void *work_on(void *arg)
{
	struct worker *w = arg;
	struct work *work = w->work;
	const struct codec_run_options *options = work->options;

	pthread_mutex_lock(&work->lock);
	while (!work->rc && work->next < work->count) {
		const struct unit *unit = &work->units[work->next++];
		struct figures figures = {0};
		int rc;

		pthread_mutex_unlock(&work->lock);
		rc = measure_unit(w, unit, &figures);
		pthread_mutex_lock(&work->lock);
		if (rc && !work->rc)
			work->rc = rc;
		collect(work->run, unit, &figures);
		work->done += unit->len;
		if (options->progress &&
			options->progress(options->ctx, work->done, work->run->file->view.size) && !work->rc)
			work->rc = -EINTR;
	}
	pthread_mutex_unlock(&work->lock);
	return NULL;
}

/* The calling thread is the first of them. */
static int work_all(struct work *work)
{
	unsigned wanted = work->options->threads, started = 0, made = 0;
	uint64_t start;
	struct worker **workers = calloc(wanted, sizeof *workers);
	pthread_t *threads = calloc(wanted, sizeof *threads);

	while (workers && threads && made < wanted && (workers[made] = calloc(1, sizeof **workers))) {
		workers[made]->work = work;
		workers[made]->ws = codec_workspace_new();
		if (!workers[made++]->ws)
			break;
	}
	if (made < wanted || !workers[made - 1]->ws) {
		work->rc = -ENOMEM;
		goto out;
	}
	start = clock_ns(CLOCK_MONOTONIC);
	while (started + 1 < wanted &&
		!pthread_create(&threads[started], NULL, work_on, workers[started + 1]))
		started++;
	work_on(workers[0]);
	while (started)
		pthread_join(threads[--started], NULL);
	work->run->wall_ns = clock_ns(CLOCK_MONOTONIC) - start;
out:
	for (unsigned i = 0; i < made; i++) {
		codec_workspace_free(workers[i]->ws);
		free(workers[i]);
	}
	free(workers);
	free(threads);
	return work->rc;
}

int codec_run(const struct codec_run_options *options, struct codec_run *run, const char **failed)
{
	struct work work = {.options = options, .run = run};
	int rc;

	*run = (struct codec_run){0};
	*failed = options->base_path;
	rc = options->base_path ? source_open(options->base_path, &run->base) : 0;
	if (rc)
		return rc;
	*failed = options->path;
	rc = source_open(options->path, &run->file);
	if (rc)
		return rc;
	run->format = run->file->layout.format;
	pthread_mutex_init(&work.lock, NULL);
	rc = plan(&work);
	if (!rc)
		rc = work_all(&work);
	if (run->count && !run->tensors[run->count - 1].raw)
		run->count--;
	pthread_mutex_destroy(&work.lock);
	free(work.units);
	return rc;
}

void codec_run_release(struct codec_run *run)
{
	source_close(run->file);
	source_close(run->base);
	free(run->tensors);
	*run = (struct codec_run){0};
}
