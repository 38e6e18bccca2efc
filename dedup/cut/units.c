#include "dedup/cut/units.h"

#include <string.h>

/* The line at `at`: sets its end without, returns that with what ends it. */
static size_t line_at(const char *text, size_t len, size_t at, size_t *to)
{
	const char *end = memchr(text + at, '\n', len - at);

	*to = end ? (size_t)(end - text) : len;
	if (end && *to > at && text[*to - 1] == '\r')
		--*to;
	return end ? (size_t)(end - text) + 1 : len;
}

static bool is_blank(const char *text, size_t from, size_t to)
{
	while (from < to && (text[from] == ' ' || text[from] == '\t' || text[from] == '\r'))
		from++;
	return from == to;
}

static size_t skip_blank(const char *text, size_t len, size_t at)
{
	while (at < len) {
		size_t to, next = line_at(text, len, at, &to);

		if (!is_blank(text, at, to))
			break;
		at = next;
	}
	return at;
}

bool dedup_unit_next(
	const char *text, size_t len, enum dedup_unit_kind kind, size_t *at, struct dedup_unit *unit)
{
	size_t from = skip_blank(text, len, *at), next = from;

	if (from == len)
		return false;
	unit->from = from;
	next = line_at(text, len, from, &unit->to);
	while (kind == DEDUP_PARAGRAPHS && next < len) {
		size_t to, after = line_at(text, len, next, &to);

		if (is_blank(text, next, to))
			break;
		unit->to = to;
		next = after;
	}
	unit->end = kind == DEDUP_PARAGRAPHS ? skip_blank(text, len, next) : next;
	*at = unit->end;
	return true;
}
