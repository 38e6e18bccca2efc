#include "dedup/json/span.h"

#include <stdint.h>
#include <string.h>

/* What is left of the record. */
struct rest {
	const char *at, *end;
};

static void skip_space(struct rest *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

static bool take(struct rest *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* A string, without its quotes. */
static bool take_string(struct rest *r, struct rest *string)
{
	if (!take(r, '"'))
		return false;
	string->at = r->at;
	for (; r->at < r->end; r->at++) {
		if (*r->at == '"') {
			string->end = r->at++;
			return true;
		}
		if (*r->at == '\\' && r->at + 1 < r->end)
			r->at++;
	}
	return false;
}

/* Any value; of arrays and objects only strings and brackets are looked at. */
static bool skip_value(struct rest *r)
{
	size_t depth = 0;
	struct rest string;

	do {
		skip_space(r);
		if (r->at >= r->end)
			return false;
		if (*r->at == '"') {
			if (!take_string(r, &string))
				return false;
			continue;
		}
		if (*r->at == '{' || *r->at == '[')
			depth++;
		else if (*r->at == '}' || *r->at == ']')
			depth -= depth > 0;
		else if (!depth) {
			while (r->at < r->end && !strchr(",]} \t\r\n", *r->at))
				r->at++;
			return true;
		}
		r->at++;
	} while (depth);
	return true;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of \uXXXX at `at`; -1: it is none. */
static int32_t escape_at(const char *at, size_t len)
{
	int32_t c = 0;

	if (len < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_of(at[i]);

		if (digit < 0)
			return -1;
		c = c << 4 | digit;
	}
	return c;
}

static size_t encode(int32_t c, char utf8[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		utf8[i] = (char)(0x80 | (c & 0x3f));
	utf8[0] = (char)(leads[n] | c);
	return n;
}

static size_t utf8_char(const char *at, size_t len, char utf8[4], size_t *utf8_len)
{
	uint8_t lead = (uint8_t)*at;
	size_t n = lead < 0x80	 ? 1
		   : lead < 0xc0 ? 0
		   : lead < 0xe0 ? 2
		   : lead < 0xf0 ? 3
		   : lead < 0xf8 ? 4
				 : 0;

	if (n > len)
		return 0;
	memcpy(utf8, at, n);
	*utf8_len = n;
	return n;
}

size_t dedup_json_char(const char *at, size_t len, char utf8[4], size_t *utf8_len)
{
	static const char escapes[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int32_t c, low;

	if (*at != '\\')
		return utf8_char(at, len, utf8, utf8_len);
	if (len < 2)
		return 0;
	if (at[1] != 'u') {
		found = at[1] ? strchr(escapes, at[1]) : NULL;
		if (!found)
			return 0;
		*utf8 = means[found - escapes];
		*utf8_len = 1;
		return 2;
	}
	c = escape_at(at, len);
	if (c < 0)
		return 0;
	if (c < 0xd800 || c > 0xdbff) {
		*utf8_len = encode(c, utf8);
		return 6;
	}
	low = escape_at(at + 6, len - 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*utf8_len = encode(0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00), utf8);
	return 12;
}

static bool equals(struct rest key, const char *name, size_t len)
{
	char utf8[4];
	size_t taken, n;

	while (key.at < key.end) {
		taken = dedup_json_char(key.at, (size_t)(key.end - key.at), utf8, &n);
		if (!taken || n > len || memcmp(utf8, name, n) != 0)
			return false;
		key.at += taken;
		name += n;
		len -= n;
	}
	return !len;
}

/* The value of the first such key of the object. */
static bool find_key(struct rest object, const char *name, size_t len, struct rest *value)
{
	struct rest key;

	if (!take(&object, '{'))
		return false;
	while (take_string(&object, &key) && take(&object, ':')) {
		if (equals(key, name, len)) {
			*value = object;
			return true;
		}
		if (!skip_value(&object) || !take(&object, ','))
			return false;
	}
	return false;
}

bool dedup_json_span(const char *record, size_t len, const char *field, size_t *from, size_t *to)
{
	struct rest at = {record, record + len}, value, string;
	const char *dot;

	while (!find_key(at, field, strlen(field), &value)) {
		dot = strchr(field, '.');
		if (!dot || !find_key(at, field, (size_t)(dot - field), &at))
			return false;
		field = dot + 1;
	}
	if (!take_string(&value, &string))
		return false;
	*from = (size_t)(string.at - record);
	*to = (size_t)(string.end - record);
	return true;
}
