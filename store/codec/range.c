#include "store/codec/range.h"

#include "store/util/bytes.h"

#define GAMMA_MAX 31u

void range_encode_init(struct range_encoder *e, uint8_t *dst, size_t capacity)
{
	*e = (struct range_encoder){.range = UINT64_MAX, .dst = dst, .capacity = capacity};
}

void range_carry(struct range_encoder *e)
{
	size_t i = e->used < e->capacity ? e->used : e->capacity;

	while (i && !++e->dst[--i])
		;
}

static void put(struct range_encoder *e, uint8_t byte)
{
	if (e->used < e->capacity)
		e->dst[e->used] = byte;
	e->used++;
}

void range_encode_word(struct range_encoder *e)
{
	for (unsigned shift = 64; shift > 32; shift -= 8)
		put(e, (uint8_t)(e->low >> (shift - 8)));
	e->low <<= 32;
	e->range <<= 32;
}

size_t range_encode_end(struct range_encoder *e)
{
	for (unsigned keep = 0; keep <= 8; keep++) {
		uint64_t rest = keep == 0 ? UINT64_MAX : keep == 8 ? 0 : UINT64_MAX >> 8 * keep;
		uint64_t value = (e->low + rest) & ~rest;
		/* as far above low as the interval is long, or further */
		if (value - e->low >= e->range)
			continue;
		if (value < e->low)
			range_carry(e);
		for (unsigned i = 0; i < keep; i++)
			put(e, (uint8_t)(value >> (56 - 8 * i)));
		break;
	}
	if (e->used > e->capacity)
		return SIZE_MAX;
	while (e->used && !e->dst[e->used - 1])
		e->used--;
	return e->used;
}

void range_decode_init(struct range_decoder *d, const uint8_t *src, size_t len)
{
	*d = (struct range_decoder){.range = UINT64_MAX, .start = src, .at = src, .end = src + len};
	d->code = (uint64_t)range_decode_word(d) << 32;
	d->code |= range_decode_word(d);
}

uint32_t range_decode_word(struct range_decoder *d)
{
	uint32_t word = 0;

	if (d->end - d->at >= 4) {
		d->at += 4;
		return get_be32(d->at - 4);
	}
	for (unsigned i = 0; i < 4; i++)
		word = word << 8 | (d->at < d->end ? *d->at++ : 0);
	return word;
}

void range_encode_gamma(struct range_encoder *e, uint32_t v, uint16_t p[RANGE_GAMMA])
{
	unsigned bits = 31u - (unsigned)__builtin_clz(v + 1);

	for (unsigned i = 0; i < bits; i++)
		range_encode_adaptive(e, 1, &p[i]);
	if (bits < GAMMA_MAX)
		range_encode_adaptive(e, 0, &p[bits]);
	for (unsigned i = bits; i-- > 0;)
		range_encode_bit(e, (v + 1) >> i & 1, RANGE_HALF);
}

uint32_t range_decode_gamma(struct range_decoder *d, uint16_t p[RANGE_GAMMA])
{
	unsigned bits = 0;
	uint32_t v = 1;

	while (bits < GAMMA_MAX && range_decode_adaptive(d, &p[bits]))
		bits++;
	for (unsigned i = 0; i < bits; i++)
		v = v << 1 | range_decode_bit(d, RANGE_HALF);
	return v - 1;
}
