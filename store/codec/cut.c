#include "store/codec/cut.h"

#define BLOCK 512u /* elements at a time */

void cut_pairs(const struct number_ops *ops, const struct cut *cut)
{
	uint32_t numbers[BLOCK];

	for (size_t i = 0; i < cut->n; i += BLOCK) {
		size_t n = cut->n - i < BLOCK ? cut->n - i : BLOCK;
		const uint8_t *src = (const uint8_t *)cut->src + 2 * i, *classes = NULL;
		if (cut->base) {
			const uint8_t *base = (const uint8_t *)cut->base + 2 * i;
			ops->differences[1](numbers, src, base, n);
			ops->classes[1](cut->classes + i, base, n, cut->class_shift);
			classes = cut->classes + i;
		} else {
			ops->lone[1](numbers, src, n);
		}
		ops->split(numbers, cut->symbols + i, classes, cut->shifts, cut->origin, 0xffff, n);
		for (size_t k = 0; k < n; k++)
			cut->values[i + k] = (uint16_t)numbers[k];
	}
}

cut_pairs_fn *cut_pairs_best(void)
{
	cut_pairs_fn *avx512 = cut_pairs_avx512();

	return avx512 ? avx512 : cut_pairs;
}
