// links: m_dedup_lib
/* The library from C, where nothing of Python's hides what is not released; its answers are held against the
 * tool's in tests/dedup/arrow. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/arrow/abi.h"
#include "dedup/lib/mithril-dedup.h"

#define BATCHES 2

/* Two batches of a column "text". */
static const char *const texts[BATCHES][3] = {{"one line\nand another", "short", "one line\nand more"},
	{"and more\nthe last line", "short", "and more"}};

/* What a batch is made of; released as one. */
struct owned {
	int32_t offsets[4];
	char data[128];
	const void *buffers[3], *none[1];
	struct ArrowArray column, *columns[1];
	struct ArrowSchema field, *fields[1];
};

static void release_child(struct ArrowArray *array)
{
	array->release = NULL;
}

static void release_batch(struct ArrowArray *array)
{
	free(array->private_data);
	array->release = NULL;
}

static void release_field(struct ArrowSchema *schema)
{
	schema->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
	free(schema->private_data);
	schema->release = NULL;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
	struct owned *o = calloc(1, sizeof *o);

	(void)stream;
	o->fields[0] = &o->field;
	o->field = (struct ArrowSchema){.format = "u", .name = "text", .release = release_field};
	*out = (struct ArrowSchema){.format = "+s",
		.name = "",
		.n_children = 1,
		.children = o->fields,
		.release = release_schema,
		.private_data = o};
	return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
	int *at = stream->private_data;
	struct owned *o;

	*out = (struct ArrowArray){0};
	if (*at == BATCHES)
		return 0;
	o = calloc(1, sizeof *o);
	for (int i = 0; i < 3; i++) {
		const char *text = texts[*at][i];

		memcpy(o->data + o->offsets[i], text, strlen(text));
		o->offsets[i + 1] = o->offsets[i] + (int32_t)strlen(text);
	}
	o->buffers[1] = o->offsets;
	o->buffers[2] = o->data;
	o->columns[0] = &o->column;
	o->column = (struct ArrowArray){
		.length = 3, .n_buffers = 3, .buffers = o->buffers, .release = release_child};
	*out = (struct ArrowArray){.length = 3,
		.n_buffers = 1,
		.buffers = o->none,
		.n_children = 1,
		.children = o->columns,
		.release = release_batch,
		.private_data = o};
	++*at;
	return 0;
}

static void release_stream(struct ArrowArrayStream *stream)
{
	free(stream->private_data);
	stream->release = NULL;
}

static struct ArrowArrayStream stream_of(void)
{
	return (struct ArrowArrayStream){get_schema, get_next, NULL, release_stream, calloc(1, sizeof(int))};
}

/* Reads a stream to its end: its texts, with bars between. */
static void read_all(struct ArrowArrayStream *stream, char all[static 256])
{
	struct ArrowArray batch;
	size_t len = 0;

	while (!stream->get_next(stream, &batch) && batch.release) {
		const struct ArrowArray *column = batch.children[0];
		const int32_t *offsets = column->buffers[1];

		for (int64_t i = 0; i < batch.length; i++) {
			size_t n = (size_t)(offsets[i + 1] - offsets[i]);

			memcpy(all + len, (const char *)column->buffers[2] + offsets[i], n);
			len += n;
			all[len++] = '|';
		}
		batch.release(&batch);
	}
	all[len] = 0;
	assert_null(stream->get_last_error(stream));
	stream->release(stream);
}

static struct mithril_dedup *new (struct mithril_dedup_options *o, int expected)
{
	struct mithril_dedup *d;

	assert_int_equal(mithril_dedup_new(o, &d), expected);
	assert_int_equal(!*mithril_dedup_error(d), !expected);
	return d;
}

static void cuts_and_filters(void **state)
{
	struct mithril_dedup_options o;
	struct ArrowArrayStream in = stream_of(), again = stream_of(), out;
	const struct mithril_dedup_cut *cuts;
	struct mithril_dedup *d;
	uint64_t count;
	char all[256];

	(void)state;
	mithril_dedup_defaults(&o, sizeof o);
	o.line = 1;
	o.method = MITHRIL_DEDUP_EXACT;
	o.stream = 1;
	d = new (&o, 0);
	assert_int_equal(mithril_dedup_run(d, &in), 0);
	assert_null(in.release);
	assert_int_equal(mithril_dedup_rows(d), 6);
	assert_int_equal(*mithril_dedup_mask(d), 0xf);
	cuts = mithril_dedup_cuts(d, &count);
	assert_true(count >= 2);
	assert_int_equal(cuts[0].row, 2);
	assert_int_equal(cuts[0].to - cuts[0].from, 9);
	assert_int_equal(mithril_dedup_filter(d, &again, &out), 0);
	read_all(&out, all);
	assert_string_equal(all, "one line\nand another|short|and more|the last line|");
	assert_int_equal(mithril_dedup_stream(d, &out), 0);
	mithril_dedup_free(d);
	read_all(&out, all);
	assert_string_equal(all, "one line\nand another|short|and more|the last line|");
}

/* Wherever it fails, streams are released, and nothing is left. */
static void fails_cleanly(void **state)
{
	struct mithril_dedup_options o;
	struct ArrowArrayStream in = stream_of(), out;
	const char *const against[] = {"/nowhere/to/be/found"};
	struct mithril_dedup *d;

	(void)state;
	mithril_dedup_defaults(&o, sizeof o);
	o.against = against;
	o.against_count = 1;
	d = new (&o, 0);
	assert_int_equal(mithril_dedup_run(d, &in), -ENOENT);
	assert_null(in.release);
	in = stream_of();
	assert_int_equal(mithril_dedup_run(d, &in), -EINVAL);
	assert_null(in.release);
	in = stream_of();
	assert_int_equal(mithril_dedup_filter(d, &in, &out), -EINVAL);
	assert_null(in.release);
	assert_null(out.release);
	assert_int_equal(mithril_dedup_stream(d, &out), -EINVAL);
	mithril_dedup_free(d);

	mithril_dedup_defaults(&o, sizeof o);
	o.memory = 1 << 20;
	o.field = "nothing";
	d = new (&o, 0);
	in = stream_of();
	assert_int_equal(mithril_dedup_run(d, &in), -ENOENT);
	assert_null(in.release);
	assert_null(mithril_dedup_summary(d));
	mithril_dedup_free(d);

	o.substring = 3;
	mithril_dedup_free(new (&o, -EINVAL));
}

/* What an older caller's structure does not have is as by default. */
static void older_callers(void **state)
{
	struct mithril_dedup_options o;
	struct ArrowArrayStream in = stream_of();
	struct mithril_dedup *d;

	(void)state;
	memset(&o, 0xff, sizeof o);
	mithril_dedup_defaults(&o, offsetof(struct mithril_dedup_options, method));
	d = new (&o, 0);
	assert_int_equal(mithril_dedup_run(d, &in), 0);
	assert_int_equal(*mithril_dedup_mask(d), 0x2f);
	mithril_dedup_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_and_filters),
		cmocka_unit_test(fails_cleanly),
		cmocka_unit_test(older_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
