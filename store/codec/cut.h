/* The cut of elements of two bytes into symbols and the values that these are the upper bits of, in one go:
 * numbers.h says what they are. */
#ifndef MITHRIL_STORE_CODEC_CUT_H
#define MITHRIL_STORE_CODEC_CUT_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/numbers.h"

struct cut {
	const void *src, *base; /* n elements each; base NULL: lone numbers, of class 0 */
	size_t n;
	unsigned class_shift;
	const struct class_bytes *shifts;
	int32_t origin;
	/* n of each; classes only with a base */
	uint16_t *values;
	uint8_t *symbols, *classes;
};

/* With the same outcome: by operations, and with AVX-512, where `ops` do not matter. */
typedef void cut_pairs_fn(const struct number_ops *ops, const struct cut *cut);
void cut_pairs(const struct number_ops *ops, const struct cut *cut);
cut_pairs_fn *cut_pairs_avx512(void); /* NULL: not on this machine */
cut_pairs_fn *cut_pairs_best(void);

#endif
