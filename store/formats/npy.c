#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define MAGIC_LEN 6
#define HEADER_MAX (1u << 20)

/* The value that follows 'key': in the header, or NULL. Header is NUL-terminated. */
static const char *find_value(const char *header, const char *key)
{
	const char *p = strstr(header, key);

	if (!p)
		return NULL;
	p += strlen(key);
	p += strspn(p, " ");
	if (*p != ':')
		return NULL;
	p++;
	return p + strspn(p, " ");
}

/* '<f4' and the like. What has no dtype here (records, objects, text, big-endian) is opaque. */
static enum dtype dtype_of(const char *descr)
{
	static const struct {
		const char *descr;
		enum dtype dtype;
	} known[] = {
		{"'|b1'", DTYPE_BOOL},
		{"'|u1'", DTYPE_U8},
		{"'|i1'", DTYPE_I8},
		{"'<u2'", DTYPE_U16},
		{"'<i2'", DTYPE_I16},
		{"'<u4'", DTYPE_U32},
		{"'<i4'", DTYPE_I32},
		{"'<u8'", DTYPE_U64},
		{"'<i8'", DTYPE_I64},
		{"'<f2'", DTYPE_F16},
		{"'<f4'", DTYPE_F32},
		{"'<f8'", DTYPE_F64},
		{"'<c8'", DTYPE_C64},
		{"'<c16'", DTYPE_C128},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(descr, known[i].descr, strlen(known[i].descr)))
			return known[i].dtype;
	return DTYPE_OPAQUE;
}

static bool take_number(const char **p, uint64_t *value)
{
	*value = 0;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; ++*p)
		if (!multiply(value, 10) || __builtin_add_overflow(*value, (uint64_t)(**p - '0'), value))
			return false;
	return true;
}

/* (), (3,) or (3, 4) */
static bool take_shape(const char *p, struct tensor *tensor)
{
	uint64_t dim;

	if (*p++ != '(')
		return false;
	for (;;) {
		p += strspn(p, " ");
		if (*p == ')')
			return true;
		if (!take_number(&p, &dim) || !tensor_add_dim(tensor, dim))
			return false;
		p += strspn(p, " L");
		if (*p == ',')
			p++;
		else if (*p != ')')
			return false;
	}
}

static bool read_header(const char *header, struct tensor *tensor, uint64_t rest)
{
	const char *descr = find_value(header, "'descr'"), *shape = find_value(header, "'shape'");

	if (!descr || !shape || !take_shape(shape, tensor))
		return false;
	tensor->dtype = dtype_of(descr);
	if (tensor->dtype == DTYPE_OPAQUE) {
		tensor->len = rest;
		return true;
	}
	return tensor_bytes(tensor, &tensor->len) && tensor->len <= rest;
}

int npy_label_range(const struct view *view, uint64_t off, uint64_t len, struct layout *layout,
	const char *name, size_t name_len)
{
	struct tensor tensor = {0};
	uint8_t head[MAGIC_LEN + 6], *header;
	uint64_t header_len, header_off;
	int rc;

	if (len < sizeof head)
		return ODD;
	rc = view_read(view, off, head, sizeof head);
	if (rc)
		return rc;
	if (memcmp(head, "\x93NUMPY", MAGIC_LEN) || head[6] < 1 || head[6] > 3)
		return ODD;
	header_off = head[6] == 1 ? MAGIC_LEN + 4 : MAGIC_LEN + 6;
	header_len = head[6] == 1 ? get_le16(head + 8) : get_le32(head + 8);
	if (header_len > HEADER_MAX || header_len > len - header_off)
		return ODD;
	rc = view_load(view, off + header_off, header_len, &header);
	if (rc)
		return rc;
	header[header_len] = '\0';
	tensor.off = off + header_off + header_len;
	rc = ODD;
	if (read_header((const char *)header, &tensor, len - header_off - header_len))
		rc = layout_add(layout, tensor, name, name_len);
	free(header);
	return rc;
}

int npy_label(const struct view *view, struct layout *layout)
{
	return npy_label_range(view, 0, view->size, layout, "array", 5);
}
