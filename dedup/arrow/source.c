#include "dedup/arrow/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/util/array.h"

static int fail(struct arrow_source *s, int rc, const char *why)
{
	snprintf(s->error, sizeof s->error, "%s", why);
	return rc;
}

/* An errno of the stream's. */
static int fail_stream(struct arrow_source *s, int error)
{
	const char *why = s->stream.get_last_error ? s->stream.get_last_error(&s->stream) : NULL;

	return fail(s, error > 0 ? -error : -EIO, why ? why : "the stream gives an error");
}

static void release_batch(struct ArrowArray *batch)
{
	if (batch->release)
		batch->release(batch);
	batch->release = NULL;
}

/* 1: there is one, maybe without rows; 0: the end. */
static int next_batch(struct arrow_source *s)
{
	const char *why = NULL;
	struct ArrowArray batch = {0};
	int rc;

	release_batch(&s->batch);
	rc = s->stream.get_next(&s->stream, &batch);
	if (rc)
		return fail_stream(s, rc);
	if (!batch.release)
		return 0;
	if (s->has_column)
		rc = arrow_texts_of(&s->texts, &s->column, &batch, &why);
	if (!rc && s->keep) {
		struct ArrowArray *grown = array_grow(s->batches, s->count, &s->capacity, sizeof *grown);

		rc = grown ? 0 : fail(s, -ENOMEM, "there is not enough memory");
		s->batches = grown ? grown : s->batches;
	} else if (rc)
		fail(s, rc, why);
	if (rc) {
		release_batch(&batch);
		return rc;
	}
	if (s->keep)
		s->batches[s->count++] = batch;
	else
		s->batch = batch;
	s->row = 0;
	return 1;
}

/* The row's text into the block. 0: the block is as it was, and this row has to wait for the next one. */
static int add_row(struct arrow_source *s, struct dedup_block *block)
{
	const char *text, *why = NULL;
	size_t len = 0;
	int rc = arrow_texts_at(&s->texts, s->row, &text, &len);

	if (rc < 0)
		why = "the offsets are impossible";
	else if (len > DEDUP_LINE_MAX)
		why = "the text is longer than 64 MiB";
	if (why) {
		if (block->lines)
			return 0;
		block->why = why;
		return 1;
	}
	rc = dedup_block_add(block, rc ? text : NULL, len);
	return rc ? rc : 1;
}

static int next(void *ctx, struct dedup_block *block)
{
	struct arrow_source *s = ctx;
	int rc = 1;

	while (rc > 0 && !block->why && block->len < DEDUP_BLOCK) {
		if (s->row == s->texts.length) {
			/* A producer may take its time: what is there is handed out first. */
			if (block->lines)
				break;
			rc = next_batch(s);
			continue;
		}
		rc = add_row(s, block);
		if (rc > 0) {
			s->row++;
			s->rows++;
		}
	}
	return rc < 0 ? rc : block->lines || block->why;
}

int arrow_source_open(struct arrow_source *s, struct ArrowArrayStream *stream, const char *field, bool keep)
{
	const char *why;
	int rc;

	*s = (struct arrow_source){.source = {next, s}, .stream = *stream, .keep = keep};
	stream->release = NULL;
	if (!s->stream.release || !s->stream.get_schema || !s->stream.get_next)
		return fail(s, -EINVAL, "the stream has been released already");
	rc = s->stream.get_schema(&s->stream, &s->schema);
	if (rc)
		return fail_stream(s, rc);
	if (!s->schema.release)
		return fail(s, -EINVAL, "the stream has no schema");
	if (!field)
		return 0;
	s->has_column = true;
	rc = arrow_column_find(&s->column, &s->schema, field, &why);
	return rc ? fail(s, rc, why) : 0;
}

int arrow_source_batch(struct arrow_source *s, const struct ArrowArray **batch)
{
	int rc = next_batch(s);

	if (rc <= 0)
		return rc;
	*batch = s->keep ? &s->batches[s->count - 1] : &s->batch;
	s->rows += (uint64_t)(*batch)->length;
	return 1;
}

void arrow_source_close(struct arrow_source *s)
{
	release_batch(&s->batch);
	for (size_t i = 0; i < s->count; i++)
		release_batch(&s->batches[i]);
	free(s->batches);
	if (s->schema.release)
		s->schema.release(&s->schema);
	if (s->stream.release)
		s->stream.release(&s->stream);
	*s = (struct arrow_source){.rows = s->rows};
}
