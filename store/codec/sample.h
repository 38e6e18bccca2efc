/*
 * Byte statistics of a sample of a chunk, as it would look after a transform, to choose between methods
 * before paying for one.
 *
 * All arithmetic is of integers, so that every machine chooses alike.
 */
#ifndef MITHRIL_STORE_CODEC_SAMPLE_H
#define MITHRIL_STORE_CODEC_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/transform.h"

#define SAMPLE_BYTES 16384u
#define SAMPLE_PIECES 8u

/* What coding one plane takes, guessed from the bytes of a sample of it. */
struct plane_cost {
	uint32_t bits;	 /* a byte of the plane, in 1/65536 bit: by the cheapest order-0 method */
	uint32_t header; /* bytes, whatever the length */
	uint8_t method;	 /* enum block_method */
	uint8_t fill;	 /* the most frequent byte */
};

struct sample {
	size_t count;	    /* elements */
	uint32_t log2[257]; /* log2(1 + i / 256), in 1/65536 */
	uint32_t histogram[4][256];
	uint8_t src[SAMPLE_BYTES], base[SAMPLE_BYTES], planes[SAMPLE_BYTES + TRANSFORM_WIDTH_MAX];
};

void sample_init(struct sample *sample);

/* log2(x) in 1/65536, x >= 1. */
uint32_t sample_log2(const struct sample *sample, uint32_t x);

/* Copies elements from all over src, and those at the same places of base if it is not NULL. n >= 1 elements.
 */
void sample_take(struct sample *sample, const void *src, const void *base, size_t n, unsigned log_width);

/* Costs of the 1 << log_width planes of what was taken, transformed. Returns the bytes that n elements would
 * take. */
size_t sample_cost(struct sample *sample, const struct transform_ops *ops, unsigned log_width,
	enum transform transform, size_t n, struct plane_cost *costs);

/* The same for bytes as they are. */
void sample_plane(struct sample *sample, const uint8_t *bytes, size_t n, struct plane_cost *cost);

/* Bytes that a plane of n bytes takes. */
size_t plane_bytes(const struct plane_cost *cost, size_t n);

#endif
