// links: m_dedup_arrow
/* Arrays that say anything about themselves: the bytes are a schema and a batch, with buffers of a fixed
 * length that offsets and lengths are kept in by halves, as an honest producer's would be, and otherwise not.
 * What cannot be checked from outside, the length of a buffer, is right; all the rest is the input's. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/column.h"
#include "dedup/arrow/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS 16
#define BUFFER 4096 /* bytes of each: what ROWS rows with offsets below 2048 can reach */

static const char *const formats[] = {"u", "U", "vu", "i", "+s", "+l", "+L", "+w:2", "+w:0", "b", "n", "w:3",
	"z", "d:5,2", "tsu:UTC", "+m", "c", "vz", "+us:0", "w:", "d:1,1,", "", "l", "+w:2147483647"};

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static void release_schema(struct ArrowSchema *schema)
{
	schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
	array->release = NULL;
}

static void make_schema(struct input *in, struct ArrowSchema *schema, unsigned depth)
{
	static const char *const names[] = {"text", "a", "a.b", ""};
	unsigned what = take(in);

	*schema = (struct ArrowSchema){.release = release_schema};
	schema->format = depth ? formats[what % (sizeof formats / sizeof formats[0])] : "+s";
	schema->name = names[take(in) % 4];
	schema->n_children = depth < 3 && schema->format[0] == '+' ? 1 + take(in) % 2 : 0;
	schema->children = calloc((size_t)schema->n_children + 1, sizeof *schema->children);
	for (int64_t i = 0; i < schema->n_children; i++) {
		schema->children[i] = malloc(sizeof **schema->children);
		make_schema(in, schema->children[i], depth + 1);
	}
	if (depth && what >= 128 && what < 160) {
		schema->dictionary = malloc(sizeof *schema->dictionary);
		make_schema(in, schema->dictionary, depth + 2);
	}
}

/* Values that offsets, indices and lengths may have: small ones, and those that are out of all bounds. */
static void fill(struct input *in, uint8_t *buffer, size_t width)
{

	for (size_t i = 0; i < BUFFER / width; i++) {
		unsigned byte = in->size > 16 ? take(in) : (unsigned)i;
		int64_t value = byte < 250 ? (int64_t)(i + byte % 3) : -(int64_t)byte;

		memcpy(buffer + i * width, &value, width);
	}
}

static int64_t honest_buffers(const char *format)
{
	if (*format == '+')
		return format[1] == 's' || format[1] == 'w' ? 1 : 2;
	if (*format && strchr("uUzZ", *format))
		return 3;
	return *format == 'v' ? 4 : *format == 'n' ? 0 : 2;
}

static void make_array(struct input *in, const struct ArrowSchema *schema, struct ArrowArray *array)
{
	unsigned oddity = take(in);
	int wide =
		!strcmp(schema->format, "U") || !strcmp(schema->format, "+L") || !strcmp(schema->format, "l");

	*array = (struct ArrowArray){
		.length = take(in) % ROWS, .offset = take(in) % 4, .release = release_array};
	array->null_count = oddity & 1 ? -1 : 0;
	array->n_buffers = oddity & 2 ? (int64_t)(take(in) % 6) : honest_buffers(schema->format);
	array->buffers = calloc((size_t)array->n_buffers + 1, sizeof *array->buffers);
	for (int64_t i = 0; i < array->n_buffers; i++)
		if (take(in) != 255) {
			uint8_t *buffer = calloc(1, BUFFER);

			fill(in, buffer, wide ? 8 : 4);
			array->buffers[i] = buffer;
		}
	if (schema->format[0] == 'v' && array->n_buffers >= 3 && array->buffers[array->n_buffers - 1])
		for (int64_t i = 0; i < array->n_buffers - 3; i++)
			((int64_t *)(uintptr_t)array->buffers[array->n_buffers - 1])[i] =
				take(in) % 16 ? BUFFER : -1;
	array->n_children = oddity & 4 ? take(in) % 3 : schema->n_children;
	array->children = calloc((size_t)array->n_children + 1, sizeof *array->children);
	for (int64_t i = 0; i < array->n_children; i++) {
		static const struct ArrowSchema none = {.format = "u"};

		array->children[i] = malloc(sizeof **array->children);
		make_array(in, i < schema->n_children ? schema->children[i] : &none, array->children[i]);
	}
	if (schema->dictionary && !(oddity & 8)) {
		array->dictionary = malloc(sizeof *array->dictionary);
		make_array(in, schema->dictionary, array->dictionary);
	}
}

static void drop_schema(struct ArrowSchema *schema)
{
	for (int64_t i = 0; i < schema->n_children; i++) {
		drop_schema(schema->children[i]);
		free(schema->children[i]);
	}
	if (schema->dictionary)
		drop_schema(schema->dictionary);
	free(schema->dictionary);
	free(schema->children);
}

static void drop_array(struct ArrowArray *array)
{
	for (int64_t i = 0; i < array->n_children; i++) {
		drop_array(array->children[i]);
		free(array->children[i]);
	}
	if (array->dictionary)
		drop_array(array->dictionary);
	free(array->dictionary);
	for (int64_t i = 0; i < array->n_buffers; i++)
		free((void *)(uintptr_t)array->buffers[i]);
	free(array->children);
	free(array->buffers);
}

static size_t read_texts(const struct ArrowSchema *schema, const struct ArrowArray *batch)
{
	static const char *const fields[] = {"text", "a.text", "a.b", "a.b.text"};
	struct arrow_column column;
	struct arrow_texts texts;
	const char *why, *text;
	size_t sum = 0, len;

	for (unsigned f = 0; f < 4; f++) {
		if (arrow_column_find(&column, schema, fields[f], &why) ||
			arrow_texts_of(&texts, &column, batch, &why))
			continue;
		for (int64_t i = 0; i < texts.length; i++)
			/* An honest end of the data, which the array cannot tell. */
			if (arrow_texts_at(&texts, i, &text, &len) > 0 && len < 1024)
				for (size_t j = 0; j < len; j++)
					sum += (unsigned char)text[j];
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct arrow_run v[2];
	struct arrow_runs runs = {v, 2, 0};
	struct ArrowSchema schema;
	struct ArrowArray batch, copy;
	const char *format;

	make_schema(&in, &schema, 0);
	make_array(&in, &schema, &batch);
	v[0].from = take(&in) % 3;
	v[0].to = v[0].from + 1 + take(&in) % 3;
	v[1].from = v[0].to + take(&in) % 3;
	v[1].to = v[1].from + 1 + take(&in) % 8;
	runs.rows = v[0].to - v[0].from + v[1].to - v[1].from;
	if (read_texts(&schema, &batch) == SIZE_MAX)
		abort();
	if (!arrow_rows_can(&schema, &format) && !arrow_rows_copy(&copy, &schema, &batch, &runs)) {
		if (copy.length != runs.rows)
			abort();
		copy.release(&copy);
	}
	drop_array(&batch);
	drop_schema(&schema);
	return 0;
}
