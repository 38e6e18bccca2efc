/*
 * Element transforms and byte planes. Two implementations with the same results: portable C, and AVX2 where
 * the machine has it.
 *
 * Sources: ZipNN (arXiv 2411.05239) for rotation and planes, FM-Delta (NeurIPS 2024) for the ordered
 * difference.
 */
#ifndef MITHRIL_STORE_CODEC_TRANSFORM_H
#define MITHRIL_STORE_CODEC_TRANSFORM_H

#include <stddef.h>
#include <stdint.h>

#include "store/util/dtype.h"

enum transform {
	TRANSFORM_NONE,
	TRANSFORM_ROTATE, /* left by one bit */
	TRANSFORM_XOR,
	TRANSFORM_XOR_ROTATE,
	TRANSFORM_DIFF,	      /* zigzag of the difference of integers */
	TRANSFORM_DIFF_FLOAT, /* the same after the order-preserving map of floats to integers */
	TRANSFORM_COUNT
};

#define TRANSFORM_WIDTHS 4 /* 1, 2, 4, 8 bytes, by base-two logarithm */
#define TRANSFORM_WIDTH_MAX 8u

/* dst, src and base: n elements each, of any alignment, not overlapping. `base` is not looked at by NONE and
 * ROTATE. */
typedef void transform_fn(void *dst, const void *src, const void *base, size_t n);

struct transform_ops {
	transform_fn *forward[TRANSFORM_WIDTHS][TRANSFORM_COUNT];
	transform_fn *inverse[TRANSFORM_WIDTHS][TRANSFORM_COUNT];
	/* planes[p][i] = byte p of element i, and back */
	void (*split[TRANSFORM_WIDTHS])(uint8_t *const *planes, const void *src, size_t n);
	/* NULL, or ROTATE and split at once, of the first elements; returns of how many */
	size_t (*split_rotated[TRANSFORM_WIDTHS])(uint8_t *const *planes, const void *src, size_t n);
	void (*merge[TRANSFORM_WIDTHS])(void *dst, const uint8_t *const *planes, size_t n);
	/* how many of the n 8-byte words of src equal x */
	size_t (*count_words)(const void *src, size_t n, uint64_t x);
};

extern const struct transform_ops transform_portable;
/* The fastest this machine runs. */
const struct transform_ops *transform_best(void);

/* How the codecs see a dtype. */
struct element {
	uint8_t log_width;
	uint8_t is_float; /* sign and magnitude */
	uint8_t rotate;	  /* sign, then eight bits of exponent */
};
struct element element_of(enum dtype t);

/* Forward, then split; in pieces that stay in the first-level cache. planes: 1 << log_width pointers. */
void transform_split(const struct transform_ops *ops, unsigned log_width, enum transform transform,
	uint8_t *const *planes, const void *src, const void *base, size_t n);
/* The way back. */
void transform_merge(const struct transform_ops *ops, unsigned log_width, enum transform transform, void *dst,
	const uint8_t *const *planes, const void *base, size_t n);

#endif
