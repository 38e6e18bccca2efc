/* All widths of elements.h, and FORWARD and INVERSE, the initialisers of their tables; count_words. Expects
 * TARGET. */
#include <stdint.h>
#include <string.h>

#define ELEMENT uint8_t
#define SIGNED int8_t
#define NAME(f) f##_8
#include "store/codec/elements.h"

#define ELEMENT uint16_t
#define SIGNED int16_t
#define NAME(f) f##_16
#include "store/codec/elements.h"

#define ELEMENT uint32_t
#define SIGNED int32_t
#define NAME(f) f##_32
#include "store/codec/elements.h"

#define ELEMENT uint64_t
#define SIGNED int64_t
#define NAME(f) f##_64
#include "store/codec/elements.h"

/* How many of the n 8-byte words of src equal x. */
TARGET static size_t count_words(const void *src, size_t n, uint64_t x)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += load_64(src, i) == x;
	return count;
}

#define FORWARD                                                                                              \
	{                                                                                                    \
		{copy_8, rotate_8, xor_8, xor_rotate_8, diff_8, diff_float_8},                               \
			{copy_16, rotate_16, xor_16, xor_rotate_16, diff_16, diff_float_16},                 \
			{copy_32, rotate_32, xor_32, xor_rotate_32, diff_32, diff_float_32},                 \
		{                                                                                            \
			copy_64, rotate_64, xor_64, xor_rotate_64, diff_64, diff_float_64                    \
		}                                                                                            \
	}

#define INVERSE                                                                                              \
	{                                                                                                    \
		{copy_8, unrotate_8, xor_8, unxor_rotate_8, undiff_8, undiff_float_8},                       \
			{copy_16, unrotate_16, xor_16, unxor_rotate_16, undiff_16, undiff_float_16},         \
			{copy_32, unrotate_32, xor_32, unxor_rotate_32, undiff_32, undiff_float_32},         \
		{                                                                                            \
			copy_64, unrotate_64, xor_64, unxor_rotate_64, undiff_64, undiff_float_64            \
		}                                                                                            \
	}
