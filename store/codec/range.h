/*
 * A binary range coder: one decision at a time, each with a probability of its own, at the cost that entropy
 * says. For what is small (tables) or rare (changes); what is many goes through rans.h.
 *
 * The state is an interval [low, low + range) of 64 bits, at first all of them. A decision of probability p /
 * 65536 takes the lower (range >> 16) * p of it if it is 0, the rest if it is 1. When range is below 2^32,
 * the upper 32 bits of low are put out, most significant byte first, and both are shifted up by 32; a carry
 * goes into the bytes already put out. At the end the encoder puts out the shortest bytes that lie in the
 * interval whatever follows, without trailing zeros: a decoder reads zeros behind the last byte.
 *
 * Sources: G. N. N. Martin, Range encoding (1979); the carry is that of D. Subbotin's and E. Shelwien's
 * coders.
 */
#ifndef MITHRIL_STORE_CODEC_RANGE_H
#define MITHRIL_STORE_CODEC_RANGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RANGE_BITS 16
#define RANGE_ONE (1u << RANGE_BITS)
#define RANGE_HALF (RANGE_ONE / 2)
#define RANGE_RATE 4 /* adaptive probabilities move by a 16th */

struct range_encoder {
	uint64_t low, range;
	uint8_t *dst;
	size_t used, capacity; /* used > capacity: it did not fit */
};

struct range_decoder {
	uint64_t code, range;
	const uint8_t *start, *at, *end;
};

void range_encode_init(struct range_encoder *e, uint8_t *dst, size_t capacity);
/* Bytes written, or SIZE_MAX if they did not fit. */
size_t range_encode_end(struct range_encoder *e);
/* Puts out 32 bits; for the functions below. */
void range_encode_word(struct range_encoder *e);
void range_carry(struct range_encoder *e);

void range_decode_init(struct range_decoder *d, const uint8_t *src, size_t len);
uint32_t range_decode_word(struct range_decoder *d);
/* Whether all bytes were looked at, and the last one is no zero: the encoder leaves neither. */
static inline int range_decode_all(const struct range_decoder *d)
{
	return d->at == d->end && (d->start == d->end || d->end[-1]);
}

/* p: the probability of a 0, 1 to 65535. Without a branch on the bit, which nothing foretells. */
static inline void range_encode_bit(struct range_encoder *e, unsigned bit, uint32_t p)
{
	uint64_t bound = (e->range >> RANGE_BITS) * p, upper = 0 - (uint64_t)bit;
	uint64_t low = e->low + (bound & upper);

	if (low < e->low)
		range_carry(e);
	e->low = low;
	e->range = bound + ((e->range - 2 * bound) & upper);
	if (!(e->range >> 32))
		range_encode_word(e);
}

static inline void range_decode_renew(struct range_decoder *d)
{
	if (!(d->range >> 32)) {
		d->code = d->code << 32 | range_decode_word(d);
		d->range <<= 32;
	}
}

/* Likewise. */
static inline unsigned range_decode_bit(struct range_decoder *d, uint32_t p)
{
	uint64_t bound = (d->range >> RANGE_BITS) * p;
	unsigned bit = d->code >= bound;
	uint64_t upper = 0 - (uint64_t)bit;

	d->code -= bound & upper;
	d->range = bound + ((d->range - 2 * bound) & upper);
	range_decode_renew(d);
	return bit;
}

/* A probability that learns: it begins as RANGE_HALF, or as a better guess. */
static inline void range_learn(uint16_t *p, unsigned bit)
{
	uint32_t now = *p;

	*p = (uint16_t)(bit ? now - (now >> RANGE_RATE) : now + ((RANGE_ONE - 1 - now) >> RANGE_RATE));
}

static inline void range_encode_adaptive(struct range_encoder *e, unsigned bit, uint16_t *p)
{
	range_encode_bit(e, bit, *p);
	range_learn(p, bit);
}

static inline unsigned range_decode_adaptive(struct range_decoder *d, uint16_t *p)
{
	unsigned bit = range_decode_bit(d, *p);

	range_learn(p, bit);
	return bit;
}

/* A number v below 2^32 - 1, where v + 1 has b bits behind its first one: b ones by the learning
 * probabilities p[0], p[1], ..., a zero by p[b] (none if b is 31), and the b bits at even odds, the most
 * significant first. */
#define RANGE_GAMMA 32u
void range_encode_gamma(struct range_encoder *e, uint32_t v, uint16_t p[RANGE_GAMMA]);
uint32_t range_decode_gamma(struct range_decoder *d, uint16_t p[RANGE_GAMMA]);

static inline void range_even(uint16_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = RANGE_HALF;
}

#endif
