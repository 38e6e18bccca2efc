/* Sixteen states in a vector of AVX-512: the operations of the coders by lanes (rans_all.h, flags_all.h). */
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,popcnt")))
#define ALWAYS static inline __attribute__((always_inline))
#define WIDTH 16u
#define WINDOWS 1 /* looking up in one is quick */
#define SLACK 32u /* bytes that a load or a store may touch beside the words themselves */

typedef __m512i lanes;
typedef __mmask16 lanes_mask;

TARGET ALWAYS lanes load(const void *p)
{
	return _mm512_loadu_si512(p);
}

TARGET ALWAYS void store(void *p, lanes v)
{
	_mm512_storeu_si512(p, v);
}

TARGET ALWAYS lanes all(uint32_t x)
{
	return _mm512_set1_epi32((int)x);
}

/* WIDTH bytes as lanes, and back. */
TARGET ALWAYS lanes widen(const void *p)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

/* WIDTH numbers of two bytes. */
TARGET ALWAYS lanes widen_pairs(const void *p)
{
	return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
}

/* One of them in all lanes. */
TARGET ALWAYS lanes all_pairs(const void *p)
{
	uint16_t pair;

	memcpy(&pair, p, sizeof pair);
	return _mm512_set1_epi32(pair);
}

TARGET ALWAYS void narrow(void *p, lanes v)
{
	_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(v));
}

TARGET ALWAYS lanes gather(const void *table, lanes index)
{
	return _mm512_i32gather_epi32(index, table, 4);
}

/* Where RANS_WINDOW entries of a table are looked up: in two vectors. */
struct lookup {
	lanes low, high;
};

TARGET ALWAYS struct lookup lookup_of(const uint32_t *table, unsigned window)
{
	unsigned from = window == RANS_NO_WINDOW ? 0 : window;
	return (struct lookup){load(table + from), load(table + from + WIDTH)};
}

TARGET ALWAYS lanes index_in(const uint8_t *classes, unsigned window)
{
	__m128i class = _mm_loadu_si128((const __m128i *)classes), first = _mm_set1_epi8((char)window);
	class = _mm_min_epu8(_mm_subs_epu8(class, first), _mm_set1_epi8(RANS_WINDOW - 1));
	return _mm512_cvtepu8_epi32(class);
}

/* The same of 64 classes, a byte each; returns where they are, `to` or another place. */
TARGET ALWAYS const uint8_t *indices_in(uint8_t to[64], const uint8_t *classes, unsigned window)
{
	__m512i class = _mm512_loadu_si512(classes), first = _mm512_set1_epi8((char)window);
	class = _mm512_min_epu8(_mm512_subs_epu8(class, first), _mm512_set1_epi8(RANS_WINDOW - 1));
	_mm512_storeu_si512(to, class);
	return to;
}

TARGET ALWAYS lanes look_up(const struct lookup *l, lanes index)
{
	return _mm512_permutex2var_epi32(l->low, index, l->high);
}

TARGET ALWAYS lanes add(lanes a, lanes b)
{
	return _mm512_add_epi32(a, b);
}

TARGET ALWAYS lanes sub(lanes a, lanes b)
{
	return _mm512_sub_epi32(a, b);
}

TARGET ALWAYS lanes mul(lanes a, lanes b)
{
	return _mm512_mullo_epi32(a, b);
}

/* The upper 32 bits of products. */
TARGET ALWAYS lanes mul_high(lanes a, lanes b)
{
	lanes even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
	lanes odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
	return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

TARGET ALWAYS lanes both(lanes a, lanes b)
{
	return _mm512_and_si512(a, b);
}

TARGET ALWAYS lanes either(lanes a, lanes b)
{
	return _mm512_or_si512(a, b);
}

TARGET ALWAYS lanes least(lanes a, lanes b)
{
	return _mm512_min_epi32(a, b);
}

TARGET ALWAYS lanes most(lanes a, lanes b)
{
	return _mm512_max_epi32(a, b);
}

TARGET ALWAYS lanes left(lanes v, unsigned bits)
{
	return _mm512_slli_epi32(v, bits);
}

TARGET ALWAYS lanes right(lanes v, unsigned bits)
{
	return _mm512_srli_epi32(v, bits);
}

TARGET ALWAYS lanes left_by(lanes v, lanes bits)
{
	return _mm512_sllv_epi32(v, bits);
}

TARGET ALWAYS lanes right_by(lanes v, lanes bits)
{
	return _mm512_srlv_epi32(v, bits);
}

/* The lanes where a > b, both below 2^31. */
TARGET ALWAYS lanes_mask over(lanes a, lanes b)
{
	return _mm512_cmpgt_epi32_mask(a, b);
}

/* Where a >= b. */
TARGET ALWAYS lanes_mask at_least(lanes a, lanes b)
{
	return _mm512_cmpge_epi32_mask(a, b);
}

TARGET ALWAYS unsigned bits_of(lanes_mask mask)
{
	return mask;
}

/* Of 1, 2 or 4 vectors, the first one lowest. */
TARGET ALWAYS uint64_t bits_of_all(const lanes_mask *masks, unsigned count)
{
	__mmask32 low, high;

	if (count == 1)
		return masks[0];
	low = _mm512_kunpackw(masks[1], masks[0]);
	if (count == 2)
		return low;
	high = _mm512_kunpackw(masks[3], masks[2]);
	return _mm512_kunpackd(high, low);
}

TARGET ALWAYS lanes_mask mask_of(unsigned bits)
{
	return (lanes_mask)bits;
}

TARGET ALWAYS lanes pick(lanes_mask mask, lanes yes, lanes no)
{
	return _mm512_mask_blend_epi32(mask, no, yes);
}

/* The lanes of the mask take a word each. */
TARGET ALWAYS lanes take(const struct rans_shuffles *shuffles, lanes x, lanes_mask low, const uint8_t **at)
{
	lanes words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)*at));

	(void)shuffles;
	*at += 2 * (unsigned)__builtin_popcount(low);
	words = _mm512_maskz_expand_epi32(low, words);
	return _mm512_mask_or_epi32(x, low, _mm512_slli_epi32(x, 16), words);
}

/* Those give their lower half. */
TARGET ALWAYS lanes give(const struct rans_shuffles *shuffles, lanes x, lanes_mask high, uint8_t **at)
{
	unsigned count = (unsigned)__builtin_popcount(high);
	__m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(high, x));

	(void)shuffles;
	*at -= 2 * count;
	_mm256_mask_storeu_epi16(*at, (__mmask16)((1u << count) - 1), words);
	return _mm512_mask_srli_epi32(x, high, x, 16);
}
