#include "store/codec/rans_avx2.h"

#ifdef __x86_64__

#include <errno.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,popcnt")))
#define ALWAYS static inline __attribute__((always_inline))
#define WIDTH 8u
#define GROUPS (RANS_LANES / WIDTH) /* at most */
#define SLACK 16u		    /* bytes that a load or a store may touch beside the words themselves */

TARGET ALWAYS __m256i load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

TARGET ALWAYS void store(void *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

/* Eight bytes as lanes. */
TARGET ALWAYS __m256i widen(const void *p)
{
	return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

TARGET ALWAYS __m256i gather(const void *table, __m256i index)
{
	return _mm256_i32gather_epi32((const int *)table, index, 4);
}

TARGET ALWAYS __m256i classes_at(const struct rans_coder *c, const uint8_t *classes, unsigned group)
{
	return classes ? gather(c->classes, widen(classes + WIDTH * group))
		       : _mm256_set1_epi32((int)c->classes[0]);
}

TARGET ALWAYS __m256i low_ones(__m256i r)
{
	const __m256i one = _mm256_set1_epi32(1);
	return _mm256_sub_epi32(_mm256_sllv_epi32(one, r), one);
}

/* Lanes below RANS_LOW take a word each. */
TARGET ALWAYS __m256i take(const struct rans_shuffles *shuffles, __m256i x, const uint8_t **at)
{
	__m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32(RANS_LOW), x);
	unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(low));
	__m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)*at));
	__m256i taken = _mm256_permutevar8x32_epi32(words, widen(&shuffles->take[mask]));

	*at += 2 * (unsigned)__builtin_popcount(mask);
	return _mm256_blendv_epi8(x, _mm256_or_si256(_mm256_slli_epi32(x, 16), taken), low);
}

/* Lanes of `over` give their lower half. */
TARGET ALWAYS __m256i give(const struct rans_shuffles *shuffles, __m256i x, __m256i over, uint8_t **at)
{
	unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(over));
	__m256i words = _mm256_and_si256(x, _mm256_set1_epi32(0xffff));
	words = _mm256_permutevar8x32_epi32(words, widen(&shuffles->give[mask]));
	words = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0xd8);

	_mm_storeu_si128((__m128i *)(*at - 16), _mm256_castsi256_si128(words));
	*at -= 2 * (unsigned)__builtin_popcount(mask);
	return _mm256_blendv_epi8(x, _mm256_srli_epi32(x, 16), over);
}

TARGET ALWAYS __m256i give_raw(
	const struct rans_shuffles *shuffles, __m256i x, __m256i raw, __m256i r, uint8_t **at)
{
	const __m256i one = _mm256_set1_epi32(1);
	__m256i most =
		_mm256_sub_epi32(_mm256_sllv_epi32(one, _mm256_sub_epi32(_mm256_set1_epi32(31), r)), one);

	x = give(shuffles, x, _mm256_cmpgt_epi32(x, most), at);
	return _mm256_or_si256(_mm256_sllv_epi32(x, r), _mm256_and_si256(raw, low_ones(r)));
}

TARGET ALWAYS __m256i multiply_high(__m256i a, __m256i b)
{
	__m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
	__m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
	return _mm256_blend_epi32(even, odd, 0xaa);
}

TARGET ALWAYS __m256i give_symbol(
	const struct rans_coder *c, __m256i x, __m256i table, __m256i symbols, uint8_t **at)
{
	__m256i index = _mm256_slli_epi32(_mm256_add_epi32(_mm256_slli_epi32(table, 8), symbols), 1);
	__m256i reciprocal = gather(c->forward, index);
	__m256i rest = gather(&c->forward[0].rest, index);
	__m256i freq = _mm256_and_si256(rest, _mm256_set1_epi32(0xfff));
	__m256i shift = _mm256_and_si256(_mm256_srli_epi32(rest, 12), _mm256_set1_epi32(15));
	__m256i most = _mm256_sub_epi32(_mm256_slli_epi32(freq, 20), _mm256_set1_epi32(1));

	x = give(c->shuffles, x, _mm256_cmpgt_epi32(x, most), at);
	__m256i q = _mm256_srlv_epi32(multiply_high(x, reciprocal), shift);
	q = _mm256_mullo_epi32(q, _mm256_sub_epi32(_mm256_set1_epi32(RANS_ONE), freq));
	return _mm256_add_epi32(_mm256_add_epi32(x, q), _mm256_srli_epi32(rest, 16));
}

TARGET ALWAYS void encode_rows(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const uint32_t *raw, size_t *n, int steps, unsigned groups)
{
	const __m256i step = _mm256_set1_epi32(RANS_RAW_STEP), byte = _mm256_set1_epi32(0xff);
	uint8_t *at = c->at;
	__m256i x[GROUPS];
	size_t i = *n;

	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i && (size_t)(at - c->limit) >= RANS_ROW_BYTES + SLACK; i -= groups * WIDTH) {
		size_t from = i - groups * WIDTH;
		const uint8_t *row = classes ? classes + from : NULL;
		__m256i class[GROUPS];
		for (unsigned g = 0; g < groups; g++)
			class[g] = classes_at(c, row, g);
		for (unsigned g = groups; steps > 1 && g-- > 0;) {
			__m256i r = _mm256_and_si256(class[g], byte);
			r = _mm256_sub_epi32(_mm256_max_epi32(r, step), step);
			x[g] = give_raw(c->shuffles, x[g],
				_mm256_srli_epi32(load(raw + from + WIDTH * g), RANS_RAW_STEP), r, &at);
		}
		for (unsigned g = groups; steps > 0 && g-- > 0;) {
			__m256i r = _mm256_min_epi32(_mm256_and_si256(class[g], byte), step);
			x[g] = give_raw(c->shuffles, x[g], load(raw + from + WIDTH * g), r, &at);
		}
		for (unsigned g = groups; g-- > 0;)
			x[g] = give_symbol(c, x[g], _mm256_srli_epi32(class[g], 8),
				widen(symbols + from + WIDTH * g), &at);
	}
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at = at;
	*n = i;
}

TARGET ALWAYS void encode_steps(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols,
	const uint32_t *raw, size_t *n, unsigned groups)
{
	if (c->raw_max > RANS_RAW_STEP)
		encode_rows(c, classes, symbols, raw, n, 2, groups);
	else if (c->raw_max)
		encode_rows(c, classes, symbols, raw, n, 1, groups);
	else
		encode_rows(c, classes, symbols, raw, n, 0, groups);
}

TARGET static int encode(
	struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const uint32_t *raw, size_t n)
{
	size_t rest = n % c->lane_count;

	n -= rest;
	if (rest && rans_portable.encode(c, classes ? classes + n : NULL, symbols + n, raw + n, rest))
		return -ENOBUFS;
	if (c->lane_count == RANS_LANES)
		encode_steps(c, classes, symbols, raw, &n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		encode_steps(c, classes, symbols, raw, &n, GROUPS / 2);
	return n ? rans_portable.encode(c, classes, symbols, raw, n) : 0;
}

TARGET ALWAYS size_t decode_rows(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, int steps, unsigned groups)
{
	const __m256i step = _mm256_set1_epi32(RANS_RAW_STEP), byte = _mm256_set1_epi32(0xff);
	const __m256i slots = _mm256_set1_epi32(RANS_ONE - 1), twelve = _mm256_set1_epi32(0xfff);
	const __m256i origin = _mm256_set1_epi32(c->origin);
	const __m256i tops = _mm256_setr_epi8(3, 7, 11, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 3,
		7, 11, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
	const __m256i pairs = _mm256_setr_epi32(0, 4, 1, 1, 1, 1, 1, 1);
	const uint8_t *at = c->at;
	__m256i x[GROUPS];
	size_t i = 0;

	for (unsigned g = 0; g < groups; g++)
		x[g] = load(c->lanes + WIDTH * g);
	for (; i + groups * WIDTH <= n && (size_t)(c->limit - at) >= RANS_ROW_BYTES + SLACK;
		i += groups * WIDTH) {
		const uint8_t *row = classes ? classes + i : NULL;
		__m256i class[GROUPS], value[GROUPS];
		for (unsigned g = 0; g < groups; g++) {
			class[g] = classes_at(c, row, g);
			__m256i index = _mm256_slli_epi32(_mm256_srli_epi32(class[g], 8), RANS_BITS);
			__m256i entry =
				gather(c->backward, _mm256_or_si256(index, _mm256_and_si256(x[g], slots)));
			x[g] = _mm256_add_epi32(_mm256_mullo_epi32(_mm256_and_si256(entry, twelve),
							_mm256_srli_epi32(x[g], RANS_BITS)),
				_mm256_and_si256(_mm256_srli_epi32(entry, 12), twelve));
			value[g] = _mm256_add_epi32(_mm256_srli_epi32(entry, 24), origin);
			value[g] = _mm256_sllv_epi32(value[g], _mm256_and_si256(class[g], byte));
			entry = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(entry, tops), pairs);
			_mm_storel_epi64((__m128i *)(symbols + i + WIDTH * g), _mm256_castsi256_si128(entry));
		}
		for (unsigned g = 0; g < groups; g++)
			x[g] = take(c->shuffles, x[g], &at);
		for (unsigned g = 0; g < groups && steps > 0; g++) {
			__m256i r = _mm256_min_epi32(_mm256_and_si256(class[g], byte), step);
			value[g] = _mm256_add_epi32(value[g], _mm256_and_si256(x[g], low_ones(r)));
			x[g] = take(c->shuffles, _mm256_srlv_epi32(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups && steps > 1; g++) {
			__m256i r = _mm256_max_epi32(_mm256_and_si256(class[g], byte), step);
			r = _mm256_sub_epi32(r, step);
			value[g] = _mm256_add_epi32(value[g],
				_mm256_slli_epi32(_mm256_and_si256(x[g], low_ones(r)), RANS_RAW_STEP));
			x[g] = take(c->shuffles, _mm256_srlv_epi32(x[g], r), &at);
		}
		for (unsigned g = 0; g < groups; g++)
			store(values + i + WIDTH * g, value[g]);
	}
	for (unsigned g = 0; g < groups; g++)
		store(c->lanes + WIDTH * g, x[g]);
	c->at += at - c->at;
	return i;
}

TARGET ALWAYS size_t decode_steps(struct rans_coder *c, const uint8_t *classes, uint32_t *values,
	uint8_t *symbols, size_t n, unsigned groups)
{
	if (c->raw_max > RANS_RAW_STEP)
		return decode_rows(c, classes, values, symbols, n, 2, groups);
	if (c->raw_max)
		return decode_rows(c, classes, values, symbols, n, 1, groups);
	return decode_rows(c, classes, values, symbols, n, 0, groups);
}

TARGET static int decode(
	struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, size_t n)
{
	size_t done = 0;

	if (c->lane_count == RANS_LANES)
		done = decode_steps(c, classes, values, symbols, n, GROUPS);
	else if (c->lane_count == RANS_LANES / 2)
		done = decode_steps(c, classes, values, symbols, n, GROUPS / 2);
	if (done == n)
		return 0;
	return rans_portable.decode(
		c, classes ? classes + done : NULL, values + done, symbols + done, n - done);
}

const struct rans_ops *rans_avx2(void)
{
	static const struct rans_ops ops = {encode, decode};

	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") ? &ops : NULL;
}

#else

const struct rans_ops *rans_avx2(void)
{
	return NULL;
}

#endif
