/* All widths of numbers_width.h, and NUMBERS, the initialisers of most tables of them. Expects TARGET. */
#include <stdint.h>
#include <string.h>

#define ELEMENT uint8_t
#define SIGNED int8_t
#define NAME(f) f##_8
#include "store/codec/numbers_width.h"

#define ELEMENT uint16_t
#define SIGNED int16_t
#define NAME(f) f##_16
#include "store/codec/numbers_width.h"

#define ELEMENT uint32_t
#define SIGNED int32_t
#define NAME(f) f##_32
#include "store/codec/numbers_width.h"

/* NUMBER_FEW of each word without a branch, which nothing foretells. */
TARGET static size_t places(uint32_t *to, const uint64_t *flags, size_t n)
{
	uint32_t *first = to;

	for (size_t i = 0; i < n; i += 64) {
		uint64_t word = flags[i / 64];
		unsigned count = (unsigned)__builtin_popcountll(word);
		for (unsigned k = 0; k < NUMBER_FEW; k++, word &= word - 1)
			to[k] = (uint32_t)i + (uint32_t)__builtin_ctzll(word | UINT64_C(1) << 63);
		for (unsigned k = NUMBER_FEW; k < count; k++, word &= word - 1)
			to[k] = (uint32_t)i + (uint32_t)__builtin_ctzll(word);
		to += count;
	}
	return (size_t)(to - first);
}

#define NUMBERS                                                                                              \
	.lone = {lone_8, lone_16, lone_32}, .unlone = {unlone_8, unlone_16, unlone_32},                      \
	.differences = {differences_8, differences_16, differences_32}, .sums = {sums_8, sums_16, sums_32},  \
	.places = places
