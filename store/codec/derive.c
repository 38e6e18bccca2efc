#include "store/codec/derive.h"

#include <errno.h>
#include <string.h>

#include "store/util/bytes.h"

#define F32_NAN 0x7f800000u	   /* magnitudes above are NaN */
#define F16_OVERFLOW 0x477ff000u   /* f32 magnitudes from here on round to the infinity of f16 */
#define F16_NORMAL 0x38800000u	   /* from here on to normal numbers */
#define EXPONENT_SHIFT 0x38000000u /* the difference of the biases, in f32's place */

#define MATCHES 1024u /* elements that say which way they were rounded */

static uint16_t bf16_truncated(uint32_t x)
{
	return (uint16_t)(x >> 16);
}

static uint16_t bf16_nearest(uint32_t x)
{
	uint32_t rounded = (x + 0x7fff + (x >> 16 & 1)) >> 16, quiet = x >> 16 | 0x40;

	return (uint16_t)((x & 0x7fffffff) > F32_NAN ? quiet : rounded);
}

/* x / 2^shift, to nearest, ties to even; 1 <= shift < 32. */
static uint32_t shift_nearest(uint32_t x, unsigned shift)
{
	return (x + (1u << (shift - 1)) - 1 + (x >> shift & 1)) >> shift;
}

static uint16_t f16_nearest(uint32_t x)
{
	uint32_t sign = x >> 16 & 0x8000, a = x & 0x7fffffff;

	if (a > F32_NAN)
		return (uint16_t)(sign | 0x7e00 | (a >> 13 & 0x3ff));
	if (a >= F16_OVERFLOW)
		return (uint16_t)(sign | 0x7c00);
	if (a >= F16_NORMAL)
		return (uint16_t)(sign | shift_nearest(a - EXPONENT_SHIFT, 13));
	/* of 2^-24: the last place of a subnormal; what is far below is nothing */
	unsigned exponent = a >> 23, shift = exponent > 101 ? 126 - exponent : 25;
	return (uint16_t)(sign | shift_nearest((a & 0x7fffff) | 0x800000, shift));
}

static uint32_t f32_of_bf16(uint16_t h)
{
	return (uint32_t)h << 16;
}

static uint32_t f32_of_f16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;

	if (exponent == 31)
		return sign | F32_NAN | fraction << 13;
	if (exponent)
		return sign | ((exponent << 23) + EXPONENT_SHIFT) | fraction << 13;
	if (!fraction)
		return sign;
	unsigned lead = (unsigned)__builtin_clz(fraction) - 21; /* places to the leading one's */
	return sign | (113 - lead) << 23 | (fraction << (lead + 13) & 0x7fffff);
}

/* Loops of their own, which the compiler can make vectors of. */
#define NARROW(name)                                                                                         \
	static void name##_all(uint8_t *dst, const uint8_t *src, size_t n)                                   \
	{                                                                                                    \
		for (size_t i = 0; i < n; i++)                                                               \
			put_le16(dst + 2 * i, name(get_le32(src + 4 * i)));                                  \
	}
#define WIDEN(name)                                                                                          \
	static void name##_all(uint8_t *dst, const uint8_t *src, size_t n)                                   \
	{                                                                                                    \
		for (size_t i = 0; i < n; i++)                                                               \
			put_le32(dst + 4 * i, name(get_le16(src + 2 * i)));                                  \
	}
NARROW(bf16_truncated)
NARROW(bf16_nearest)
NARROW(f16_nearest)
WIDEN(f32_of_bf16)
WIDEN(f32_of_f16)

static void convert(enum derive_mode mode, enum dtype dtype, uint8_t *dst, const uint8_t *src, size_t n)
{
	switch (mode) {
	case DERIVE_NEAREST:
		dtype == DTYPE_BF16 ? bf16_nearest_all(dst, src, n) : f16_nearest_all(dst, src, n);
		break;
	case DERIVE_TRUNCATED:
		bf16_truncated_all(dst, src, n);
		break;
	case DERIVE_FROM_BF16:
		f32_of_bf16_all(dst, src, n);
		break;
	case DERIVE_FROM_F16:
		f32_of_f16_all(dst, src, n);
		break;
	}
}

int derive_allowed(enum derive_mode mode, enum dtype dtype)
{
	switch (mode) {
	case DERIVE_NEAREST:
		return dtype == DTYPE_BF16 || dtype == DTYPE_F16;
	case DERIVE_TRUNCATED:
		return dtype == DTYPE_BF16;
	case DERIVE_FROM_BF16:
	case DERIVE_FROM_F16:
		return dtype == DTYPE_F32;
	}
	return 0;
}

int derive_predict(enum derive_mode mode, enum dtype dtype, const struct codec_bases *bases, size_t skip,
	void *dst, size_t n)
{
	size_t from = dtype == DTYPE_F32 ? 2 : 4, to = 6 - from, split = 0;
	uint8_t *out = dst, element[4];

	for (unsigned i = 0; i < bases->count && n; i++) {
		const uint8_t *src = bases->at[i].bytes;
		size_t len = bases->at[i].len, count;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		src += skip;
		len -= skip;
		skip = 0;
		/* the rest of an element that began in the base before */
		while (split && split < from && len) {
			element[split++] = *src++;
			len--;
		}
		if (split == from) {
			convert(mode, dtype, out, element, 1);
			out += to;
			split = 0;
			n--;
		}
		count = len / from < n ? len / from : n;
		convert(mode, dtype, out, src, count);
		out += count * to;
		n -= count;
		if (n && !split) {
			split = len - count * from;
			memcpy(element, src + count * from, split);
		}
	}
	return n ? -EBADMSG : 0;
}

static size_t count_equal(enum derive_mode mode, enum dtype narrow, const uint8_t *elements,
	const struct codec_bases *bases, size_t skip, size_t n)
{
	uint8_t expected[2 * MATCHES];
	size_t equal = 0;

	for (size_t done = 0; done < n;) {
		size_t some = n - done < MATCHES ? n - done : MATCHES;
		if (derive_predict(mode, narrow, bases, skip + 4 * done, expected, some))
			break;
		for (size_t i = 0; i < some; i++)
			equal += !memcmp(expected + 2 * i, elements + 2 * (done + i), 2);
		done += some;
	}
	return equal;
}

enum derive_mode derive_pick(
	const struct codec_input *in, const struct codec_bases *bases, size_t skip, enum dtype from)
{
	size_t n = in->len / 2 < MATCHES ? in->len / 2 : MATCHES;

	if (in->dtype == DTYPE_F32)
		return from == DTYPE_F16 ? DERIVE_FROM_F16 : DERIVE_FROM_BF16;
	if (in->dtype == DTYPE_BF16 &&
		count_equal(DERIVE_TRUNCATED, in->dtype, in->src, bases, skip, n) >
			count_equal(DERIVE_NEAREST, in->dtype, in->src, bases, skip, n))
		return DERIVE_TRUNCATED;
	return DERIVE_NEAREST;
}

size_t codec_derived_matches(enum dtype narrow, const void *elements, const void *f32, size_t n)
{
	const struct codec_bases bases = {.count = 1, .at = {{f32, 4 * n}}};
	const struct codec_input in = {.src = elements, .len = 2 * n, .dtype = narrow};

	if (!derive_allowed(DERIVE_NEAREST, narrow))
		return 0;
	return count_equal(derive_pick(&in, &bases, 0, DTYPE_F32), narrow, elements, &bases, 0, n);
}
