/* Eight states in a vector of AVX2: the operations of lanes_avx512.h. */
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,popcnt")))
#define ALWAYS static inline __attribute__((always_inline))
#define WIDTH 8u
#define WINDOWS 0
#define SLACK 16u /* bytes that a load or a store may touch beside the words themselves */

typedef __m256i lanes;
typedef __m256i lanes_mask;

TARGET ALWAYS lanes load(const void *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

TARGET ALWAYS void store(void *p, lanes v)
{
	_mm256_storeu_si256((__m256i *)p, v);
}

TARGET ALWAYS lanes all(uint32_t x)
{
	return _mm256_set1_epi32((int)x);
}

TARGET ALWAYS lanes widen(const void *p)
{
	return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

TARGET ALWAYS lanes widen_pairs(const void *p)
{
	return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
}

TARGET ALWAYS lanes all_pairs(const void *p)
{
	uint16_t pair;

	memcpy(&pair, p, sizeof pair);
	return _mm256_set1_epi32(pair);
}

TARGET ALWAYS void narrow(void *p, lanes v)
{
	const lanes lowest = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,
		4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
	v = _mm256_permutevar8x32_epi32(
		_mm256_shuffle_epi8(v, lowest), _mm256_setr_epi32(0, 4, 1, 1, 1, 1, 1, 1));
	_mm_storel_epi64((__m128i *)p, _mm256_castsi256_si128(v));
}

TARGET ALWAYS lanes gather(const void *table, lanes index)
{
	return _mm256_i32gather_epi32((const int *)table, index, 4);
}

/* No vectors to look up in: a window is as good as the whole table. */
struct lookup {
	const uint32_t *table;
};

TARGET ALWAYS struct lookup lookup_of(const uint32_t *table, unsigned window)
{
	(void)window;
	return (struct lookup){table};
}

TARGET ALWAYS lanes index_in(const uint8_t *classes, unsigned window)
{
	(void)window;
	return widen(classes);
}

TARGET ALWAYS const uint8_t *indices_in(uint8_t to[64], const uint8_t *classes, unsigned window)
{
	(void)to, (void)window;
	return classes;
}

TARGET ALWAYS lanes look_up(const struct lookup *l, lanes index)
{
	return gather(l->table, index);
}

TARGET ALWAYS lanes add(lanes a, lanes b)
{
	return _mm256_add_epi32(a, b);
}

TARGET ALWAYS lanes sub(lanes a, lanes b)
{
	return _mm256_sub_epi32(a, b);
}

TARGET ALWAYS lanes mul(lanes a, lanes b)
{
	return _mm256_mullo_epi32(a, b);
}

TARGET ALWAYS lanes mul_high(lanes a, lanes b)
{
	lanes even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
	lanes odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
	return _mm256_blend_epi32(even, odd, 0xaa);
}

TARGET ALWAYS lanes both(lanes a, lanes b)
{
	return _mm256_and_si256(a, b);
}

TARGET ALWAYS lanes either(lanes a, lanes b)
{
	return _mm256_or_si256(a, b);
}

TARGET ALWAYS lanes least(lanes a, lanes b)
{
	return _mm256_min_epi32(a, b);
}

TARGET ALWAYS lanes most(lanes a, lanes b)
{
	return _mm256_max_epi32(a, b);
}

TARGET ALWAYS lanes left(lanes v, unsigned bits)
{
	return _mm256_slli_epi32(v, (int)bits);
}

TARGET ALWAYS lanes right(lanes v, unsigned bits)
{
	return _mm256_srli_epi32(v, (int)bits);
}

TARGET ALWAYS lanes left_by(lanes v, lanes bits)
{
	return _mm256_sllv_epi32(v, bits);
}

TARGET ALWAYS lanes right_by(lanes v, lanes bits)
{
	return _mm256_srlv_epi32(v, bits);
}

TARGET ALWAYS lanes_mask over(lanes a, lanes b)
{
	return _mm256_cmpgt_epi32(a, b);
}

TARGET ALWAYS lanes_mask at_least(lanes a, lanes b)
{
	return _mm256_cmpgt_epi32(a, _mm256_sub_epi32(b, _mm256_set1_epi32(1)));
}

TARGET ALWAYS unsigned bits_of(lanes_mask mask)
{
	return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(mask));
}

TARGET ALWAYS uint64_t bits_of_all(const lanes_mask *masks, unsigned count)
{
	uint64_t bits = 0;

#pragma GCC unroll 8
	for (unsigned i = 0; i < count; i++)
		bits |= (uint64_t)bits_of(masks[i]) << WIDTH * i;
	return bits;
}

TARGET ALWAYS lanes_mask mask_of(unsigned bits)
{
	const lanes each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
	return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), each), each);
}

TARGET ALWAYS lanes pick(lanes_mask mask, lanes yes, lanes no)
{
	return _mm256_blendv_epi8(no, yes, mask);
}

TARGET ALWAYS lanes take(const struct rans_shuffles *shuffles, lanes x, lanes_mask low, const uint8_t **at)
{
	unsigned mask = bits_of(low);
	lanes words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)*at));
	lanes taken = _mm256_permutevar8x32_epi32(words, widen(&shuffles->take[mask]));

	*at += 2 * (unsigned)__builtin_popcount(mask);
	return _mm256_blendv_epi8(x, _mm256_or_si256(_mm256_slli_epi32(x, 16), taken), low);
}

TARGET ALWAYS lanes give(const struct rans_shuffles *shuffles, lanes x, lanes_mask high, uint8_t **at)
{
	unsigned mask = bits_of(high);
	lanes words = _mm256_and_si256(x, _mm256_set1_epi32(0xffff));

	words = _mm256_permutevar8x32_epi32(words, widen(&shuffles->give[mask]));
	words = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0xd8);
	_mm_storeu_si128((__m128i *)(*at - 16), _mm256_castsi256_si128(words));
	*at -= 2 * (unsigned)__builtin_popcount(mask);
	return _mm256_blendv_epi8(x, _mm256_srli_epi32(x, 16), high);
}
