#include "dedup/arrow/filtered.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/bits.h"
#include "dedup/arrow/cut.h"
#include "dedup/arrow/rows.h"

struct filtered {
	struct arrow_source source;
	uint8_t *mask;
	uint64_t rows; /* of the mask */
	struct dedup_cuts cuts;
	bool again;  /* batches are those of the stream */
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

/* The next batch: 1, or 0 at the end. */
static int take_batch(struct filtered *f, const struct ArrowArray **batch)
{
	int rc;

	if (!f->again) {
		*batch = &f->source.batches[f->at];
		return f->at < f->source.count;
	}
	rc = arrow_source_batch(&f->source, batch);
	if (rc < 0)
		snprintf(f->error, sizeof f->error, "%s", f->source.error);
	if (rc >= 0 && (rc ? f->source.rows > f->rows : f->source.rows != f->rows)) {
		snprintf(f->error, sizeof f->error, "these are not the rows that were read before");
		return -EINVAL;
	}
	return rc;
}

/* The rows of a batch that stay, which may be none. */
static int take_rows(struct filtered *f, const struct ArrowArray *batch, struct ArrowArray *out)
{
	struct arrow_runs runs;
	int rc = runs_of(&runs, f->mask, f->row, batch->length);

	if (!rc && runs.rows)
		rc = arrow_rows_copy(out, &f->source.schema, batch, &runs);
	if (!rc && runs.rows && f->cuts.count)
		rc = arrow_cut_texts(out, &f->source.column, &runs, (uint32_t)f->row, &f->cuts);
	if (rc && out->release)
		out->release(out);
	f->row += batch->length;
	free(runs.v);
	return rc;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
	struct filtered *f = stream->private_data;
	const struct ArrowArray *batch;
	int rc = 0, more = 1;

	*out = (struct ArrowArray){0};
	while (!rc && !out->release && (more = take_batch(f, &batch)) > 0) {
		rc = take_rows(f, batch, out);
		if (!f->again) {
			struct ArrowArray *kept = &f->source.batches[f->at++];

			kept->release(kept);
			kept->release = NULL;
		}
	}
	rc = rc ? rc : more < 0 ? more : 0;
	if (rc && !*f->error)
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
	dedup_cuts_release(&f->cuts);
	free(f->mask);
	free(f);
	stream->release = NULL;
}

static int filtered(struct ArrowArrayStream *out, struct arrow_source *source, const struct arrow_stay *stay,
	bool again, char why[static 256])
{
	size_t bytes = stay->rows / 8 + 1;
	bool cuts = stay->cuts && stay->cuts->count;
	struct filtered *f;
	const char *format;
	int rc = arrow_rows_can(&source->schema, &format);

	if (rc) {
		snprintf(why, 256, "rows cannot be taken from a column of the type \"%s\"; use the mask",
			format);
		return rc;
	}
	if (cuts && !arrow_can_cut(&source->column)) {
		snprintf(why, 256, "texts of a dictionary cannot be cut; cast the column to strings");
		return -EOPNOTSUPP;
	}
	f = calloc(1, sizeof *f);
	if (f)
		f->mask = malloc(bytes);
	rc = f && f->mask ? 0 : -ENOMEM;
	if (!rc && cuts)
		rc = dedup_cuts_add_all(&f->cuts, stay->cuts);
	if (rc) {
		free(f ? f->mask : NULL);
		free(f);
		return rc;
	}
	memcpy(f->mask, stay->mask, bytes);
	f->rows = stay->rows;
	f->again = again;
	f->source = *source;
	*source = (struct arrow_source){.rows = source->rows};
	*out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, f};
	return 0;
}

int arrow_filtered(struct ArrowArrayStream *out, struct arrow_source *source, const struct arrow_stay *stay,
	char why[static 256])
{
	return filtered(out, source, stay, false, why);
}

int arrow_filtered_again(struct ArrowArrayStream *out, struct arrow_source *source,
	const struct arrow_stay *stay, char why[static 256])
{
	return filtered(out, source, stay, true, why);
}
