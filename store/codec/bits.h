/* Numbers of a few bits, the lowest first, packed into bytes from the lowest bit on. */
#ifndef MITHRIL_STORE_CODEC_BITS_H
#define MITHRIL_STORE_CODEC_BITS_H

#include <stddef.h>
#include <stdint.h>

struct bits_out {
	uint8_t *at;
	uint64_t held;
	unsigned count; /* of bits held, below 8 between calls */
};

/* v < 2^n, n <= 32 */
static inline void put_bits(struct bits_out *b, uint32_t v, unsigned n)
{
	b->held |= (uint64_t)v << b->count;
	for (b->count += n; b->count >= 8; b->count -= 8) {
		*b->at++ = (uint8_t)b->held;
		b->held >>= 8;
	}
}

/* Fills the last byte with zeros. */
static inline void put_bits_end(struct bits_out *b)
{
	if (b->count)
		put_bits(b, 0, 8 - b->count);
}

struct bits_in {
	const uint8_t *at, *end;
	uint64_t held;
	unsigned count;
	int missing; /* some were asked for behind the end, and read as zeros */
};

/* n <= 32 */
static inline uint32_t get_bits(struct bits_in *b, unsigned n)
{
	uint32_t v;

	for (; b->count < n; b->count += 8) {
		b->missing |= b->at == b->end;
		b->held |= (uint64_t)(b->at < b->end ? *b->at++ : 0) << b->count;
	}
	v = (uint32_t)(b->held & ((UINT64_C(1) << n) - 1));
	b->held >>= n;
	b->count -= n;
	return v;
}

/* Whether all that was asked for was there, and the rest of the last byte is zero. */
static inline int get_bits_end(const struct bits_in *b)
{
	return !b->missing && !b->held;
}

#endif
