#include "store/codec/numbers.h"

#include "store/codec/numbers_avx2.h"
#include "store/codec/rans.h"

#define TARGET
#include "store/codec/numbers_all.h"

static void split(uint32_t *numbers, uint8_t *symbols, const uint8_t *classes, const uint32_t shifts[256],
	int32_t origin, uint32_t mask, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t s = shifts[classes ? classes[i] : 0];
		uint32_t v = (numbers[i] - ((uint32_t)origin << s)) & mask;
		numbers[i] = v;
		symbols[i] = (uint8_t)(v >> s < RANS_ESCAPE ? v >> s : RANS_ESCAPE);
	}
}

const struct number_ops numbers_portable = {NUMBERS, .classes = {classes_8, classes_16, classes_32},
	.differ = {differ_8, differ_16, differ_32}, .split = split};

const struct number_ops *numbers_best(void)
{
	const struct number_ops *avx2 = numbers_avx2();
	return avx2 ? avx2 : &numbers_portable;
}

struct number_kind number_kind_of(enum dtype t)
{
	switch (t) {
	case DTYPE_BF16:
		return (struct number_kind){1, 16, 7, 7, 256};
	case DTYPE_F16:
		return (struct number_kind){1, 16, 10, 8, 32};
	case DTYPE_F32:
	case DTYPE_C64:
		return (struct number_kind){2, 32, 23, 22, 256};
	case DTYPE_F8_E4M3:
	case DTYPE_F8_E5M2:
	case DTYPE_F8_E4M3FNUZ:
	case DTYPE_F8_E5M2FNUZ:
		return (struct number_kind){0, 8, 0, 0, 128};
	default:
		return (struct number_kind){0};
	}
}
