#include "store/codec/transform_avx2.h"

#ifdef __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#include "store/codec/elements_all.h"

TARGET static __m256i load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

TARGET static void store(void *p, __m256i v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

/* What is left after the whole vectors. */
static void split_rest(uint8_t *const *planes, const void *src, size_t i, size_t n, unsigned width)
{
	for (; i < n; i++)
		for (unsigned p = 0; p < width; p++)
			planes[p][i] = ((const uint8_t *)src)[i * width + p];
}

static void merge_rest(void *dst, const uint8_t *const *planes, size_t i, size_t n, unsigned width)
{
	for (; i < n; i++)
		for (unsigned p = 0; p < width; p++)
			((uint8_t *)dst)[i * width + p] = planes[p][i];
}

static void split_1(uint8_t *const *planes, const void *src, size_t n)
{
	memcpy(planes[0], src, n);
}

static void merge_1(void *dst, const uint8_t *const *planes, size_t n)
{
	memcpy(dst, planes[0], n);
}

/* 16 elements, rotated by one bit if so. */
TARGET static inline __m256i pairs_at(const uint8_t *s, int rotated)
{
	__m256i x = load(s);

	return rotated ? _mm256_or_si256(_mm256_add_epi16(x, x), _mm256_srli_epi16(x, 15)) : x;
}

/* Whole vectors; returns how many elements. */
TARGET static inline size_t split_pairs(uint8_t *const *planes, const void *src, size_t n, int rotated)
{
	const __m256i low = _mm256_set1_epi16(0xff);
	const uint8_t *s = src;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i a = pairs_at(s + 2 * i, rotated), b = pairs_at(s + 2 * i + 32, rotated);
		__m256i p0 = _mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low));
		__m256i p1 = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
		store(planes[0] + i, _mm256_permute4x64_epi64(p0, 0xd8));
		store(planes[1] + i, _mm256_permute4x64_epi64(p1, 0xd8));
	}
	return i;
}

TARGET static void split_2(uint8_t *const *planes, const void *src, size_t n)
{
	split_rest(planes, src, split_pairs(planes, src, n, 0), n, 2);
}

TARGET static size_t split_rotated_2(uint8_t *const *planes, const void *src, size_t n)
{
	return split_pairs(planes, src, n, 1);
}

TARGET static void merge_2(void *dst, const uint8_t *const *planes, size_t n)
{
	uint8_t *d = dst;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i p0 = _mm256_permute4x64_epi64(load(planes[0] + i), 0xd8);
		__m256i p1 = _mm256_permute4x64_epi64(load(planes[1] + i), 0xd8);
		store(d + 2 * i, _mm256_unpacklo_epi8(p0, p1));
		store(d + 2 * i + 32, _mm256_unpackhi_epi8(p0, p1));
	}
	merge_rest(dst, planes, i, n, 2);
}

TARGET static void split_4(uint8_t *const *planes, const void *src, size_t n)
{
	const __m256i gather = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4, 8,
		12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m256i lanes = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	const uint8_t *s = src;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i a = _mm256_shuffle_epi8(load(s + 4 * i), gather);
		__m256i b = _mm256_shuffle_epi8(load(s + 4 * i + 32), gather);
		__m256i c = _mm256_shuffle_epi8(load(s + 4 * i + 64), gather);
		__m256i d = _mm256_shuffle_epi8(load(s + 4 * i + 96), gather);
		/* by 8 bytes: planes 0, 1, 2, 3 */
		a = _mm256_permutevar8x32_epi32(a, lanes);
		b = _mm256_permutevar8x32_epi32(b, lanes);
		c = _mm256_permutevar8x32_epi32(c, lanes);
		d = _mm256_permutevar8x32_epi32(d, lanes);
		__m256i ab02 = _mm256_unpacklo_epi64(a, b), ab13 = _mm256_unpackhi_epi64(a, b);
		__m256i cd02 = _mm256_unpacklo_epi64(c, d), cd13 = _mm256_unpackhi_epi64(c, d);
		store(planes[0] + i, _mm256_permute2x128_si256(ab02, cd02, 0x20));
		store(planes[1] + i, _mm256_permute2x128_si256(ab13, cd13, 0x20));
		store(planes[2] + i, _mm256_permute2x128_si256(ab02, cd02, 0x31));
		store(planes[3] + i, _mm256_permute2x128_si256(ab13, cd13, 0x31));
	}
	split_rest(planes, src, i, n, 4);
}

TARGET static void merge_4(void *dst, const uint8_t *const *planes, size_t n)
{
	uint8_t *d = dst;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i p0 = load(planes[0] + i), p1 = load(planes[1] + i);
		__m256i p2 = load(planes[2] + i), p3 = load(planes[3] + i);
		__m256i low_a = _mm256_unpacklo_epi8(p0, p1), low_b = _mm256_unpackhi_epi8(p0, p1);
		__m256i high_a = _mm256_unpacklo_epi8(p2, p3), high_b = _mm256_unpackhi_epi8(p2, p3);
		/* elements 0-3 16-19, 4-7 20-23, 8-11 24-27, 12-15 28-31 */
		__m256i a = _mm256_unpacklo_epi16(low_a, high_a), b = _mm256_unpackhi_epi16(low_a, high_a);
		__m256i c = _mm256_unpacklo_epi16(low_b, high_b), e = _mm256_unpackhi_epi16(low_b, high_b);
		store(d + 4 * i, _mm256_permute2x128_si256(a, b, 0x20));
		store(d + 4 * i + 32, _mm256_permute2x128_si256(c, e, 0x20));
		store(d + 4 * i + 64, _mm256_permute2x128_si256(a, b, 0x31));
		store(d + 4 * i + 96, _mm256_permute2x128_si256(c, e, 0x31));
	}
	merge_rest(dst, planes, i, n, 4);
}

/* Width 8 is rare: what the compiler makes of it will do. */
TARGET static void split_8(uint8_t *const *planes, const void *src, size_t n)
{
	for (unsigned p = 0; p < 8; p++) {
		uint8_t *restrict plane = planes[p];
		for (size_t i = 0; i < n; i++)
			plane[i] = (uint8_t)(load_64(src, i) >> 8 * p);
	}
}

TARGET static void merge_8(void *dst, const uint8_t *const *planes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t x = 0;
		for (unsigned p = 0; p < 8; p++)
			x |= (uint64_t)planes[p][i] << 8 * p;
		store_64(dst, i, x);
	}
}

const struct transform_ops *transform_avx2(void)
{
	static const struct transform_ops ops = {
		.forward = FORWARD,
		.inverse = INVERSE,
		.split = {split_1, split_2, split_4, split_8},
		.merge = {merge_1, merge_2, merge_4, merge_8},
		.split_rotated = {[1] = split_rotated_2},
		.count_words = count_words,
	};
	return __builtin_cpu_supports("avx2") ? &ops : NULL;
}

#else

const struct transform_ops *transform_avx2(void)
{
	return NULL;
}

#endif
