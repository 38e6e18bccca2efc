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

#define NUMBERS                                                                                              \
	.lone = {lone_8, lone_16, lone_32}, .tops = {tops_8, tops_16, tops_32},                              \
	.unlone = {unlone_8, unlone_16, unlone_32},                                                          \
	.differences = {differences_8, differences_16, differences_32}, .sums = {sums_8, sums_16, sums_32}
