#include "store/codec/flags.h"

#include <errno.h>
#include <string.h>

#include "store/codec/rans_avx2.h"
#include "store/codec/rans_avx512.h"
#include "store/util/bytes.h"

static void divide_by(struct flags_coder *c, unsigned flag, unsigned class, uint32_t freq, uint32_t start)
{
	struct rans_divisor d = rans_divisor_of(freq ? freq : 1);

	/* added: the start, and what the quotient lacks for a freq of 1 */
	c->reciprocal[flag][class] = d.reciprocal;
	c->rest[flag][class] = freq | d.shift << 13 | (start + (freq == 1 ? FLAGS_ONE - 1 : 0)) << 17;
}

void flags_prepare(struct flags_coder *c, int forward)
{
	c->window = rans_window_of(c->set);
	for (unsigned k = 0; forward && k < 256; k++) {
		divide_by(c, 0, k, FLAGS_ONE - c->set[k], 0);
		divide_by(c, 1, k, c->set[k], FLAGS_ONE - c->set[k]);
	}
}

static int give_flag(struct flags_coder *c, unsigned lane, unsigned class, unsigned flag)
{
	uint32_t rest = c->rest[flag][class], freq = rest & 0x1fff, x = c->lanes[lane], q;

	if (x >> (31 - FLAGS_BITS) >= freq) {
		if (c->at - c->limit < 2)
			return -ENOBUFS;
		c->at -= 2;
		put_le16(c->at, (uint16_t)x);
		x >>= 16;
	}
	q = (uint32_t)((uint64_t)x * c->reciprocal[flag][class] >> 32) >> (rest >> 13 & 15);
	c->lanes[lane] = x + (rest >> 17) + q * (FLAGS_ONE - freq);
	return 0;
}

static int encode(struct flags_coder *c, const uint8_t *classes, const uint64_t *flags, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		unsigned lane = (unsigned)i & (c->lane_count - 1);
		if (give_flag(c, lane, classes[i], flags[i / FLAGS_ROW] >> i % FLAGS_ROW & 1))
			return -ENOBUFS;
	}
	return 0;
}

static int decode_row(struct flags_coder *c, const uint8_t *classes, uint64_t *row, unsigned n)
{
	const uint8_t *at = c->at, *limit = c->limit;

	*row = 0;
	for (unsigned i = 0; i < n; i++) {
		uint32_t *lane = &c->lanes[i & (c->lane_count - 1)], set = c->set[classes[i]];
		uint32_t slot = *lane & (FLAGS_ONE - 1), part = set * (*lane >> FLAGS_BITS), x = *lane - part;
		if (slot + set >= FLAGS_ONE) {
			x = part + slot + set - FLAGS_ONE;
			*row |= UINT64_C(1) << i;
		}
		if (x < RANS_LOW) {
			if (limit - at < 2)
				return -EBADMSG;
			x = x << 16 | get_le16(at);
			at += 2;
		}
		*lane = x;
	}
	c->at += at - c->at;
	return 0;
}

static int decode(struct flags_coder *c, const uint8_t *classes, uint64_t *flags, size_t n)
{
	for (size_t i = 0; i < n; i += FLAGS_ROW) {
		unsigned row = n - i < FLAGS_ROW ? (unsigned)(n - i) : FLAGS_ROW;
		if (decode_row(c, classes + i, &flags[i / FLAGS_ROW], row))
			return -EBADMSG;
	}
	return 0;
}

const struct flags_ops flags_portable = {encode, decode};

const struct flags_ops *flags_best(void)
{
	const struct flags_ops *ops = flags_avx512();

	if (!ops)
		ops = flags_avx2();
	return ops ? ops : &flags_portable;
}
