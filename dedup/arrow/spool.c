#include "dedup/arrow/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/read/reader.h"
#include "store/util/io.h"

#define BUFFER (1u << 20)
#define ESCAPED 6u /* bytes of a character at most */

struct writer {
	int fd;
	char *buffer;
	size_t len;
	uint64_t off;
};

/* A column beside the text. */
struct field {
	char *key; /* with what stands around it in the record */
	struct arrow_column column;
	struct arrow_texts texts;
};

static int flush(struct writer *w)
{
	int rc = io_pwrite_full(w->fd, w->buffer, w->len, w->off);

	w->off += w->len;
	w->len = 0;
	return rc;
}

static int put(struct writer *w, const char *text, size_t len)
{
	int rc = 0;

	for (size_t n; !rc && len; text += n, len -= n) {
		if (w->len == BUFFER)
			rc = flush(w);
		n = len < BUFFER - w->len ? len : BUFFER - w->len;
		memcpy(w->buffer + w->len, text, n);
		w->len += n;
	}
	return rc;
}

static bool is_plain(unsigned char c)
{
	return c >= ' ' && c != '"' && c != '\\';
}

static int put_string(struct writer *w, const char *text, size_t len)
{
	int rc = put(w, "\"", 1);

	while (!rc && len) {
		char escaped[ESCAPED + 1];
		size_t n = 0;

		while (n < len && is_plain((unsigned char)text[n]))
			n++;
		rc = put(w, text, n);
		if (!rc && n < len) {
			snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)text[n]);
			rc = put(w, escaped, ESCAPED);
			n++;
		}
		text += n;
		len -= n;
	}
	return rc ? rc : put(w, "\"", 1);
}

static int put_value(struct writer *w, const struct field *f, int64_t row)
{
	char number[ARROW_NUMBER];
	const char *text;
	size_t len;
	int there = f->column.kind == ARROW_NUMBERS ? arrow_number_at(&f->texts, row, number)
						    : arrow_texts_at(&f->texts, row, &text, &len);
	int rc = there < 0 ? there : put(w, f->key, strlen(f->key));

	if (rc)
		return rc;
	if (!there)
		return put(w, "null", 4);
	return f->column.kind == ARROW_NUMBERS ? put(w, number, strlen(number)) : put_string(w, text, len);
}

/* Fields are in order; the text is the first, where there is one. */
static int put_row(struct writer *w, const struct field *fields, size_t count, bool has_text, int64_t row)
{
	const char *text;
	size_t len;
	int rc;

	if (has_text) {
		int there = arrow_texts_at(&fields->texts, row, &text, &len);

		if (there <= 0)
			return there < 0 ? there : put(w, "\n", 1);
	}
	rc = put(w, "{", 1);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = i ? put(w, ", ", 2) : 0;
		rc = rc ? rc : put_value(w, &fields[i], row);
	}
	return rc ? rc : put(w, "}\n", 2);
}

static char *key_of(const char *name)
{
	struct writer w = {.buffer = malloc(BUFFER)};
	char *key = NULL;

	/* A name that does not fit into the buffer is none. */
	if (w.buffer && strlen(name) * ESCAPED + 8 < BUFFER && !put_string(&w, name, strlen(name)) &&
		!put(&w, ": ", 2))
		key = strndup(w.buffer, w.len);
	free(w.buffer);
	return key;
}

static int find(struct field *fields, size_t *count, struct arrow_spool *spool, struct arrow_source *source)
{
	const char *names[ARROW_SPOOL_FIELDS + 1] = {spool->text};
	const char *why;
	int rc = 0;

	memcpy(names + 1, spool->fields, sizeof spool->fields);
	for (size_t i = 0; !rc && i < sizeof names / sizeof names[0]; i++) {
		struct field *f = &fields[*count];
		bool again = false;

		for (size_t j = 0; names[i] && j < i; j++)
			again = again || (names[j] && !strcmp(names[i], names[j]));
		if (!names[i] || again)
			continue;
		f->key = key_of(names[i]);
		rc = f->key ? arrow_column_find_value(&f->column, &source->schema, names[i], &why) : -ENOMEM;
		if (f->key && rc)
			snprintf(source->error, sizeof source->error, "%s: %s", names[i], why);
		++*count;
	}
	return rc;
}

static int put_batch(struct writer *w, struct arrow_spool *spool, struct arrow_source *source,
	struct field *fields, size_t count, const struct ArrowArray *batch)
{
	const char *why;
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++) {
		rc = arrow_texts_of(&fields[i].texts, &fields[i].column, batch, &why);
		if (rc)
			snprintf(source->error, sizeof source->error, "%s", why);
	}
	for (int64_t row = 0; !rc && row < batch->length; row++) {
		rc = put_row(w, fields, count, spool->text != NULL, row);
		if (rc == -EBADMSG)
			snprintf(source->error, sizeof source->error, "row %llu: the offsets are impossible",
				(unsigned long long)spool->rows);
		spool->rows += !rc;
	}
	return rc;
}

int arrow_spool(struct arrow_spool *spool, struct arrow_source *source, int fd)
{
	struct writer w = {.fd = fd, .buffer = malloc(BUFFER)};
	struct field fields[ARROW_SPOOL_FIELDS + 1] = {0};
	const struct ArrowArray *batch;
	size_t count = 0;
	int rc = w.buffer ? find(fields, &count, spool, source) : -ENOMEM, more = 0;

	while (!rc && (more = arrow_source_batch(source, &batch)) > 0)
		rc = put_batch(&w, spool, source, fields, count, batch);
	rc = rc ? rc : more;
	rc = rc ? rc : flush(&w);
	for (size_t i = 0; i < count; i++)
		free(fields[i].key);
	free(w.buffer);
	return rc;
}
