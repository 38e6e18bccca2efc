// links: m_dedup_arrow
/* What an array says about itself is not believed. The honest ones are in tests/dedup/arrow, with pyarrow. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dedup/arrow/column.h"
#include "dedup/arrow/rows.h"

static void release_schema(struct ArrowSchema *schema)
{
	schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
	array->release = NULL;
}

/* A record batch with one column "text" of the three rows "a", null, "bcd", after one that an offset skips.
 */
struct world {
	struct ArrowSchema text, batch_schema;
	struct ArrowSchema *children[1];
	struct ArrowArray array, batch;
	struct ArrowArray *arrays[1];
	int32_t offsets[5];
	uint8_t valid[1];
	const void *buffers[3], *none[1];
	struct arrow_column column;
	struct arrow_texts texts;
	const char *why;
};

static int make(void **state)
{
	static struct world w;
	static const int32_t offsets[5] = {0, 2, 3, 3, 6};

	memset(&w, 0, sizeof w);
	memcpy(w.offsets, offsets, sizeof offsets);
	w.valid[0] = 0xb;
	w.buffers[0] = w.valid;
	w.buffers[1] = w.offsets;
	w.buffers[2] = "xxabcd";
	w.children[0] = &w.text;
	w.arrays[0] = &w.array;
	w.text = (struct ArrowSchema){.format = "u", .name = "text", .release = release_schema};
	w.batch_schema = (struct ArrowSchema){.format = "+s",
		.name = "",
		.n_children = 1,
		.children = w.children,
		.release = release_schema};
	w.array = (struct ArrowArray){.length = 3,
		.null_count = 1,
		.offset = 1,
		.n_buffers = 3,
		.buffers = w.buffers,
		.release = release_array};
	w.batch = (struct ArrowArray){.length = 3,
		.n_buffers = 1,
		.n_children = 1,
		.buffers = w.none,
		.children = w.arrays,
		.release = release_array};
	*state = &w;
	return arrow_column_find(&w.column, &w.batch_schema, "text", &w.why);
}

static void reads_rows(void **state)
{
	struct world *w = *state;
	const char *text;
	size_t len;

	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 0, &text, &len), 1);
	assert_true(len == 1 && *text == 'a');
	assert_int_equal(arrow_texts_at(&w->texts, 1, &text, &len), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 2, &text, &len), 1);
	assert_true(len == 3 && !memcmp(text, "bcd", 3));
}

static void refuses_offsets(void **state)
{
	struct world *w = *state;
	struct arrow_run all = {0, 3};
	struct arrow_runs runs = {&all, 1, 3};
	struct ArrowArray copy;
	const char *text;
	size_t len;

	w->offsets[3] = -1;
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 2, &text, &len), -EBADMSG);
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
	w->offsets[3] = 7;
	assert_int_equal(arrow_texts_at(&w->texts, 2, &text, &len), -EBADMSG);
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
	w->offsets[3] = 3;
	w->buffers[2] = NULL;
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 2, &text, &len), -EBADMSG);
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
}

/* Each number is spoilt and mended again; the rows are neither read nor copied meanwhile. */
static void refuses_numbers(void **state)
{
	struct world *w = *state;
	struct arrow_run all = {0, 3};
	struct arrow_runs runs = {&all, 1, 3};
	struct ArrowArray copy;
	const struct {
		int64_t *number, value;
	} spoilt[] = {
		{&w->array.length, -1},
		{&w->array.length, 2},
		{&w->array.offset, -1},
		{&w->array.offset, INT64_MAX - 1},
		{&w->array.n_buffers, 2},
		{&w->array.n_buffers, 4},
		{&w->batch.offset, 1},
		{&w->batch.offset, INT64_MAX - 2},
		{&w->batch.length, 4},
		{&w->batch.length, -1},
		{&w->batch.n_children, 0},
		{&w->batch.n_buffers, 0},
	};

	for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
		int64_t was = *spoilt[i].number;

		*spoilt[i].number = spoilt[i].value;
		all.to = runs.rows = w->batch.length > 0 ? w->batch.length : 3;
		assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), -EBADMSG);
		assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
		*spoilt[i].number = was;
	}
	all.to = runs.rows = 3;
	w->arrays[0] = NULL;
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), -EBADMSG);
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
	w->arrays[0] = &w->array;
	w->array.buffers = NULL;
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), -EBADMSG);
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
}

static void refuses_views(void **state)
{
	struct world *w = *state;
	struct {
		int32_t len;
		char prefix[4];
		int32_t buffer, offset;
	} views[3] = {{2, "ab", 0, 0}, {20, "0123", 0, 4}, {13, "4567", 0, 0}};
	int64_t lengths[1] = {24};
	const void *buffers[4] = {NULL, views, "0123456789abcdefghijklmn", lengths};
	struct arrow_run all = {0, 3};
	struct arrow_runs runs = {&all, 1, 3};
	struct ArrowArray copy;
	const char *text;
	size_t len;

	w->text.format = "vu";
	w->array = (struct ArrowArray){
		.length = 3, .n_buffers = 4, .buffers = buffers, .release = release_array};
	assert_int_equal(arrow_column_find(&w->column, &w->batch_schema, "text", &w->why), 0);
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 0, &text, &len), 1);
	assert_true(len == 2 && !memcmp(text, "ab", 2));
	assert_int_equal(arrow_texts_at(&w->texts, 1, &text, &len), 1);
	assert_true(len == 20 && !memcmp(text, "456789", 6));
	assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), 0);
	copy.release(&copy);
	const struct {
		int32_t *number, value;
	} spoilt[] = {{&views[1].len, -1}, {&views[1].len, 21}, {&views[1].offset, 5}, {&views[1].offset, -1},
		{&views[1].buffer, 1}, {&views[1].buffer, -1}};

	for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
		int32_t was = *spoilt[i].number;

		*spoilt[i].number = spoilt[i].value;
		assert_int_equal(arrow_texts_at(&w->texts, 1, &text, &len), -EBADMSG);
		assert_int_equal(arrow_rows_copy(&copy, &w->batch_schema, &w->batch, &runs), -EBADMSG);
		*spoilt[i].number = was;
	}
}

static void refuses_indices(void **state)
{
	struct world *w = *state;
	int8_t indices[2] = {2, 3};
	const void *buffers[2] = {NULL, indices};
	struct ArrowArray values = w->array;
	const char *text;
	size_t len;

	w->text.dictionary = &(struct ArrowSchema){.format = "u", .release = release_schema};
	w->text.format = "c";
	w->array = (struct ArrowArray){.length = 2,
		.n_buffers = 2,
		.buffers = buffers,
		.dictionary = &values,
		.release = release_array};
	w->batch.length = 2;
	assert_int_equal(arrow_column_find(&w->column, &w->batch_schema, "text", &w->why), 0);
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), 0);
	assert_int_equal(arrow_texts_at(&w->texts, 0, &text, &len), 1);
	assert_int_equal(len, 3);
	assert_int_equal(arrow_texts_at(&w->texts, 1, &text, &len), -EBADMSG);
	indices[1] = -1;
	assert_int_equal(arrow_texts_at(&w->texts, 1, &text, &len), -EBADMSG);
	w->array.dictionary = NULL;
	assert_int_equal(arrow_texts_of(&w->texts, &w->column, &w->batch, &w->why), -EBADMSG);
}

/* The column of the world as numbers of a format. */
static int as_numbers(struct world *w, const char *format, const void *values, struct arrow_texts *texts)
{
	w->text.format = format;
	w->array.n_buffers = 2;
	w->buffers[1] = values;
	if (arrow_column_find_value(&w->column, &w->batch_schema, "text", &w->why))
		return -ENOENT;
	return arrow_texts_of(texts, &w->column, &w->batch, &w->why);
}

static void reads_numbers(void **state)
{
	static const int64_t longs[] = {9, INT64_MIN, 5, -1};
	static const double reals[] = {9, .1, 5, INFINITY};
	static const uint8_t bits[] = {0x9};
	struct world *w = *state;
	struct arrow_texts t;
	char json[ARROW_NUMBER];

	assert_int_equal(as_numbers(w, "l", longs, &t), 0);
	assert_int_equal(arrow_number_at(&t, 0, json), 1);
	assert_string_equal(json, "-9223372036854775808");
	assert_int_equal(arrow_number_at(&t, 1, json), 0);
	assert_int_equal(as_numbers(w, "L", longs, &t), 0);
	assert_int_equal(arrow_number_at(&t, 2, json), 1);
	assert_string_equal(json, "18446744073709551615");
	assert_int_equal(as_numbers(w, "tsu:UTC", longs, &t), 0);
	assert_int_equal(arrow_number_at(&t, 2, json), 1);
	assert_string_equal(json, "-1");
	assert_int_equal(as_numbers(w, "g", reals, &t), 0);
	assert_int_equal(arrow_number_at(&t, 0, json), 1);
	assert_string_equal(json, "0.10000000000000001");
	assert_int_equal(arrow_number_at(&t, 2, json), 0);
	assert_int_equal(as_numbers(w, "b", bits, &t), 0);
	assert_int_equal(arrow_number_at(&t, 0, json), 1);
	assert_string_equal(json, "false");
	assert_int_equal(arrow_number_at(&t, 2, json), 1);
	assert_string_equal(json, "true");
}

static void refuses_arrays_of_numbers(void **state)
{
	static const int64_t longs[4];
	static const char *const formats[] = {"e", "d:5,2", "z", "+l", "n", "tiM", "w:4", ""};
	struct world *w = *state;
	struct arrow_texts t;

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		assert_int_equal(as_numbers(w, formats[i], longs, &t), -ENOENT);
	assert_int_equal(as_numbers(w, "l", longs, &t), 0);
	assert_int_equal(as_numbers(w, "l", NULL, &t), -EBADMSG);
	w->array.length = 2;
	assert_int_equal(as_numbers(w, "l", longs, &t), -EBADMSG);
	w->array.length = INT64_MAX;
	assert_int_equal(as_numbers(w, "l", longs, &t), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_rows, make),
		cmocka_unit_test_setup(refuses_offsets, make),
		cmocka_unit_test_setup(refuses_numbers, make),
		cmocka_unit_test_setup(refuses_views, make),
		cmocka_unit_test_setup(refuses_indices, make),
		cmocka_unit_test_setup(reads_numbers, make),
		cmocka_unit_test_setup(refuses_arrays_of_numbers, make),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
