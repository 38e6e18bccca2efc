#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/formats/private.h"
#include "store/util/bytes.h"

#define ARENA_BLOCK (32u << 10)
#define NAMES_MAX (128u << 20)

struct layout_arena {
	struct layout_arena *next;
	size_t total; /* of this and the blocks after it */
	size_t used, size;
	char bytes[];
};

int view_read(const struct view *view, uint64_t off, void *dst, uint64_t len)
{
	if (off > view->size || len > view->size - off)
		return ODD;
	return len ? view->read(view->ctx, off, dst, (size_t)len) : 0;
}

int view_load(const struct view *view, uint64_t off, uint64_t len, uint8_t **bytes)
{
	int rc;

	*bytes = NULL;
	if (off > view->size || len > view->size - off || len > FORMAT_HEADER_MAX)
		return ODD;
	*bytes = malloc((size_t)len + 1);
	if (!*bytes)
		return -ENOMEM;
	rc = view_read(view, off, *bytes, len);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
	}
	return rc;
}

int grow(void *array, size_t count, size_t *capacity, size_t max, size_t size)
{
	void **items = array;
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *larger;

	if (count < *capacity)
		return 0;
	if (count >= max)
		return ODD;
	if (wanted > max)
		wanted = max;
	larger = realloc(*items, wanted * size);
	if (!larger)
		return -ENOMEM;
	*items = larger;
	*capacity = wanted;
	return 0;
}

/* Bytes of the well-formed UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_length(const uint8_t *s, size_t len)
{
	static const struct {
		uint8_t mask, lead, low, high; /* of the second byte */
	} forms[] = {
		{0xff, 0xe0, 0xa0, 0xbf},
		{0xff, 0xed, 0x80, 0x9f},
		{0xf0, 0xe0, 0x80, 0xbf},
		{0xff, 0xf0, 0x90, 0xbf},
		{0xff, 0xf4, 0x80, 0x8f},
		{0xfc, 0xf0, 0x80, 0xbf},
	};
	size_t need;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return len >= 2 && (s[1] & 0xc0) == 0x80 ? 2 : 0;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if ((s[0] & forms[i].mask) != forms[i].lead)
			continue;
		need = s[0] < 0xf0 ? 3 : 4;
		if (len < need || s[1] < forms[i].low || s[1] > forms[i].high)
			return 0;
		for (size_t j = 2; j < need; j++)
			if ((s[j] & 0xc0) != 0x80)
				return 0;
		return need;
	}
	return 0;
}

/* Copies what is well-formed, '?' for each other byte. */
static size_t clean_name(char *dst, const char *name, size_t len)
{
	size_t at = 0, out = 0;

	while (at < len) {
		size_t n = utf8_length((const uint8_t *)name + at, len - at);
		if (out + (n ? n : 1) > FORMAT_NAME_MAX)
			break;
		if (n)
			memcpy(dst + out, name + at, n);
		else
			dst[out] = '?';
		out += n ? n : 1;
		at += n ? n : 1;
	}
	return out;
}

static int arena_reserve(struct layout_arena **arena, size_t len)
{
	struct layout_arena *old = *arena, *block;

	if (old && old->size - old->used >= len)
		return 0;
	if (old && old->total > NAMES_MAX)
		return ODD;
	block = malloc(sizeof *block + ARENA_BLOCK);
	if (!block)
		return -ENOMEM;
	*block = (struct layout_arena){
		.next = old, .size = ARENA_BLOCK, .total = ARENA_BLOCK + (old ? old->total : 0)};
	*arena = block;
	return 0;
}

int layout_add(struct layout *layout, struct tensor tensor, const char *name, size_t name_len)
{
	struct layout_arena *arena;
	int rc;

	if (!tensor.len)
		return 0;
	rc = grow(&layout->tensors, layout->count, &layout->capacity, FORMAT_TENSORS_MAX,
		sizeof *layout->tensors);
	if (rc)
		return rc;
	if (name_len > FORMAT_NAME_MAX)
		name_len = FORMAT_NAME_MAX;
	rc = arena_reserve(&layout->names, name_len + 1);
	if (rc)
		return rc;
	arena = layout->names;
	tensor.name = arena->bytes + arena->used;
	arena->used += clean_name(arena->bytes + arena->used, name, name_len);
	arena->bytes[arena->used++] = '\0';
	layout->tensors[layout->count++] = tensor;
	return 0;
}

bool multiply(uint64_t *a, uint64_t b)
{
	return !__builtin_mul_overflow(*a, b, a);
}

bool tensor_add_dim(struct tensor *tensor, uint64_t dim)
{
	if (tensor->ndims < FORMAT_DIMS_MAX) {
		tensor->dims[tensor->ndims++] = dim;
		return true;
	}
	return multiply(&tensor->dims[FORMAT_DIMS_MAX - 1], dim);
}

bool tensor_bytes(const struct tensor *tensor, uint64_t *len)
{
	uint64_t bits = tensor->dtype == DTYPE_F4					   ? 4
			: tensor->dtype == DTYPE_F6_E2M3 || tensor->dtype == DTYPE_F6_E3M2 ? 6
											   : 8;
	uint64_t n = bits == 8 ? dtype_width(tensor->dtype) : bits;

	for (uint32_t i = 0; i < tensor->ndims; i++)
		if (!multiply(&n, tensor->dims[i]))
			return false;
	*len = bits == 8 ? n : n / 8;
	return bits == 8 || n % 8 == 0;
}

static int compare_tensors(const void *a, const void *b)
{
	const struct tensor *x = a, *y = b;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* Puts the tensors in order. ODD if they overlap or leave the file. */
static int layout_finish(struct layout *layout, uint64_t size)
{
	uint64_t end = 0;

	if (layout->count)
		qsort(layout->tensors, layout->count, sizeof *layout->tensors, compare_tensors);
	for (size_t i = 0; i < layout->count; i++) {
		const struct tensor *t = &layout->tensors[i];
		if (t->off < end || t->off > size || t->len > size - t->off)
			return ODD;
		end = t->off + t->len;
	}
	return 0;
}

static bool is_torch_legacy(const uint8_t *head, size_t len)
{
	static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
	size_t op = len > 11 && head[0] == 0x80 && head[2] == 0x95 ? 11 : 2; /* a frame, from protocol 4 on */

	return len >= op + 2 + sizeof magic && head[0] == 0x80 && head[op] == 0x8a && head[op + 1] == 10 &&
	       !memcmp(head + op + 2, magic, sizeof magic);
}

static int label(const struct view *view, struct layout *layout)
{
	uint8_t head[32] = {0};
	size_t len = view->size < sizeof head ? (size_t)view->size : sizeof head;
	int rc = view_read(view, 0, head, len);

	if (rc)
		return rc;
	if (len >= 10 && !memcmp(head, "\x93NUMPY", 6)) {
		layout->format = FORMAT_NPY;
		return npy_label(view, layout);
	}
	if (len >= 24 && !memcmp(head, "GGUF", 4)) {
		layout->format = FORMAT_GGUF;
		return gguf_label(view, layout);
	}
	if (is_torch_legacy(head, len)) {
		layout->format = FORMAT_TORCH_LEGACY;
		return torch_legacy_label(view, layout);
	}
	if (len >= 10 && head[8] == '{' && get_le64(head) <= FORMAT_HEADER_MAX) {
		layout->format = FORMAT_SAFETENSORS;
		return safetensors_label(view, layout);
	}
	return zip_label(view, layout);
}

int formats_label(const struct view *view, struct layout *layout)
{
	int rc;

	*layout = (struct layout){.format = FORMAT_OPAQUE};
	rc = label(view, layout);
	if (!rc)
		rc = layout_finish(layout, view->size);
	if (rc)
		layout_release(layout);
	return rc == ODD ? 0 : rc;
}

void layout_release(struct layout *layout)
{
	struct layout_arena *next;

	for (struct layout_arena *a = layout->names; a; a = next) {
		next = a->next;
		free(a);
	}
	free(layout->tensors);
	*layout = (struct layout){.format = FORMAT_OPAQUE};
}

const char *format_name(enum format format)
{
	static const char *const names[] = {
		[FORMAT_OPAQUE] = "opaque",
		[FORMAT_SAFETENSORS] = "safetensors",
		[FORMAT_TORCH_ZIP] = "torch",
		[FORMAT_TORCH_LEGACY] = "torch-legacy",
		[FORMAT_DCP] = "dcp",
		[FORMAT_NPY] = "npy",
		[FORMAT_NPZ] = "npz",
		[FORMAT_GGUF] = "gguf",
	};
	return (size_t)format < sizeof names / sizeof *names ? names[format] : "opaque";
}

static int buffer_read(void *ctx, uint64_t off, void *dst, size_t len)
{
	const struct view_buffer *buffer = ctx;

	memcpy(dst, buffer->bytes + off, len);
	return 0;
}

struct view view_of_buffer(struct view_buffer *buffer)
{
	return (struct view){.read = buffer_read, .ctx = buffer, .size = buffer->len};
}
