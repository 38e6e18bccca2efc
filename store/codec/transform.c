#include "store/codec/transform.h"

#include "store/codec/transform_avx2.h"

#define TARGET
#include "store/codec/elements_all.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "elements are loaded as they lie in memory");

#define PIECE 4096u /* bytes transformed at a time */

static void split_1(uint8_t *const *planes, const void *src, size_t n)
{
	memcpy(planes[0], src, n);
}

static void merge_1(void *dst, const uint8_t *const *planes, size_t n)
{
	memcpy(dst, planes[0], n);
}

static void split_2(uint8_t *const *planes, const void *src, size_t n)
{
	uint8_t *restrict p0 = planes[0], *restrict p1 = planes[1];
	for (size_t i = 0; i < n; i++) {
		uint16_t x = load_16(src, i);
		p0[i] = (uint8_t)x;
		p1[i] = (uint8_t)(x >> 8);
	}
}

static void merge_2(void *dst, const uint8_t *const *planes, size_t n)
{
	const uint8_t *restrict p0 = planes[0], *restrict p1 = planes[1];
	for (size_t i = 0; i < n; i++)
		store_16(dst, i, (uint16_t)(p0[i] | p1[i] << 8));
}

static void split_4(uint8_t *const *planes, const void *src, size_t n)
{
	uint8_t *restrict p0 = planes[0], *restrict p1 = planes[1];
	uint8_t *restrict p2 = planes[2], *restrict p3 = planes[3];
	for (size_t i = 0; i < n; i++) {
		uint32_t x = load_32(src, i);
		p0[i] = (uint8_t)x;
		p1[i] = (uint8_t)(x >> 8);
		p2[i] = (uint8_t)(x >> 16);
		p3[i] = (uint8_t)(x >> 24);
	}
}

static void merge_4(void *dst, const uint8_t *const *planes, size_t n)
{
	const uint8_t *restrict p0 = planes[0], *restrict p1 = planes[1];
	const uint8_t *restrict p2 = planes[2], *restrict p3 = planes[3];
	for (size_t i = 0; i < n; i++)
		store_32(dst, i,
			(uint32_t)p0[i] | (uint32_t)p1[i] << 8 | (uint32_t)p2[i] << 16 |
				(uint32_t)p3[i] << 24);
}

static void split_8(uint8_t *const *planes, const void *src, size_t n)
{
	for (unsigned p = 0; p < 8; p++) {
		uint8_t *restrict plane = planes[p];
		for (size_t i = 0; i < n; i++)
			plane[i] = (uint8_t)(load_64(src, i) >> 8 * p);
	}
}

static void merge_8(void *dst, const uint8_t *const *planes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t x = 0;
		for (unsigned p = 0; p < 8; p++)
			x |= (uint64_t)planes[p][i] << 8 * p;
		store_64(dst, i, x);
	}
}

const struct transform_ops transform_portable = {
	.forward = FORWARD,
	.inverse = INVERSE,
	.split = {split_1, split_2, split_4, split_8},
	.merge = {merge_1, merge_2, merge_4, merge_8},
	.count_words = count_words,
};

const struct transform_ops *transform_best(void)
{
	const struct transform_ops *avx2 = transform_avx2();
	return avx2 ? avx2 : &transform_portable;
}

struct element element_of(enum dtype t)
{
	switch (t) {
	case DTYPE_U16:
	case DTYPE_I16:
		return (struct element){.log_width = 1};
	case DTYPE_U32:
	case DTYPE_I32:
		return (struct element){.log_width = 2};
	case DTYPE_U64:
	case DTYPE_I64:
		return (struct element){.log_width = 3};
	case DTYPE_F16:
		return (struct element){.log_width = 1, .is_float = 1};
	case DTYPE_BF16:
		return (struct element){.log_width = 1, .is_float = 1, .rotate = 1};
	case DTYPE_F32:
	case DTYPE_C64:
		return (struct element){.log_width = 2, .is_float = 1, .rotate = 1};
	case DTYPE_F64:
	case DTYPE_C128:
		return (struct element){.log_width = 3, .is_float = 1};
	case DTYPE_F8_E4M3:
	case DTYPE_F8_E5M2:
	case DTYPE_F8_E4M3FNUZ:
	case DTYPE_F8_E5M2FNUZ:
		return (struct element){.log_width = 0, .is_float = 1};
	default:
		return (struct element){.log_width = 0};
	}
}

void transform_split(const struct transform_ops *ops, unsigned log_width, enum transform transform,
	uint8_t *const *planes, const void *src, const void *base, size_t n)
{
	uint8_t piece[PIECE];
	uint8_t *at[TRANSFORM_WIDTH_MAX];
	size_t step = PIECE >> log_width, done = 0;

	if (transform == TRANSFORM_ROTATE && ops->split_rotated[log_width])
		done = ops->split_rotated[log_width](planes, src, n);
	for (size_t i = done; i < n; i += step) {
		size_t count = n - i < step ? n - i : step, off = i << log_width;
		const uint8_t *from = (const uint8_t *)src + off;
		for (unsigned p = 0; p < 1u << log_width; p++)
			at[p] = planes[p] + i;
		if (transform != TRANSFORM_NONE) {
			ops->forward[log_width][transform](
				piece, from, base ? (const uint8_t *)base + off : NULL, count);
			from = piece;
		}
		ops->split[log_width](at, from, count);
	}
}

void transform_merge(const struct transform_ops *ops, unsigned log_width, enum transform transform, void *dst,
	const uint8_t *const *planes, const void *base, size_t n)
{
	uint8_t piece[PIECE];
	const uint8_t *at[TRANSFORM_WIDTH_MAX];
	size_t step = PIECE >> log_width;

	for (size_t i = 0; i < n; i += step) {
		size_t count = n - i < step ? n - i : step, off = i << log_width;
		uint8_t *to = (uint8_t *)dst + off;
		for (unsigned p = 0; p < 1u << log_width; p++)
			at[p] = planes[p] + i;
		if (transform == TRANSFORM_NONE) {
			ops->merge[log_width](to, at, count);
			continue;
		}
		ops->merge[log_width](piece, at, count);
		ops->inverse[log_width][transform](
			to, piece, base ? (const uint8_t *)base + off : NULL, count);
	}
}
