#include "store/codec/rans_avx512.h"

#ifdef __x86_64__

#include <errno.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,popcnt")))
#define ALWAYS static inline __attribute__((always_inline))
#define WIDTH 16u
#define GROUPS (RANS_LANES / WIDTH) /* at most */
#define SLACK 32u		    /* bytes that a load may touch beside the words themselves */

TARGET ALWAYS __m512i widen(const void *p)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

/* Where classes are looked up: in two vectors, if those of the window are all. */
struct lookup {
	__m512i low, high;
	__m128i first;
};

TARGET ALWAYS struct lookup lookup_of(const struct rans_coder *c)
{
	unsigned from = c->window == RANS_NO_WINDOW ? 0 : c->window;

	return (struct lookup){_mm512_loadu_si512(c->classes + from),
		_mm512_loadu_si512(c->classes + from + WIDTH), _mm_set1_epi8((char)from)};
}

enum kind { LONE, WINDOWED, ANY };

TARGET ALWAYS __m512i classes_at(const struct rans_coder *c, const struct lookup *l, const uint8_t *classes,
	unsigned group, enum kind kind)
{
	if (kind == LONE)
		return _mm512_set1_epi32((int)c->classes[0]);
	__m128i class = _mm_loadu_si128((const __m128i *)(classes + WIDTH * group));
	if (kind == ANY)
		return _mm512_i32gather_epi32(_mm512_cvtepu8_epi32(class), c->classes, 4);
	class = _mm_min_epu8(_mm_subs_epu8(class, l->first), _mm_set1_epi8(RANS_WINDOW - 1));
	return _mm512_permutex2var_epi32(l->low, _mm512_cvtepu8_epi32(class), l->high);
}

TARGET ALWAYS __m512i low_ones(__m512i r)
{
	const __m512i one = _mm512_set1_epi32(1);
	return _mm512_sub_epi32(_mm512_sllv_epi32(one, r), one);
}

/* Lanes below RANS_LOW take a word each. */
TARGET ALWAYS __m512i take(__m512i x, const uint8_t **at)
{
	__mmask16 low = _mm512_cmplt_epu32_mask(x, _mm512_set1_epi32(RANS_LOW));
	__m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)*at));

	*at += 2 * (unsigned)__builtin_popcount(low);
	words = _mm512_maskz_expand_epi32(low, words);
	return _mm512_mask_or_epi32(x, low, _mm512_slli_epi32(x, 16), words);
}

/* Lanes of `over` give their lower half. */
TARGET ALWAYS __m512i give(__m512i x, __mmask16 over, uint8_t **at)
{
	unsigned count = (unsigned)__builtin_popcount(over);
	__m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(over, x));

	*at -= 2 * count;
	_mm256_mask_storeu_epi16(*at, (__mmask16)((1u << count) - 1), words);
	return _mm512_mask_srli_epi32(x, over, x, 16);
}

TARGET ALWAYS __m512i give_raw(__m512i x, __m512i raw, __m512i r, uint8_t **at)
{
	__m512i most = _mm512_srlv_epi32(_mm512_set1_epi32(INT32_MAX), r);

	x = give(x, _mm512_cmpgt_epu32_mask(x, most), at);
	return _mm512_or_si512(_mm512_sllv_epi32(x, r), _mm512_and_si512(raw, low_ones(r)));
}

TARGET ALWAYS __m512i multiply_high(__m512i a, __m512i b)
{
	__m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
	__m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
	return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

TARGET ALWAYS __m512i give_symbol(
	const struct rans_coder *c, __m512i x, __m512i table, __m512i symbols, uint8_t **at)
{
	__m512i index = _mm512_slli_epi32(_mm512_add_epi32(_mm512_slli_epi32(table, 8), symbols), 1);
	__m512i reciprocal = _mm512_i32gather_epi32(index, c->forward, 4);
	__m512i rest = _mm512_i32gather_epi32(index, &c->forward[0].rest, 4);
	__m512i freq = _mm512_and_si512(rest, _mm512_set1_epi32(0xfff));
	__m512i shift = _mm512_and_si512(_mm512_srli_epi32(rest, 12), _mm512_set1_epi32(15));

	x = give(x, _mm512_cmpge_epu32_mask(x, _mm512_slli_epi32(freq, 20)), at);
	__m512i q = _mm512_srlv_epi32(multiply_high(x, reciprocal), shift);
	q = _mm512_mullo_epi32(q, _mm512_sub_epi32(_mm512_set1_epi32(RANS_ONE), freq));
	return _mm512_add_epi32(_mm512_add_epi32(x, q), _mm512_srli_epi32(rest, 16));
}

TARGET ALWAYS void encode_rows(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const uint32_t *raw, size_t *n, int steps, unsigned groups, enum kind kind)
{
	const __m512i step = _mm512_set1_epi32(RANS_RAW_STEP), byte = _mm512_set1_epi32(0xff);
	const struct lookup l = lookup_of(c);
	uint8_t *at = c->at;
	__m512i x[GROUPS];
	size_t i = *n;

	for (unsigned g = 0; g < groups; g++)
		x[g] = _mm512_loadu_si512(c->lanes + WIDTH * g);
	for (; i && (size_t)(at - c->limit) >= RANS_ROW_BYTES + SLACK; i -= groups * WIDTH) {
		size_t from = i - groups * WIDTH;
		const uint8_t *row = classes ? classes + from : NULL;
		__m512i class[GROUPS];
		for (unsigned g = 0; g < groups; g++)
			class[g] = classes_at(c, &l, row, g, kind);
		for (unsigned g = groups; steps > 1 && g-- > 0;) {
			__m512i r = _mm512_and_si512(class[g], byte);
			__m512i high = _mm512_loadu_si512(raw + from + WIDTH * g);
			r = _mm512_sub_epi32(_mm512_max_epi32(r, step), step);
			x[g] = give_raw(x[g], _mm512_srli_epi32(high, RANS_RAW_STEP), r, &at);
		}
		for (unsigned g = groups; steps > 0 && g-- > 0;) {
			__m512i r = _mm512_min_epi32(_mm512_and_si512(class[g], byte), step);
			x[g] = give_raw(x[g], _mm512_loadu_si512(raw + from + WIDTH * g), r, &at);
		}
		for (unsigned g = groups; g-- > 0;)
			x[g] = give_symbol(c, x[g], _mm512_srli_epi32(class[g], 8),
				widen(symbols + from + WIDTH * g), &at);
	}
	for (unsigned g = 0; g < groups; g++)
		_mm512_storeu_si512(c->lanes + WIDTH * g, x[g]);
	c->at = at;
	*n = i;
}

TARGET ALWAYS void encode_steps(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const uint32_t *raw, size_t *n, unsigned groups, enum kind kind)
{
	if (c->raw_max > RANS_RAW_STEP)
		encode_rows(c, classes, symbols, raw, n, 2, groups, kind);
	else if (c->raw_max)
		encode_rows(c, classes, symbols, raw, n, 1, groups, kind);
	else
		encode_rows(c, classes, symbols, raw, n, 0, groups, kind);
}

TARGET ALWAYS void encode_kinds(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const uint32_t *raw, size_t *n, unsigned groups)
{
	if (!classes)
		encode_steps(c, classes, symbols, raw, n, groups, LONE);
	else if (c->window != RANS_NO_WINDOW)
		encode_steps(c, classes, symbols, raw, n, groups, WINDOWED);
	else
		encode_steps(c, classes, symbols, raw, n, groups, ANY);
}

TARGET static int encode(
	struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const uint32_t *raw, size_t n)
{
	size_t rest = n % c->lane_count;

	n -= rest;
	if (rest && rans_portable.encode(c, classes ? classes + n : NULL, symbols + n, raw + n, rest))
		return -ENOBUFS;
	if (c->lane_count == RANS_LANES)
		encode_kinds(c, classes, symbols, raw, &n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		encode_kinds(c, classes, symbols, raw, &n, GROUPS / 2);
	return n ? rans_portable.encode(c, classes, symbols, raw, n) : 0;
}

TARGET ALWAYS size_t decode_rows(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, int steps, unsigned groups, enum kind kind)
{
	const __m512i step = _mm512_set1_epi32(RANS_RAW_STEP), byte = _mm512_set1_epi32(0xff);
	const __m512i slots = _mm512_set1_epi32(RANS_ONE - 1), twelve = _mm512_set1_epi32(0xfff);
	const __m512i origin = _mm512_set1_epi32(c->origin);
	const struct lookup l = lookup_of(c);
	const uint8_t *at = c->at;
	__m512i x[GROUPS];
	size_t i = 0;

	for (unsigned g = 0; g < groups; g++)
		x[g] = _mm512_loadu_si512(c->lanes + WIDTH * g);
	for (; i + groups * WIDTH <= n && (size_t)(c->limit - at) >= RANS_ROW_BYTES + SLACK;
		i += groups * WIDTH) {
		const uint8_t *row = classes ? classes + i : NULL;
		__m512i class[GROUPS], value[GROUPS];
		for (unsigned g = 0; g < groups; g++) {
			class[g] = classes_at(c, &l, row, g, kind);
			__m512i index = _mm512_slli_epi32(_mm512_srli_epi32(class[g], 8), RANS_BITS);
			index = _mm512_or_si512(index, _mm512_and_si512(x[g], slots));
			__m512i entry = _mm512_i32gather_epi32(index, c->backward, 4);
			x[g] = _mm512_mullo_epi32(
				_mm512_and_si512(entry, twelve), _mm512_srli_epi32(x[g], RANS_BITS));
			x[g] = _mm512_add_epi32(x[g], _mm512_and_si512(_mm512_srli_epi32(entry, 12), twelve));
			entry = _mm512_srli_epi32(entry, 24);
			value[g] = _mm512_sllv_epi32(
				_mm512_add_epi32(entry, origin), _mm512_and_si512(class[g], byte));
			_mm_storeu_si128((__m128i *)(symbols + i + WIDTH * g), _mm512_cvtepi32_epi8(entry));
		}
		for (unsigned g = 0; g < groups; g++)
			x[g] = take(x[g], &at);
		for (unsigned g = 0; g < groups && steps > 0; g++) {
			__m512i r = _mm512_min_epi32(_mm512_and_si512(class[g], byte), step);
			value[g] = _mm512_add_epi32(value[g], _mm512_and_si512(x[g], low_ones(r)));
			x[g] = take(_mm512_srlv_epi32(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups && steps > 1; g++) {
			__m512i r = _mm512_max_epi32(_mm512_and_si512(class[g], byte), step);
			r = _mm512_sub_epi32(r, step);
			value[g] = _mm512_add_epi32(value[g],
				_mm512_slli_epi32(_mm512_and_si512(x[g], low_ones(r)), RANS_RAW_STEP));
			x[g] = take(_mm512_srlv_epi32(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups; g++)
			_mm512_storeu_si512(values + i + WIDTH * g, value[g]);
	}
	for (unsigned g = 0; g < groups; g++)
		_mm512_storeu_si512(c->lanes + WIDTH * g, x[g]);
	c->at += at - c->at;
	return i;
}

TARGET ALWAYS size_t decode_steps(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, unsigned groups, enum kind kind)
{
	if (c->raw_max > RANS_RAW_STEP)
		return decode_rows(c, classes, values, symbols, n, 2, groups, kind);
	if (c->raw_max)
		return decode_rows(c, classes, values, symbols, n, 1, groups, kind);
	return decode_rows(c, classes, values, symbols, n, 0, groups, kind);
}

TARGET ALWAYS size_t decode_kinds(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, unsigned groups)
{
	if (!classes)
		return decode_steps(c, classes, values, symbols, n, groups, LONE);
	if (c->window != RANS_NO_WINDOW)
		return decode_steps(c, classes, values, symbols, n, groups, WINDOWED);
	return decode_steps(c, classes, values, symbols, n, groups, ANY);
}

TARGET static int decode(
	struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, size_t n)
{
	size_t done = 0;

	if (c->lane_count == RANS_LANES)
		done = decode_kinds(c, classes, values, symbols, n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		done = decode_kinds(c, classes, values, symbols, n, GROUPS / 2);
	if (done == n)
		return 0;
	return rans_portable.decode(
		c, classes ? classes + done : NULL, values + done, symbols + done, n - done);
}

const struct rans_ops *rans_avx512(void)
{
	static const struct rans_ops ops = {encode, decode};

	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
			       __builtin_cpu_supports("popcnt")
		       ? &ops
		       : NULL;
}

#else

const struct rans_ops *rans_avx512(void)
{
	return NULL;
}

#endif
