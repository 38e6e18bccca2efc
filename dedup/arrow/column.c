#include "dedup/arrow/column.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dedup/arrow/bits.h"

static const struct ArrowSchema *child_of(
	const struct ArrowSchema *schema, const char *name, size_t len, int64_t *number)
{
	for (int64_t i = 0; i < schema->n_children; i++) {
		const struct ArrowSchema *child = schema->children ? schema->children[i] : NULL;

		if (child && child->name && strlen(child->name) == len && !memcmp(child->name, name, len)) {
			*number = i;
			return child;
		}
	}
	return NULL;
}

static bool is_struct(const struct ArrowSchema *schema)
{
	return schema->format && !strcmp(schema->format, "+s");
}

static int kind_of(const char *format, enum arrow_strings_kind *kind)
{
	static const char *const formats[] = {"u", "U", "vu"};

	for (unsigned i = 0; format && i < sizeof formats / sizeof formats[0]; i++)
		if (!strcmp(format, formats[i])) {
			*kind = (enum arrow_strings_kind)i;
			return 0;
		}
	return -EINVAL;
}

/* The letter of the numbers that values of this format are; 0: none. */
static char number_letter(const char *format)
{
	if (!format || !*format)
		return 0;
	if (!format[1])
		return strchr("bcCsSiIlLfg", *format) ? *format : 0;
	if (!strcmp(format, "tdD") || !strcmp(format, "tts") || !strcmp(format, "ttm"))
		return 'i';
	return !strcmp(format, "tdm") || !strncmp(format, "tt", 2) || !strncmp(format, "ts", 2) ||
			       !strncmp(format, "tD", 2)
		       ? 'l'
		       : 0;
}

static int take_string(struct arrow_column *column, const struct ArrowSchema *found, const char **why)
{
	const struct ArrowSchema *values = found->dictionary ? found->dictionary : found;

	*why = "the column is no string";
	if (found->dictionary) {
		if (!found->format || strlen(found->format) != 1 || !strchr("cCsSiIlL", found->format[0]))
			return -EINVAL;
		column->index = found->format[0];
	}
	return kind_of(values->format, &column->kind);
}

static int take_value(struct arrow_column *column, const struct ArrowSchema *found, const char **why)
{
	char letter = found->dictionary ? 0 : number_letter(found->format);

	if (!letter) {
		int rc = take_string(column, found, why);

		*why = "the column is no string, number, boolean, date or time";
		return rc;
	}
	column->kind = ARROW_NUMBERS;
	column->index = letter;
	return 0;
}

static int find(struct arrow_column *column, const struct ArrowSchema *schema, const char *field,
	int (*take)(struct arrow_column *column, const struct ArrowSchema *found, const char **why),
	const char **why)
{
	*column = (struct arrow_column){.depth = 0};
	*why = "the stream is not one of record batches";
	if (!is_struct(schema))
		return -EINVAL;
	*why = "there is no such column";
	while (column->depth < ARROW_DEPTH_MAX && is_struct(schema) && !schema->dictionary) {
		int64_t *number = &column->path[column->depth++];
		const struct ArrowSchema *found = child_of(schema, field, strlen(field), number);
		const char *dot = strchr(field, '.');

		if (found)
			return take(column, found, why);
		schema = dot ? child_of(schema, field, (size_t)(dot - field), number) : NULL;
		if (!schema)
			return -ENOENT;
		field = dot + 1;
	}
	return -ENOENT;
}

int arrow_column_find(
	struct arrow_column *column, const struct ArrowSchema *schema, const char *field, const char **why)
{
	return find(column, schema, field, take_string, why);
}

int arrow_column_find_value(
	struct arrow_column *column, const struct ArrowSchema *schema, const char *field, const char **why)
{
	return find(column, schema, field, take_value, why);
}

/* Lengths that add up without overflow. */
static bool is_sane(const struct ArrowArray *array, int64_t buffers)
{
	return array->release && array->length >= 0 && array->offset >= 0 &&
	       array->length < INT64_MAX / 16 - array->offset && array->n_buffers == buffers &&
	       (array->buffers || !buffers);
}

static int views_of(struct arrow_strings *s, const struct ArrowArray *array)
{
	if (array->n_buffers < 3 || array->n_buffers > INT32_MAX || !is_sane(array, array->n_buffers))
		return -EBADMSG;
	s->buffer_count = array->n_buffers - 3;
	s->buffers = array->buffers + 2;
	s->lengths = array->buffers[array->n_buffers - 1];
	return s->buffer_count && !s->lengths ? -EBADMSG : 0;
}

static int strings_of(
	struct arrow_strings *s, enum arrow_strings_kind kind, const struct ArrowArray *array, int64_t least)
{
	int rc = 0;

	*s = (struct arrow_strings){.kind = kind, .offset = array->offset, .length = array->length};
	if (kind == ARROW_STRINGS_VIEW)
		rc = views_of(s, array);
	else if (!is_sane(array, 3))
		rc = -EBADMSG;
	if (rc || array->length < least || (array->length && !array->buffers[1]))
		return -EBADMSG;
	s->valid = array->null_count ? array->buffers[0] : NULL;
	s->offsets = array->buffers[1];
	s->data = array->buffers[2];
	return 0;
}

static int indices_of(struct arrow_texts *t, const struct arrow_column *column,
	const struct ArrowArray *array, int64_t least)
{
	if (!is_sane(array, 2) || array->length < least || (array->length && !array->buffers[1]) ||
		(column->kind != ARROW_NUMBERS && !array->dictionary))
		return -EBADMSG;
	t->index = column->index;
	t->index_valid = array->null_count ? array->buffers[0] : NULL;
	t->indices = array->buffers[1];
	t->first += array->offset;
	return column->kind == ARROW_NUMBERS ? 0
					     : strings_of(&t->strings, column->kind, array->dictionary, 0);
}

int arrow_texts_of(struct arrow_texts *t, const struct arrow_column *column, const struct ArrowArray *batch,
	const char **why)
{
	const struct ArrowArray *at = batch;

	*t = (struct arrow_texts){.length = batch->length};
	*why = "a batch is not what its schema says";
	for (size_t i = 0; i < column->depth; i++) {
		/* A struct's offset goes for its children too: their rows begin where it says. */
		if (!is_sane(at, 1) || at->length - t->first < t->length ||
			column->path[i] >= at->n_children || !at->children || !at->children[column->path[i]])
			return -EBADMSG;
		t->first += at->offset;
		if (at->null_count && at->buffers[0]) {
			t->above[t->above_count].valid = at->buffers[0];
			t->above[t->above_count++].offset = t->first;
		}
		at = at->children[column->path[i]];
		if (t->first > INT64_MAX / 16)
			return -EBADMSG;
	}
	if (column->index)
		return indices_of(t, column, at, t->first + t->length);
	return strings_of(&t->strings, column->kind, at, t->first + t->length);
}

static int view_at(const struct arrow_strings *s, int64_t at, const char **text, size_t *len)
{
	const char *view = (const char *)s->offsets + at * 16;
	int32_t length = arrow_i32(view, 0), buffer = arrow_i32(view, 2), offset = arrow_i32(view, 3);
	int64_t held;

	if (length < 0)
		return -EBADMSG;
	*len = (size_t)length;
	*text = view + 4;
	if (length <= 12)
		return 1;
	if (buffer < 0 || buffer >= s->buffer_count || offset < 0 || !s->buffers[buffer])
		return -EBADMSG;
	held = arrow_i64(s->lengths, buffer);
	if (held < offset || length > held - offset)
		return -EBADMSG;
	*text = (const char *)s->buffers[buffer] + offset;
	return 1;
}

static int string_at(const struct arrow_strings *s, int64_t row, const char **text, size_t *len)
{
	int64_t at = s->offset + row, from, to;

	if (s->valid && !arrow_bit(s->valid, at))
		return 0;
	if (s->kind == ARROW_STRINGS_VIEW)
		return view_at(s, at, text, len);
	from = s->kind == ARROW_STRINGS ? arrow_i32(s->offsets, at) : arrow_i64(s->offsets, at);
	to = s->kind == ARROW_STRINGS ? arrow_i32(s->offsets, at + 1) : arrow_i64(s->offsets, at + 1);
	if (from < 0 || to < from || (to > from && !s->data))
		return -EBADMSG;
	*text = to > from ? s->data + from : "";
	*len = (size_t)(to - from);
	return 1;
}

static int64_t index_at(const struct arrow_texts *t, int64_t at)
{
	switch (t->index) {
	case 'c':
		return ((const int8_t *)t->indices)[at];
	case 'C':
		return ((const uint8_t *)t->indices)[at];
	case 's':
		return arrow_i16(t->indices, at);
	case 'S':
		return (uint16_t)arrow_i16(t->indices, at);
	case 'i':
		return arrow_i32(t->indices, at);
	case 'I':
		return (uint32_t)arrow_i32(t->indices, at);
	default: /* of 64 bits without a sign: what is beyond all is negative */
		return arrow_i64(t->indices, at);
	}
}

/* Of one of the structs that the column is in. */
static bool is_null_above(const struct arrow_texts *t, int64_t row)
{
	for (size_t i = 0; i < t->above_count; i++)
		if (!arrow_bit(t->above[i].valid, t->above[i].offset + row))
			return true;
	return false;
}

static int print_real(char json[static ARROW_NUMBER], double value)
{
	snprintf(json, ARROW_NUMBER, "%.17g", value);
	return value - value == 0;
}

int arrow_number_at(const struct arrow_texts *t, int64_t row, char json[static ARROW_NUMBER])
{
	int64_t at = t->first + row, number;
	float real32;
	double real64;

	if (is_null_above(t, row) || (t->index_valid && !arrow_bit(t->index_valid, at)))
		return 0;
	switch (t->index) {
	case 'b':
		snprintf(json, ARROW_NUMBER, "%s", arrow_bit(t->indices, at) ? "true" : "false");
		return 1;
	case 'f':
		memcpy(&real32, (const char *)t->indices + at * 4, sizeof real32);
		return print_real(json, (double)real32);
	case 'g':
		memcpy(&real64, (const char *)t->indices + at * 8, sizeof real64);
		return print_real(json, real64);
	default:
		number = index_at(t, at);
		snprintf(json, ARROW_NUMBER, t->index == 'L' ? "%" PRIu64 : "%" PRId64, number);
		return 1;
	}
}

int arrow_texts_at(const struct arrow_texts *t, int64_t row, const char **text, size_t *len)
{
	int64_t index;

	if (is_null_above(t, row))
		return 0;
	if (!t->index)
		return string_at(&t->strings, t->first + row, text, len);
	if (t->index_valid && !arrow_bit(t->index_valid, t->first + row))
		return 0;
	index = index_at(t, t->first + row);
	if (index < 0 || index >= t->strings.length)
		return -EBADMSG;
	return string_at(&t->strings, index, text, len);
}
