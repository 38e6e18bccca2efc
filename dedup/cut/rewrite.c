#include "dedup/cut/rewrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/json/span.h"

/* A character as it is in a line of text: its bytes. */
static size_t text_char(const char *at, size_t len, char utf8[4], size_t *utf8_len)
{
	size_t n = 1;

	*utf8 = *at;
	while (n < 4 && n < len && ((unsigned char)*at & 0xc0) == 0xc0 &&
		((unsigned char)at[n] & 0xc0) == 0x80) {
		utf8[n] = at[n];
		n++;
	}
	*utf8_len = n;
	return n;
}

static bool is_space(const char *utf8)
{
	return *utf8 == ' ' || (*utf8 >= '\t' && *utf8 <= '\r');
}

static void put(struct dedup_rewritten *r, const char *from, size_t len)
{
	memcpy(r->data + r->len, from, len);
	r->len += len;
}

/* The characters of text[0..len) that no cut takes whole. */
static int put_rest(struct dedup_rewritten *r, enum dedup_format format, const char *text, size_t len,
	const struct dedup_cut *cuts, size_t count)
{
	char utf8[4];
	size_t n, i = 0;

	for (size_t at = 0, taken; at < len; at += taken, r->text += n) {
		taken = format == DEDUP_FORMAT_TEXT ? text_char(text + at, len - at, utf8, &n)
						    : dedup_json_char(text + at, len - at, utf8, &n);
		if (!taken)
			return -EBADMSG;
		while (i < count && cuts[i].to <= r->text)
			i++;
		if (i < count && cuts[i].from <= r->text && r->text + n <= cuts[i].to)
			continue;
		r->left += n;
		r->blank = r->blank && is_space(utf8);
		put(r, text + at, taken);
	}
	return 0;
}

int dedup_rewrite(struct dedup_rewritten *r, enum dedup_format format, const char *field,
	const struct dedup_line *line, const struct dedup_cut *cuts, size_t count)
{
	size_t from = 0, to = line->len;
	int rc;

	if (r->capacity < line->whole) {
		free(r->data);
		r->capacity = line->whole + line->whole / 2;
		r->data = malloc(r->capacity);
		if (!r->data) {
			r->capacity = 0;
			return -ENOMEM;
		}
	}
	r->len = r->text = r->left = 0;
	r->blank = true;
	if (format != DEDUP_FORMAT_TEXT) {
		size_t mark = dedup_line_mark(line);

		if (!dedup_json_span(line->text + mark, line->len - mark, field, &from, &to))
			return -EBADMSG;
		from += mark;
		to += mark;
	}
	put(r, line->text, from);
	rc = put_rest(r, format, line->text + from, to - from, cuts, count);
	if (!rc)
		put(r, line->text + to, line->whole - to);
	return rc;
}

void dedup_rewritten_release(struct dedup_rewritten *r)
{
	free(r->data);
	*r = (struct dedup_rewritten){0};
}
