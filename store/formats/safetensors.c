/*
 * The header is read by a small scanner instead of a JSON library: a document tree of a hostile 100 MB header
 * takes gigabytes (some 300 bytes for every "{}"), the scanner takes the header and one tensor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define DEPTH_MAX 32

struct json {
	const uint8_t *at, *end;
};

struct text {
	size_t len;
	char bytes[FORMAT_NAME_MAX];
};

static void skip_space(struct json *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\t' || *j->at == '\r'))
		j->at++;
}

static bool take(struct json *j, char c)
{
	skip_space(j);
	if (j->at == j->end || *j->at != (uint8_t)c)
		return false;
	j->at++;
	return true;
}

static void text_put(struct text *text, uint32_t c)
{
	uint8_t utf8[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (!text || text->len + n > sizeof text->bytes)
		return;
	if (n == 1) {
		utf8[0] = (uint8_t)c;
	} else {
		utf8[0] = (uint8_t)((0xf00u >> n) & 0xff) | (uint8_t)(c >> 6 * (n - 1));
		for (size_t i = 1; i < n; i++)
			utf8[i] = 0x80 | ((c >> 6 * (n - 1 - i)) & 0x3f);
	}
	memcpy(text->bytes + text->len, utf8, n);
	text->len += n;
}

static void text_put_raw(struct text *text, uint8_t byte)
{
	if (text && text->len < sizeof text->bytes)
		text->bytes[text->len++] = (char)byte;
}

static bool take_hex(struct json *j, uint32_t *value)
{
	*value = 0;
	if (j->end - j->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		uint8_t c = *j->at++;
		uint8_t low = c | 0x20;
		if (c >= '0' && c <= '9')
			*value = *value << 4 | (c - '0');
		else if (low >= 'a' && low <= 'f')
			*value = *value << 4 | (low - 'a' + 10u);
		else
			return false;
	}
	return true;
}

static bool take_unicode(struct json *j, struct text *text)
{
	uint32_t c, low;

	if (!take_hex(j, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u') {
		j->at += 2;
		if (!take_hex(j, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	text_put(text, c);
	return true;
}

/* The first FORMAT_NAME_MAX bytes of it; text may be NULL. */
static bool take_string(struct json *j, struct text *text)
{
	static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (text)
		text->len = 0;
	if (!take(j, '"'))
		return false;
	while (j->at < j->end && *j->at != '"') {
		uint8_t c = *j->at++;
		if (c != '\\') {
			text_put_raw(text, c);
			continue;
		}
		if (j->at == j->end)
			return false;
		c = *j->at++;
		if (c == 'u') {
			if (!take_unicode(j, text))
				return false;
			continue;
		}
		found = c ? strchr(escapes, c) : NULL;
		if (!found)
			return false;
		text_put(text, (uint8_t)meant[found - escapes]);
	}
	return take(j, '"');
}

static bool text_is(const struct text *text, const char *word)
{
	return text->len == strlen(word) && !memcmp(text->bytes, word, text->len);
}

static bool take_number(struct json *j, uint64_t *value)
{
	skip_space(j);
	*value = 0;
	if (j->at == j->end || *j->at < '0' || *j->at > '9')
		return false;
	for (; j->at < j->end && *j->at >= '0' && *j->at <= '9'; j->at++)
		if (!multiply(value, 10) || __builtin_add_overflow(*value, *j->at - '0', value))
			return false;
	return true;
}

static bool skip_value(struct json *j, int depth)
{
	bool object;

	skip_space(j);
	if (j->at == j->end || depth > DEPTH_MAX)
		return false;
	if (*j->at == '"')
		return take_string(j, NULL);
	if (*j->at != '{' && *j->at != '[') {
		const uint8_t *from = j->at;
		while (j->at < j->end && !memchr(",]} \n\t\r\"{[:", *j->at, 12))
			j->at++;
		return j->at > from;
	}
	object = *j->at++ == '{';
	if (take(j, object ? '}' : ']'))
		return true;
	do {
		if (object && (!take_string(j, NULL) || !take(j, ':')))
			return false;
		if (!skip_value(j, depth + 1))
			return false;
	} while (take(j, ','));
	return take(j, object ? '}' : ']');
}

static enum dtype dtype_of(const struct text *text)
{
	static const struct {
		const char *name;
		enum dtype dtype;
	} known[] = {
		{"BF16", DTYPE_BF16},
		{"F32", DTYPE_F32},
		{"F16", DTYPE_F16},
		{"F64", DTYPE_F64},
		{"I64", DTYPE_I64},
		{"I32", DTYPE_I32},
		{"I16", DTYPE_I16},
		{"I8", DTYPE_I8},
		{"U8", DTYPE_U8},
		{"U16", DTYPE_U16},
		{"U32", DTYPE_U32},
		{"U64", DTYPE_U64},
		{"BOOL", DTYPE_BOOL},
		{"F8_E4M3", DTYPE_F8_E4M3},
		{"F8_E5M2", DTYPE_F8_E5M2},
		{"F8_E4M3FNUZ", DTYPE_F8_E4M3FNUZ},
		{"F8_E5M2FNUZ", DTYPE_F8_E5M2FNUZ},
		{"F8_E8M0", DTYPE_F8_E8M0},
		{"F4", DTYPE_F4},
		{"F6_E2M3", DTYPE_F6_E2M3},
		{"F6_E3M2", DTYPE_F6_E3M2},
		{"C64", DTYPE_C64},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (text_is(text, known[i].name))
			return known[i].dtype;
	return DTYPE_OPAQUE;
}

static bool take_shape(struct json *j, struct tensor *tensor)
{
	uint64_t dim;

	if (!take(j, '['))
		return false;
	if (take(j, ']'))
		return true;
	do {
		if (!take_number(j, &dim) || !tensor_add_dim(tensor, dim))
			return false;
	} while (take(j, ','));
	return take(j, ']');
}

/* {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}. Offsets are still those of the data buffer. */
static bool take_tensor(struct json *j, struct tensor *tensor)
{
	enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
	struct text word;
	uint64_t end, bytes;
	unsigned seen = 0;

	*tensor = (struct tensor){.dtype = DTYPE_OPAQUE};
	if (!take(j, '{'))
		return false;
	do {
		unsigned field;
		bool fine;
		if (!take_string(j, &word) || !take(j, ':'))
			return false;
		if (text_is(&word, "dtype")) {
			field = DTYPE;
			fine = take_string(j, &word);
			tensor->dtype = dtype_of(&word);
		} else if (text_is(&word, "shape")) {
			field = SHAPE;
			fine = !(seen & SHAPE) && take_shape(j, tensor);
		} else if (text_is(&word, "data_offsets")) {
			field = OFFSETS;
			fine = take(j, '[') && take_number(j, &tensor->off) && take(j, ',') &&
			       take_number(j, &end) && take(j, ']') && end >= tensor->off;
		} else {
			field = 0;
			fine = skip_value(j, 0);
		}
		if (!fine)
			return false;
		seen |= field;
	} while (take(j, ','));
	if (!take(j, '}') || seen != (DTYPE | SHAPE | OFFSETS))
		return false;
	tensor->len = end - tensor->off;
	return tensor->dtype == DTYPE_OPAQUE || (tensor_bytes(tensor, &bytes) && bytes == tensor->len);
}

static int take_tensors(struct json *j, struct layout *layout, uint64_t data, uint64_t size)
{
	struct tensor tensor;
	struct text name;
	uint64_t sum = 0;
	int rc;

	if (!take(j, '{'))
		return ODD;
	if (take(j, '}'))
		return size == data ? 0 : ODD;
	do {
		if (!take_string(j, &name) || !take(j, ':'))
			return ODD;
		if (text_is(&name, "__metadata__")) {
			if (!skip_value(j, 0))
				return ODD;
			continue;
		}
		if (!take_tensor(j, &tensor) || tensor.off > size - data ||
			tensor.len > size - data - tensor.off)
			return ODD;
		tensor.off += data;
		sum += tensor.len;
		rc = layout_add(layout, tensor, name.bytes, name.len);
		if (rc)
			return rc;
	} while (take(j, ','));
	/* With no overlaps, which the layout checks, this sum says that there are no holes either. */
	return take(j, '}') && sum == size - data ? 0 : ODD;
}

int safetensors_label(const struct view *view, struct layout *layout)
{
	uint8_t prefix[8], *header;
	struct json j;
	uint64_t len;
	int rc;

	rc = view_read(view, 0, prefix, sizeof prefix);
	if (rc)
		return rc;
	len = get_le64(prefix);
	rc = view_load(view, sizeof prefix, len, &header);
	if (rc)
		return rc;
	j = (struct json){header, header + len};
	rc = take_tensors(&j, layout, sizeof prefix + len, view->size);
	skip_space(&j);
	if (!rc && j.at != j.end)
		rc = ODD;
	free(header);
	return rc;
}
