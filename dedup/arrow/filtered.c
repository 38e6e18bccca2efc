#include "dedup/arrow/filtered.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/bits.h"
#include "dedup/arrow/rows.h"

struct filtered {
	struct arrow_source source;
	uint8_t *mask;
	size_t at;   /* batch */
	int64_t row; /* of its first row, through all */
	char error[256];
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
	struct filtered *f = stream->private_data;
	int error = f->source.stream.get_schema(&f->source.stream, out);

	if (error)
		snprintf(f->error, sizeof f->error, "the stream that was read has no schema any more");
	return error;
}

static int runs_of(struct arrow_runs *runs, const uint8_t *mask, int64_t first, int64_t length)
{
	size_t count = 0;

	for (int64_t i = 0; i < length; i++)
		count += arrow_bit(mask, first + i) && (!i || !arrow_bit(mask, first + i - 1));
	*runs = (struct arrow_runs){.v = calloc(count + 1, sizeof *runs->v)};
	if (!runs->v)
		return -ENOMEM;
	for (int64_t i = 0; i < length; i++) {
		if (!arrow_bit(mask, first + i))
			continue;
		if (!runs->count || runs->v[runs->count - 1].to != i)
			runs->v[runs->count++] = (struct arrow_run){i, i};
		runs->v[runs->count - 1].to = i + 1;
		runs->rows++;
	}
	return 0;
}

/* The rows of the next batch that stay, which may be none. */
static int next_batch(struct filtered *f, struct ArrowArray *out)
{
	struct ArrowArray *batch = &f->source.batches[f->at++];
	struct arrow_runs runs;
	int rc = runs_of(&runs, f->mask, f->row, batch->length);

	f->row += batch->length;
	if (!rc && runs.rows)
		rc = arrow_rows_copy(out, &f->source.schema, batch, &runs);
	free(runs.v);
	batch->release(batch);
	batch->release = NULL;
	return rc;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
	struct filtered *f = stream->private_data;
	int rc = 0;

	*out = (struct ArrowArray){0};
	while (!rc && !out->release && f->at < f->source.count)
		rc = next_batch(f, out);
	if (rc)
		snprintf(f->error, sizeof f->error, "%s",
			rc == -ENOMEM ? "there is not enough memory" : "a batch is not what its schema says");
	return -rc;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
	const struct filtered *f = stream->private_data;

	return *f->error ? f->error : NULL;
}

static void release(struct ArrowArrayStream *stream)
{
	struct filtered *f = stream->private_data;

	arrow_source_close(&f->source);
	free(f->mask);
	free(f);
	stream->release = NULL;
}

int arrow_filtered(
	struct ArrowArrayStream *out, struct arrow_source *source, const uint8_t *mask, char why[static 256])
{
	size_t bytes = source->rows / 8 + 1;
	struct filtered *f;
	const char *format;
	int rc = arrow_rows_can(&source->schema, &format);

	if (rc) {
		snprintf(why, 256, "rows cannot be taken from a column of the type \"%s\"; use the mask",
			format);
		return rc;
	}
	f = calloc(1, sizeof *f);
	if (f)
		f->mask = malloc(bytes);
	if (!f || !f->mask) {
		free(f);
		return -ENOMEM;
	}
	memcpy(f->mask, mask, bytes);
	f->source = *source;
	*source = (struct arrow_source){.rows = source->rows};
	*out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, f};
	return 0;
}
