#include "store/codec/rans.h"

#include <errno.h>
#include <string.h>

#include "store/codec/rans_avx2.h"
#include "store/codec/rans_avx512.h"
#include "store/util/bytes.h"

#define NEAR_SHARE 64u /* one symbol in so many may be elsewhere */

void rans_shuffles_init(struct rans_shuffles *shuffles)
{
	for (unsigned mask = 0; mask < 256; mask++) {
		unsigned taken = 0, given = 8 - (unsigned)__builtin_popcount(mask);
		uint64_t take = 0, give = 0;
		for (unsigned k = 0; k < 8; k++) {
			if (!(mask >> k & 1))
				continue;
			take |= (uint64_t)taken++ << 8 * k;
			give |= (uint64_t)k << 8 * given++;
		}
		shuffles->take[mask] = take;
		shuffles->give[mask] = give;
	}
}

struct rans_divisor rans_divisor_of(uint32_t freq)
{
	unsigned shift = 0;

	if (freq <= 1)
		return (struct rans_divisor){UINT32_MAX, 0};
	while (1u << shift < freq)
		shift++;
	return (struct rans_divisor){
		(uint32_t)(((UINT64_C(1) << (shift + 31)) + freq - 1) / freq), shift - 1};
}

/* What the quotient lacks for a freq of 1 is added with the start. */
static struct rans_forward forward_of(uint32_t freq, uint32_t start)
{
	struct rans_divisor d = rans_divisor_of(freq);
	uint32_t added = start + (freq <= 1 ? RANS_ONE - 1 : 0);

	return (struct rans_forward){d.reciprocal, (freq ? freq : 1) | d.shift << 12 | added << 16};
}

/* Where most of the symbols of the first table are near each other. */
static void set_near(struct rans_coder *c, const uint16_t *freqs)
{
	unsigned sum = 0, most = 0, best = 0;
	struct rans_near *near = &c->near;

	for (unsigned s = 0; s < RANS_SYMBOLS; s++) {
		sum += freqs[s] - (s < RANS_WINDOW ? 0u : freqs[s - RANS_WINDOW]);
		if (sum > most) {
			most = sum;
			best = s < RANS_WINDOW ? 0 : s + 1 - RANS_WINDOW;
		}
	}
	if (most < RANS_ONE - RANS_ONE / NEAR_SHARE)
		return;
	near->first = best;
	near->all = most == RANS_ONE;
	for (unsigned s = best; s < best + RANS_WINDOW; s++) {
		struct rans_forward f = c->forward[s];
		uint32_t freq = f.rest & 0xfff, i = s % RANS_WINDOW;
		near->reciprocal[i] = f.reciprocal;
		near->shift[i] = f.rest >> 12 & 15;
		near->added[i] = f.rest >> 16;
		near->most[i] = (freq << 20) - 1;
		near->lacks[i] = RANS_ONE - freq;
	}
}

void rans_forward_init(struct rans_coder *c, const uint16_t (*freqs)[RANS_SYMBOLS], unsigned tables)
{
	for (unsigned t = 0; t < tables; t++) {
		uint32_t start = 0;
		for (unsigned s = 0; s < RANS_SYMBOLS; s++) {
			c->forward[t * RANS_SYMBOLS + s] = forward_of(freqs[t][s], start);
			start += freqs[t][s];
		}
	}
	c->near.first = RANS_NO_WINDOW;
	if (tables == 1)
		set_near(c, freqs[0]);
}

void rans_backward_init(struct rans_coder *c, const uint16_t (*freqs)[RANS_SYMBOLS], unsigned tables)
{
	for (unsigned t = 0; t < tables; t++) {
		uint32_t *slot = c->backward + t * RANS_ONE;
		for (uint32_t s = 0; s < RANS_SYMBOLS; s++)
			for (uint32_t i = 0; i < freqs[t][s]; i++)
				*slot++ = freqs[t][s] | i << 12 | s << 24;
	}
}

unsigned rans_window_of(const uint32_t table[256])
{
	unsigned low = 0, high = 255;

	while (low < 255 && table[low + 1] == table[0])
		low++;
	while (high && table[high - 1] == table[255])
		high--;
	if (low + RANS_WINDOW > 256)
		low = 256 - RANS_WINDOW;
	return high < low + RANS_WINDOW ? low : RANS_NO_WINDOW;
}

void rans_classes_set(struct rans_coder *c, const uint32_t *classes)
{
	c->classes = classes;
	c->window = rans_window_of(classes);
	c->raw_max = 0;
	for (unsigned k = 0; k < 256; k++) {
		if ((classes[k] & 0xff) > c->raw_max)
			c->raw_max = classes[k] & 0xff;
	}
}

void rans_encode_begin(struct rans_coder *c, uint8_t *start, uint8_t *end)
{
	for (unsigned i = 0; i < c->lane_count; i++)
		c->lanes[i] = RANS_LOW;
	c->limit = start;
	c->at = end;
}

size_t rans_encoded_len(const struct rans_coder *c, const uint8_t *end)
{
	return 4 * c->lane_count + (size_t)(end - c->at);
}

void rans_encoded_put(const struct rans_coder *c, const uint8_t *end, uint8_t *dst)
{
	for (unsigned i = 0; i < c->lane_count; i++, dst += 4)
		put_le32(dst, c->lanes[i]);
	memcpy(dst, c->at, (size_t)(end - c->at));
}

int rans_decode_begin(struct rans_coder *c, const uint8_t *src, size_t len)
{
	if (len < 4 * c->lane_count)
		return -EBADMSG;
	for (unsigned i = 0; i < c->lane_count; i++)
		c->lanes[i] = get_le32(src + 4 * i);
	c->at = (uint8_t *)src + 4 * c->lane_count;
	c->limit = (uint8_t *)src + len;
	return 0;
}

int rans_decode_end(const struct rans_coder *c)
{
	uint32_t differ = 0;

	for (unsigned i = 0; i < c->lane_count; i++)
		differ |= c->lanes[i] ^ RANS_LOW;
	return differ || c->at != c->limit ? -EBADMSG : 0;
}

static int give(struct rans_coder *c, uint32_t *x, uint32_t below)
{
	if (*x < below)
		return 0;
	if (c->at - c->limit < 2)
		return -ENOBUFS;
	c->at -= 2;
	put_le16(c->at, (uint16_t)*x);
	*x >>= 16;
	return 0;
}

static int give_raw(struct rans_coder *c, unsigned lane, uint32_t raw, unsigned r)
{
	if (give(c, &c->lanes[lane], 1u << (31 - r)))
		return -ENOBUFS;
	c->lanes[lane] = c->lanes[lane] << r | (raw & ((1u << r) - 1));
	return 0;
}

static int give_symbol(struct rans_coder *c, unsigned lane, uint32_t table, uint32_t symbol)
{
	struct rans_forward f = c->forward[table * RANS_SYMBOLS + symbol];
	uint32_t freq = f.rest & 0xfff, x, q;

	if (give(c, &c->lanes[lane], freq << 20))
		return -ENOBUFS;
	x = c->lanes[lane];
	q = (uint32_t)((uint64_t)x * f.reciprocal >> 32) >> (f.rest >> 12 & 15);
	c->lanes[lane] = x + (f.rest >> 16) + q * (RANS_ONE - freq);
	return 0;
}

static uint32_t raw_at(const struct rans_coder *c, const void *raw, size_t i)
{
	return c->raw_bytes == 2 ? ((const uint16_t *)raw)[i] : ((const uint32_t *)raw)[i];
}

/* The row begins with element `from` of raw. */
static int encode_row(struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const void *raw,
	size_t from, unsigned n)
{
	for (unsigned i = n; c->raw_max > RANS_RAW_STEP && i-- > 0;) {
		unsigned r = c->classes[classes ? classes[i] : 0] & 0xff;
		if (r > RANS_RAW_STEP &&
			give_raw(c, i, raw_at(c, raw, from + i) >> RANS_RAW_STEP, r - RANS_RAW_STEP))
			return -ENOBUFS;
	}
	for (unsigned i = n; c->raw_max && i-- > 0;) {
		unsigned r = c->classes[classes ? classes[i] : 0] & 0xff;
		if (give_raw(c, i, raw_at(c, raw, from + i), r < RANS_RAW_STEP ? r : RANS_RAW_STEP))
			return -ENOBUFS;
	}
	for (unsigned i = n; i-- > 0;) {
		if (give_symbol(c, i, c->classes[classes ? classes[i] : 0] >> 8, symbols[i]))
			return -ENOBUFS;
	}
	return 0;
}

static int encode(
	struct rans_coder *c, const uint8_t *classes, const uint8_t *symbols, const void *raw, size_t n)
{
	while (n) {
		size_t row = (n - 1) % c->lane_count + 1;
		n -= row;
		if (encode_row(c, classes ? classes + n : NULL, symbols + n, raw, n, (unsigned)row))
			return -ENOBUFS;
	}
	return 0;
}

static int take(struct rans_coder *c, unsigned lane)
{
	if (c->lanes[lane] >= RANS_LOW)
		return 0;
	if (c->limit - c->at < 2)
		return -EBADMSG;
	c->lanes[lane] = c->lanes[lane] << 16 | get_le16(c->at);
	c->at += 2;
	return 0;
}

static int take_raw(struct rans_coder *c, unsigned lane, unsigned r, uint32_t *raw)
{
	*raw = c->lanes[lane] & ((1u << r) - 1);
	c->lanes[lane] >>= r;
	return take(c, lane);
}

static int decode_row(
	struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, unsigned n)
{
	uint32_t raw;

	for (unsigned i = 0; i < n; i++) {
		uint32_t class = c->classes[classes ? classes[i] : 0], x = c->lanes[i];
		uint32_t entry = c->backward[(class >> 8) * RANS_ONE + (x & (RANS_ONE - 1))];
		c->lanes[i] = (entry & 0xfff) * (x >> RANS_BITS) + (entry >> 12 & 0xfff);
		symbols[i] = (uint8_t)(entry >> 24);
		values[i] = ((entry >> 24) + (uint32_t)c->origin) << (class & 0xff);
		if (take(c, i))
			return -EBADMSG;
	}
	for (unsigned i = 0; i < n && c->raw_max; i++) {
		unsigned r = c->classes[classes ? classes[i] : 0] & 0xff;
		if (take_raw(c, i, r < RANS_RAW_STEP ? r : RANS_RAW_STEP, &raw))
			return -EBADMSG;
		values[i] += raw;
	}
	for (unsigned i = 0; i < n && c->raw_max > RANS_RAW_STEP; i++) {
		unsigned r = c->classes[classes ? classes[i] : 0] & 0xff;
		if (take_raw(c, i, r > RANS_RAW_STEP ? r - RANS_RAW_STEP : 0, &raw))
			return -EBADMSG;
		values[i] += raw << RANS_RAW_STEP;
	}
	return 0;
}

static int decode(struct rans_coder *c, const uint8_t *classes, uint32_t *values, uint8_t *symbols, size_t n)
{
	for (size_t i = 0; i < n; i += c->lane_count) {
		unsigned row = n - i < c->lane_count ? (unsigned)(n - i) : c->lane_count;
		if (decode_row(c, classes ? classes + i : NULL, values + i, symbols + i, row))
			return -EBADMSG;
	}
	return 0;
}

const struct rans_ops rans_portable = {encode, decode};

const struct rans_ops *rans_best(void)
{
	const struct rans_ops *ops = rans_avx512();

	if (!ops)
		ops = rans_avx2();
	return ops ? ops : &rans_portable;
}
