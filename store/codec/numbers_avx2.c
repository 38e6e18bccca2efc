#include "store/codec/numbers_avx2.h"

#ifdef __x86_64__

#include <immintrin.h>
#include <stdbool.h>

#define TARGET __attribute__((target("avx2,bmi,popcnt")))
#include "store/codec/numbers_all.h"
#include "store/codec/rans.h"

/* A table of bytes in vectors; a copy, so that the compiler sees that nothing is written over it. */
struct table {
	__m256i low, high, first;
	const struct class_bytes *bytes;
	bool windowed;
};

TARGET static inline struct table table_of(const struct class_bytes *bytes)
{
	bool windowed = bytes->window != RANS_NO_WINDOW;
	const __m128i *at = (const __m128i *)(bytes->of + (windowed ? bytes->window : 0));

	return (struct table){_mm256_broadcastsi128_si256(_mm_loadu_si128(at)),
		_mm256_broadcastsi128_si256(_mm_loadu_si128(at + 1)), _mm256_set1_epi8((char)bytes->window),
		bytes, windowed};
}

/* The bytes of 32 classes. */
TARGET static inline __m256i look_up(const struct table *t, const uint8_t *classes)
{
	__m256i index = _mm256_loadu_si256((const __m256i *)classes), high;
	uint8_t bytes[32];

	if (t->windowed) {
		index = _mm256_min_epu8(_mm256_subs_epu8(index, t->first), _mm256_set1_epi8(RANS_WINDOW - 1));
		high = _mm256_cmpgt_epi8(index, _mm256_set1_epi8(15));
		return _mm256_blendv_epi8(
			_mm256_shuffle_epi8(t->low, index), _mm256_shuffle_epi8(t->high, index), high);
	}
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = t->bytes->of[classes[i]];
	return _mm256_loadu_si256((const __m256i *)bytes);
}

TARGET static inline __m256i split_eight(uint32_t *numbers, __m256i s, __m256i origin, __m256i mask)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)numbers);

	v = _mm256_and_si256(_mm256_sub_epi32(v, _mm256_sllv_epi32(origin, s)), mask);
	_mm256_storeu_si256((__m256i *)numbers, v);
	return _mm256_min_epu32(_mm256_srlv_epi32(v, s), _mm256_set1_epi32(RANS_ESCAPE));
}

TARGET static void split(uint32_t *numbers, uint8_t *symbols, const uint8_t *classes,
	const struct class_bytes *shifts, int32_t origin, uint32_t mask, size_t n)
{
	const __m256i o = _mm256_set1_epi32(origin), m = _mm256_set1_epi32((int)mask);
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	const struct table table = table_of(shifts);
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i s = classes ? look_up(&table, classes + i) : _mm256_set1_epi8((char)shifts->of[0]);
		__m128i low = _mm256_castsi256_si128(s), high = _mm256_extracti128_si256(s, 1);
		__m256i a = split_eight(numbers + i, _mm256_cvtepu8_epi32(low), o, m);
		__m256i b = split_eight(numbers + i + 8, _mm256_cvtepu8_epi32(_mm_srli_si128(low, 8)), o, m);
		__m256i c = split_eight(numbers + i + 16, _mm256_cvtepu8_epi32(high), o, m);
		__m256i d =
			split_eight(numbers + i + 24, _mm256_cvtepu8_epi32(_mm_srli_si128(high, 8)), o, m);
		__m256i all = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
		_mm256_storeu_si256((__m256i *)(symbols + i), _mm256_permutevar8x32_epi32(all, order));
	}
	if (i < n)
		numbers_portable.split(
			numbers + i, symbols + i, classes ? classes + i : NULL, shifts, origin, mask, n - i);
}

TARGET static void count(uint32_t *counts, const uint8_t *classes, const uint8_t *symbols,
	const struct class_bytes *rows, size_t n)
{
	numbers_portable.count(counts, classes, symbols, rows, n);
}

TARGET static void outside(uint64_t *flags, const uint8_t *classes, const uint8_t *symbols,
	const struct class_bytes *firsts, const struct class_bytes *spans, size_t n)
{
	const struct table first = table_of(firsts), span = table_of(spans);
	size_t i = 0;

	for (; i + 64 <= n; i += 64) {
		uint64_t word = 0;
		for (unsigned k = 0; k < 64; k += 32) {
			__m256i s = _mm256_loadu_si256((const __m256i *)(symbols + i + k));
			__m256i above = _mm256_sub_epi8(s, look_up(&first, classes + i + k));
			__m256i most = look_up(&span, classes + i + k);
			__m256i inside = _mm256_cmpeq_epi8(_mm256_max_epu8(above, most), most);
			word |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(inside) << k;
		}
		flags[i / 64] = word;
	}
	if (i < n)
		numbers_portable.outside(flags + i / 64, classes + i, symbols + i, firsts, spans, n - i);
}

/* Bit h % 8 of byte l of sets[h / 8]: whether the byte of the upper four bits h and the lower ones l is seen.
 */
struct seen_sets {
	__m256i sets[2];
};

TARGET static inline struct seen_sets sets_of(const uint8_t seen[256])
{
	uint8_t sets[2][16] = {{0}};
	struct seen_sets s;

	for (unsigned b = 0; b < 256; b++)
		sets[b >> 7][b & 15] |= (uint8_t)(seen[b] << (b >> 4 & 7));
	for (unsigned h = 0; h < 2; h++)
		s.sets[h] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)sets[h]));
	return s;
}

/* Of 32 bytes. */
TARGET static inline void see_32(uint8_t seen[256], const struct seen_sets *s, const uint8_t *bytes)
{
	const __m256i bits = _mm256_set1_epi64x((long long)0x8040201008040201), four = _mm256_set1_epi8(15);
	__m256i b = _mm256_loadu_si256((const __m256i *)bytes), low = _mm256_and_si256(b, four);
	__m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(b, 4), four));
	__m256i set = _mm256_blendv_epi8(
		_mm256_shuffle_epi8(s->sets[0], low), _mm256_shuffle_epi8(s->sets[1], low), b);
	__m256i unseen = _mm256_cmpeq_epi8(_mm256_and_si256(set, bit), _mm256_setzero_si256());

	for (unsigned mask = (unsigned)_mm256_movemask_epi8(unseen); mask; mask &= mask - 1)
		seen[bytes[(unsigned)__builtin_ctz(mask)]] = 1;
}

/* How far the farthest of 128 bytes lies above `first`. */
TARGET static inline __m256i farthest(const uint8_t *bytes, __m256i first)
{
	__m256i most = _mm256_setzero_si256();

	for (unsigned k = 0; k < 128; k += 32) {
		__m256i b = _mm256_loadu_si256((const __m256i *)(bytes + k));
		most = _mm256_max_epu8(most, _mm256_sub_epi8(b, first));
	}
	return most;
}

/* Most bytes are in the longest run of those that are seen. */
TARGET static void see(uint8_t seen[256], const uint8_t *bytes, size_t n)
{
	const struct seen_sets sets = sets_of(seen);
	unsigned first = 0, longest = 0;
	size_t i = 0;

	for (unsigned b = 0, run = 0; b < 256; b++) {
		run = seen[b] ? run + 1 : 0;
		if (run > longest) {
			longest = run;
			first = b + 1 - run;
		}
	}
	const __m256i from = _mm256_set1_epi8((char)first), most = _mm256_set1_epi8((char)(longest - 1));
	for (; longest && i + 128 <= n; i += 128) {
		__m256i inside = _mm256_max_epu8(farthest(bytes + i, from), most);
		if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(inside, most)) == -1)
			continue;
		for (unsigned k = 0; k < 128; k += 32)
			see_32(seen, &sets, bytes + i + k);
	}
	numbers_portable.see(seen, bytes + i, n - i);
}

TARGET static void classes_of_pairs(uint8_t *classes, const void *base, size_t n, unsigned class_shift)
{
	const __m256i magnitude = _mm256_set1_epi16(0x7fff);
	const __m128i shift = _mm_cvtsi32_si128((int)class_shift);
	const uint8_t *b = base;
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i low = _mm256_loadu_si256((const __m256i *)(b + 2 * i));
		__m256i high = _mm256_loadu_si256((const __m256i *)(b + 2 * i + 32));
		low = _mm256_srl_epi16(_mm256_and_si256(low, magnitude), shift);
		high = _mm256_srl_epi16(_mm256_and_si256(high, magnitude), shift);
		_mm256_storeu_si256((__m256i *)(classes + i),
			_mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8));
	}
	if (i < n)
		numbers_portable.classes[1](classes + i, b + 2 * i, n - i, class_shift);
}

/* Of 32 bytes at an offset, all ones in the bytes of elements that are alike. */
TARGET static inline __m256i alike(const uint8_t *a, const uint8_t *b, unsigned log_width)
{
	__m256i x = _mm256_loadu_si256((const __m256i *)a), y = _mm256_loadu_si256((const __m256i *)b);
	return log_width == 1 ? _mm256_cmpeq_epi16(x, y) : _mm256_cmpeq_epi32(x, y);
}

TARGET static void differ_pairs(uint64_t *flags, const void *src, const void *base, size_t n)
{
	const uint8_t *a = src, *b = base;
	size_t i = 0;

	for (; i + 64 <= n; i += 64, a += 128, b += 128) {
		uint64_t word = 0;
		for (unsigned half = 0; half < 2; half++) {
			__m256i low = alike(a + 64 * half, b + 64 * half, 1);
			__m256i high = alike(a + 64 * half + 32, b + 64 * half + 32, 1);
			__m256i same = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);
			word |= (uint64_t)(uint32_t)~_mm256_movemask_epi8(same) << 32 * half;
		}
		flags[i / 64] = word;
	}
	if (i < n)
		numbers_portable.differ[1](flags + i / 64, a, b, n - i);
}

TARGET static void differ_quads(uint64_t *flags, const void *src, const void *base, size_t n)
{
	const uint8_t *a = src, *b = base;
	size_t i = 0;

	for (; i + 64 <= n; i += 64) {
		uint64_t word = 0;
		for (unsigned k = 0; k < 64; k += 8, a += 32, b += 32) {
			int same = _mm256_movemask_ps(_mm256_castsi256_ps(alike(a, b, 2)));
			word |= (uint64_t)(~same & 0xff) << k;
		}
		flags[i / 64] = word;
	}
	if (i < n)
		numbers_portable.differ[2](flags + i / 64, a, b, n - i);
}

const struct number_ops *numbers_avx2(void)
{
	static const struct number_ops ops = {NUMBERS, .classes = {classes_8, classes_of_pairs, classes_32},
		.differ = {differ_8, differ_pairs, differ_quads}, .split = split, .count = count,
		.outside = outside, .see = see};
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
			       __builtin_cpu_supports("popcnt")
		       ? &ops
		       : NULL;
}

#else

const struct number_ops *numbers_avx2(void)
{
	return NULL;
}

#endif
