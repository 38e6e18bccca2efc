#include "store/codec/cut.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "store/codec/rans.h"

#define TARGET __attribute__((target("avx2,avx512f,avx512bw,avx512vl")))

/* Shifts by class, as in numbers_avx2.c. */
struct table {
	__m256i low, high, first;
};

TARGET static inline __m256i look_up(const struct table *t, __m256i classes)
{
	__m256i index =
		_mm256_min_epu8(_mm256_subs_epu8(classes, t->first), _mm256_set1_epi8(RANS_WINDOW - 1));
	__mmask32 high = _mm256_cmpgt_epi8_mask(index, _mm256_set1_epi8(15));

	return _mm256_mask_shuffle_epi8(_mm256_shuffle_epi8(t->low, index), high, t->high, index);
}

TARGET static inline __m512i in_order(__m512i x)
{
	return _mm512_xor_si512(
		x, _mm512_or_si512(_mm512_srai_epi16(x, 15), _mm512_set1_epi16((short)0x8000)));
}

/* The differences of 32 elements, and their classes' shifts. */
TARGET static inline __m512i differences(
	const struct cut *cut, const struct table *t, size_t i, __m256i *shifts)
{
	__m512i x = _mm512_loadu_si512((const uint8_t *)cut->src + 2 * i);
	__m512i b = _mm512_loadu_si512((const uint8_t *)cut->base + 2 * i);
	__m512i class = _mm512_srl_epi16(
		_mm512_and_si512(b, _mm512_set1_epi16(0x7fff)), _mm_cvtsi32_si128((int)cut->class_shift));
	__m256i classes = _mm512_cvtepi16_epi8(class);

	_mm256_storeu_si256((__m256i *)(cut->classes + i), classes);
	*shifts = look_up(t, classes);
	return _mm512_sub_epi16(in_order(x), in_order(b));
}

TARGET static inline __m512i lone(const struct cut *cut, size_t i)
{
	__m512i x = _mm512_loadu_si512((const uint8_t *)cut->src + 2 * i);

	return _mm512_or_si512(_mm512_slli_epi16(x, 1), _mm512_srli_epi16(x, 15));
}

TARGET static void cut_vectors(const struct number_ops *ops, const struct cut *cut)
{
	const struct class_bytes *shifts = cut->shifts;
	const __m128i *at =
		(const __m128i *)(shifts->of + (shifts->window == RANS_NO_WINDOW ? 0 : shifts->window));
	const struct table table = {_mm256_broadcastsi128_si256(_mm_loadu_si128(at)),
		_mm256_broadcastsi128_si256(_mm_loadu_si128(at + 1)), _mm256_set1_epi8((char)shifts->window)};
	const __m512i origin = _mm512_set1_epi16((short)cut->origin), escape = _mm512_set1_epi16(RANS_ESCAPE);
	struct cut rest = *cut;
	size_t i = 0;

	for (; (!cut->base || shifts->window != RANS_NO_WINDOW) && i + 32 <= cut->n; i += 32) {
		__m256i s = _mm256_set1_epi8((char)shifts->of[0]);
		__m512i number = cut->base ? differences(cut, &table, i, &s) : lone(cut, i);
		__m512i by = _mm512_cvtepu8_epi16(s);
		__m512i value = _mm512_sub_epi16(number, _mm512_sllv_epi16(origin, by));
		__m512i symbol = _mm512_min_epu16(_mm512_srlv_epi16(value, by), escape);
		_mm512_storeu_si512(cut->values + i, value);
		_mm256_storeu_si256((__m256i *)(cut->symbols + i), _mm512_cvtepi16_epi8(symbol));
	}
	rest.src = (const uint8_t *)cut->src + 2 * i;
	rest.base = cut->base ? (const uint8_t *)cut->base + 2 * i : NULL;
	rest.n -= i;
	rest.values += i;
	rest.symbols += i;
	rest.classes += i;
	cut_pairs(ops, &rest);
}

cut_pairs_fn *cut_pairs_avx512(void)
{
	return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") ? cut_vectors : NULL;
}

#else

cut_pairs_fn *cut_pairs_avx512(void)
{
	return NULL;
}

#endif
