#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define WINDOW (16u << 10)
#define NESTING_MAX 4
#define GGUF_DIMS_MAX 8

enum kv_type { KV_STRING = 8, KV_ARRAY = 9 };

/* A forward reader of the header that reads the file by windows. */
struct cursor {
	const struct view *view;
	uint64_t at, limit;
	uint64_t window; /* where buffer begins */
	size_t got;
	uint8_t buffer[WINDOW];
};

static int take(struct cursor *c, void *dst, size_t len)
{
	if (len > c->limit - c->at)
		return ODD;
	if (c->at < c->window || c->at + len > c->window + c->got) {
		uint64_t left = c->limit - c->at;
		c->window = c->at;
		c->got = left < WINDOW ? (size_t)left : WINDOW;
		int rc = view_read(c->view, c->at, c->buffer, c->got);
		if (rc) {
			c->got = 0;
			return rc;
		}
	}
	memcpy(dst, c->buffer + (c->at - c->window), len);
	c->at += len;
	return 0;
}

static int take_u32(struct cursor *c, uint32_t *v)
{
	uint8_t raw[4];
	int rc = take(c, raw, sizeof raw);

	*v = rc ? 0 : get_le32(raw);
	return rc;
}

static int take_u64(struct cursor *c, uint64_t *v)
{
	uint8_t raw[8];
	int rc = take(c, raw, sizeof raw);

	*v = rc ? 0 : get_le64(raw);
	return rc;
}

static int skip(struct cursor *c, uint64_t len)
{
	if (len > c->limit - c->at)
		return ODD;
	c->at += len;
	return 0;
}

/* The first `capacity` bytes of a string. */
static int take_string(struct cursor *c, char *dst, size_t capacity, size_t *len)
{
	uint64_t n;
	int rc = take_u64(c, &n);

	if (rc)
		return rc;
	*len = n < capacity ? (size_t)n : capacity;
	rc = take(c, dst, *len);
	return rc ? rc : skip(c, n - *len);
}

/* u8 i8 u16 i16 u32 i32 f32 bool string array u64 i64 f64 */
static uint64_t scalar_width(uint32_t type)
{
	static const uint8_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
	return type < sizeof widths ? widths[type] : 0;
}

static int skip_value(struct cursor *c, uint32_t type, int depth);

static int skip_array(struct cursor *c, int depth)
{
	uint64_t count;
	uint32_t type;
	int rc = take_u32(c, &type);

	if (!rc)
		rc = take_u64(c, &count);
	if (rc)
		return rc;
	if (scalar_width(type))
		return multiply(&count, scalar_width(type)) ? skip(c, count) : ODD;
	while (count-- && !rc)
		rc = skip_value(c, type, depth + 1);
	return rc;
}

static int skip_value(struct cursor *c, uint32_t type, int depth)
{
	uint64_t len;
	int rc;

	if (scalar_width(type))
		return skip(c, scalar_width(type));
	if (type == KV_STRING) {
		rc = take_u64(c, &len);
		return rc ? rc : skip(c, len);
	}
	return type == KV_ARRAY && depth < NESTING_MAX ? skip_array(c, depth) : ODD;
}

static int skip_keys(struct cursor *c, uint64_t count, uint64_t *alignment)
{
	static const char wanted[] = "general.alignment";
	char key[sizeof wanted - 1];
	uint32_t type, value;
	uint64_t len;
	int rc = 0;

	*alignment = 32;
	while (count-- && !rc) {
		rc = take_u64(c, &len);
		bool match = !rc && len == sizeof key;
		if (!rc)
			rc = match ? take(c, key, sizeof key) : skip(c, len);
		if (!rc)
			rc = take_u32(c, &type);
		if (rc)
			return rc;
		if (!match || type != 4 || memcmp(key, wanted, sizeof key)) {
			rc = skip_value(c, type, 0);
			continue;
		}
		rc = take_u32(c, &value);
		*alignment = value;
	}
	return rc;
}

/* Elements and bytes of a block of each type. */
static const struct {
	uint16_t elements, bytes;
	enum dtype dtype;
} types[] = {
	[0] = {1, 4, DTYPE_F32},
	[1] = {1, 2, DTYPE_F16},
	[2] = {32, 18, DTYPE_QUANT},	/* Q4_0 */
	[3] = {32, 20, DTYPE_QUANT},	/* Q4_1 */
	[6] = {32, 22, DTYPE_QUANT},	/* Q5_0 */
	[7] = {32, 24, DTYPE_QUANT},	/* Q5_1 */
	[8] = {32, 34, DTYPE_QUANT},	/* Q8_0 */
	[10] = {256, 84, DTYPE_QUANT},	/* Q2_K */
	[11] = {256, 110, DTYPE_QUANT}, /* Q3_K */
	[12] = {256, 144, DTYPE_QUANT}, /* Q4_K */
	[13] = {256, 176, DTYPE_QUANT}, /* Q5_K */
	[14] = {256, 210, DTYPE_QUANT}, /* Q6_K */
	[16] = {256, 66, DTYPE_QUANT},	/* IQ2_XXS */
	[17] = {256, 74, DTYPE_QUANT},	/* IQ2_XS */
	[18] = {256, 98, DTYPE_QUANT},	/* IQ3_XXS */
	[19] = {256, 50, DTYPE_QUANT},	/* IQ1_S */
	[20] = {32, 18, DTYPE_QUANT},	/* IQ4_NL */
	[21] = {256, 110, DTYPE_QUANT}, /* IQ3_S */
	[22] = {256, 82, DTYPE_QUANT},	/* IQ2_S */
	[23] = {256, 136, DTYPE_QUANT}, /* IQ4_XS */
	[24] = {1, 1, DTYPE_I8},
	[25] = {1, 2, DTYPE_I16},
	[26] = {1, 4, DTYPE_I32},
	[27] = {1, 8, DTYPE_I64},
	[28] = {1, 8, DTYPE_F64},
	[29] = {256, 56, DTYPE_QUANT}, /* IQ1_M */
	[30] = {1, 2, DTYPE_BF16},
	[34] = {256, 54, DTYPE_QUANT}, /* TQ1_0 */
	[35] = {256, 66, DTYPE_QUANT}, /* TQ2_0 */
	[39] = {32, 17, DTYPE_QUANT},  /* MXFP4 */
	[40] = {64, 36, DTYPE_QUANT},  /* NVFP4 */
	[41] = {128, 18, DTYPE_QUANT}, /* Q1_0 */
};

/* Sizes of a tensor of that type; false if they do not fill blocks or overflow. A type of the future has no
 * length. */
static bool set_type(struct tensor *tensor, uint32_t type)
{
	uint64_t n = 1;

	for (uint32_t i = 0; i < tensor->ndims; i++)
		if (!multiply(&n, tensor->dims[i]))
			return false;
	tensor->len = 0;
	if (type >= sizeof types / sizeof *types || !types[type].elements)
		return true;
	if (n % types[type].elements)
		return false;
	n /= types[type].elements;
	tensor->dtype = types[type].dtype;
	tensor->len = types[type].bytes;
	return multiply(&tensor->len, n);
}

static int take_info(struct cursor *c, struct layout *layout)
{
	struct tensor tensor = {0};
	char name[FORMAT_NAME_MAX];
	uint64_t dims[GGUF_DIMS_MAX];
	uint32_t ndims, type;
	size_t len;
	int rc = take_string(c, name, sizeof name, &len);

	if (!rc)
		rc = take_u32(c, &ndims);
	if (!rc && ndims > GGUF_DIMS_MAX)
		rc = ODD;
	for (uint32_t i = 0; !rc && i < ndims; i++)
		rc = take_u64(c, &dims[i]);
	for (uint32_t i = ndims; !rc && i--;) /* the fastest comes first in the file */
		tensor_add_dim(&tensor, dims[i]);
	if (!rc)
		rc = take_u32(c, &type);
	if (!rc)
		rc = take_u64(c, &tensor.off);
	if (!rc && !set_type(&tensor, type))
		rc = ODD;
	return rc ? rc : layout_add(layout, tensor, name, len);
}

int gguf_label(const struct view *view, struct layout *layout)
{
	struct cursor c = {.view = view};
	uint64_t tensors, keys, alignment, data;
	uint32_t version;
	int rc;

	c.limit = view->size < FORMAT_HEADER_MAX ? view->size : FORMAT_HEADER_MAX;
	rc = skip(&c, 4);
	if (!rc)
		rc = take_u32(&c, &version);
	if (!rc && (version < 2 || version > 3))
		rc = ODD;
	if (!rc)
		rc = take_u64(&c, &tensors);
	if (!rc)
		rc = take_u64(&c, &keys);
	if (!rc)
		rc = skip_keys(&c, keys, &alignment);
	while (!rc && tensors--)
		rc = take_info(&c, layout);
	if (rc)
		return rc;
	if (!alignment || alignment & (alignment - 1))
		return ODD;
	data = (c.at + alignment - 1) & ~(alignment - 1);
	for (size_t i = 0; i < layout->count; i++)
		if (__builtin_add_overflow(layout->tensors[i].off, data, &layout->tensors[i].off))
			return ODD;
	return 0;
}
