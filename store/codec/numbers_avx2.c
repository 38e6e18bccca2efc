#include "store/codec/numbers_avx2.h"

#ifdef __x86_64__

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#include "store/codec/numbers_all.h"
#include "store/codec/rans.h"

TARGET static inline __m256i shifts_of(const uint8_t *classes, const uint32_t shifts[256], size_t i)
{
	if (!classes)
		return _mm256_set1_epi32((int)shifts[0]);
	__m256i index = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(classes + i)));
	return _mm256_i32gather_epi32((const int *)shifts, index, 4);
}

TARGET static inline __m256i split_eight(uint32_t *numbers, const uint8_t *classes,
	const uint32_t shifts[256], __m256i origin, __m256i mask, size_t i)
{
	__m256i s = shifts_of(classes, shifts, i);
	__m256i v = _mm256_loadu_si256((const __m256i *)(numbers + i));

	v = _mm256_and_si256(_mm256_sub_epi32(v, _mm256_sllv_epi32(origin, s)), mask);
	_mm256_storeu_si256((__m256i *)(numbers + i), v);
	return _mm256_min_epu32(_mm256_srlv_epi32(v, s), _mm256_set1_epi32(RANS_ESCAPE));
}

TARGET static void split(uint32_t *numbers, uint8_t *symbols, const uint8_t *classes,
	const uint32_t shifts[256], int32_t origin, uint32_t mask, size_t n)
{
	const __m256i o = _mm256_set1_epi32(origin), m = _mm256_set1_epi32((int)mask);
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i a = split_eight(numbers, classes, shifts, o, m, i);
		__m256i b = split_eight(numbers, classes, shifts, o, m, i + 8);
		__m256i c = split_eight(numbers, classes, shifts, o, m, i + 16);
		__m256i d = split_eight(numbers, classes, shifts, o, m, i + 24);
		__m256i all = _mm256_packus_epi16(_mm256_packus_epi32(a, b), _mm256_packus_epi32(c, d));
		_mm256_storeu_si256((__m256i *)(symbols + i), _mm256_permutevar8x32_epi32(all, order));
	}
	if (i < n)
		numbers_portable.split(
			numbers + i, symbols + i, classes ? classes + i : NULL, shifts, origin, mask, n - i);
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

/* The classes whose weights one may look up in four vectors of 16, if all others are like the nearest of
 * those. */
#define WINDOW 64u

static int window_of(const uint16_t weights[256], unsigned *from, unsigned *parts)
{
	unsigned low = 0, high = 255;

	while (low < 255 && weights[low + 1] == weights[0])
		low++;
	while (high && weights[high - 1] == weights[255])
		high--;
	*from = low + WINDOW > 256 ? 256 - WINDOW : low;
	*parts = high < *from ? 1 : (high - *from) / 16 + 1;
	return *parts <= WINDOW / 16;
}

struct lookup {
	__m256i low[WINDOW / 16], high[WINDOW / 16]; /* bytes of the weights */
};

TARGET static struct lookup lookup_of(const uint16_t *weights)
{
	struct lookup l;
	uint8_t low[WINDOW], high[WINDOW];

	for (unsigned i = 0; i < WINDOW; i++) {
		low[i] = (uint8_t)weights[i];
		high[i] = (uint8_t)(weights[i] >> 8);
	}
	for (unsigned i = 0; i < WINDOW / 16; i++) {
		l.low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(low + 16 * i)));
		l.high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(high + 16 * i)));
	}
	return l;
}

TARGET static inline void weigh_by(uint32_t *sums, const uint8_t *classes, const struct lookup *l,
	unsigned from, unsigned parts, size_t n)
{
	const __m256i zero = _mm256_setzero_si256(), most = _mm256_set1_epi8((char)(16 * parts - 1));
	const __m256i pick = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6), first = _mm256_set1_epi8((char)from);
	const __m256i sixteen = _mm256_set1_epi8(16), outside = _mm256_set1_epi8(0x70);

	for (size_t i = 0; i + 32 <= n; i += 32) {
		__m256i index = _mm256_loadu_si256((const __m256i *)(classes + i)), low = zero, high = zero;
		index = _mm256_min_epu8(_mm256_subs_epu8(index, first), most);
		for (unsigned part = 0; part < parts; part++) {
			/* the top bit, which gives 0, is set in all but those of this part */
			__m256i at = _mm256_adds_epu8(index, outside);
			low = _mm256_or_si256(low, _mm256_shuffle_epi8(l->low[part], at));
			high = _mm256_or_si256(high, _mm256_shuffle_epi8(l->high[part], at));
			index = _mm256_sub_epi8(index, sixteen);
		}
		low = _mm256_sad_epu8(low, zero);
		high = _mm256_sad_epu8(high, zero);
		low = _mm256_permutevar8x32_epi32(_mm256_add_epi32(low, _mm256_slli_epi32(high, 8)), pick);
		_mm_storeu_si128((__m128i *)(sums + i / NUMBER_GROUP), _mm256_castsi256_si128(low));
	}
}

TARGET static void weigh(uint32_t *sums, const uint8_t *classes, const uint16_t weights[256], size_t n)
{
	size_t whole = n & ~(size_t)31;
	unsigned from, parts;

	if (!window_of(weights, &from, &parts)) {
		numbers_portable.weigh(sums, classes, weights, n);
		return;
	}
	const struct lookup l = lookup_of(weights + from);
	if (parts <= 2)
		weigh_by(sums, classes, &l, from, 2, n);
	else
		weigh_by(sums, classes, &l, from, WINDOW / 16, n);
	numbers_portable.weigh(sums + whole / NUMBER_GROUP, classes + whole, weights, n - whole);
}

const struct number_ops *numbers_avx2(void)
{
	static const struct number_ops ops = {NUMBERS, .classes = {classes_8, classes_of_pairs, classes_32},
		.split = split, .weigh = weigh};
	return __builtin_cpu_supports("avx2") ? &ops : NULL;
}

#else

const struct number_ops *numbers_avx2(void)
{
	return NULL;
}

#endif
