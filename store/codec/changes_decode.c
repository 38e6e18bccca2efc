#include <errno.h>
#include <string.h>

#include "store/codec/bits.h"
#include "store/codec/changes_model.h"
#include "store/codec/fetch.h"
#include "store/codec/varint.h"
#include "store/util/bytes.h"

#define LANES_LOG_MAX 6u

static int read_level(struct range_decoder *d, uint16_t p[RANGE_GAMMA], uint8_t *level)
{
	uint32_t z = range_decode_gamma(d, p);
	int64_t next = (int64_t)*level + (int32_t)(z >> 1 ^ (0 - (z & 1)));

	if (next < 0 || next > CHANGES_LEVEL_MAX)
		return -EBADMSG;
	*level = (uint8_t)next;
	return 0;
}

static int read_levels(struct codec_workspace *ws, struct range_decoder *d, struct changes_learning *l,
	unsigned classes, uint8_t *more)
{
	uint8_t level = 0, before = 0;
	unsigned moved = 0;

	for (unsigned c = 0; c < classes; c++, before = level) {
		if (read_level(d, l->level[moved], &level))
			return -EBADMSG;
		moved = level != before;
		ws->levels[c] = level;
	}
	memset(ws->levels + classes, 0, 256 - classes);
	level = more[0] = 0;
	for (unsigned c = 1; c < CHANGES_CONTEXTS; c++) {
		if (read_level(d, l->more, &level))
			return -EBADMSG;
		more[c] = level;
	}
	return 0;
}

/* The states; and what is behind them, to where the coder may read a row too much. */
static int get_states(struct codec_workspace *ws, const uint8_t *from, const uint8_t *end)
{
	struct flags_coder *c = &ws->flags_coder;
	struct bits_in b = {.at = from, .end = end};
	size_t len;

	for (unsigned i = 0; i < c->lane_count; i++) {
		unsigned below = STATE_LOW + get_bits(&b, 4);
		c->lanes[i] = 1u << below | get_bits(&b, below);
	}
	len = (size_t)(end - b.at);
	if (!get_bits_end(&b) || len > CODEC_CHUNK_MAX)
		return -EBADMSG;
	memcpy(ws->out, b.at, len);
	memset(ws->out + len, 0, FLAGS_SLACK);
	c->at = ws->out;
	c->limit = ws->out + len;
	c->shuffles = &ws->shuffles;
	return 0;
}

static int read_head(struct codec_workspace *ws, const uint8_t **at, const uint8_t *end, size_t tail,
	struct range_decoder *d)
{
	struct flags_coder *c = &ws->flags_coder;
	size_t len;

	if (*at == end || **at > LANES_LOG_MAX)
		return -EBADMSG;
	c->lane_count = 1u << *(*at)++;
	if (get_varint(at, end, &len) || len > (size_t)(end - *at))
		return -EBADMSG;
	range_decode_init(d, *at, len);
	*at += len;
	if ((size_t)(end - *at) < tail)
		return -EBADMSG;
	return get_states(ws, *at, end - tail);
}

/* The contexts of their amounts, into ws->symbols. */
static void sort_changes(struct codec_workspace *ws, size_t found)
{
	uint8_t contexts[256];

	for (unsigned c = 0; c < 256; c++)
		contexts[c] = changes_context(ws->levels[c]);
	for (size_t k = 0; k < found; k++)
		ws->symbols[k] = contexts[ws->classes[ws->changed[k]]];
}

/* Whether the states are what signs, and none behind the last, leave; and as many bytes as there are to be.
 */
static int signs_sound(const struct flags_coder *c, size_t found)
{
	size_t inside = changes_signs_inside(c), left = found > inside ? found - inside : 0;

	for (unsigned i = 0; i < c->lane_count; i++) {
		size_t count = found > i ? (found - i + c->lane_count - 1) / c->lane_count : 0;
		uint32_t signs = c->lanes[i] ^ RANS_LOW;
		if (signs >> (count < CHANGES_SIGNS ? count : CHANGES_SIGNS))
			return 0;
	}
	return (size_t)(c->limit - c->at) == (left + 7) / 8 && (left % 8 == 0 || !(c->limit[-1] >> left % 8));
}

/* 1 or -1 */
static inline uint32_t sign_of(const struct flags_coder *c, size_t k, size_t inside, unsigned log_lanes)
{
	uint32_t negative;

	if (k < inside)
		negative = c->lanes[k & (c->lane_count - 1)] >> (k >> log_lanes) & 1;
	else
		negative = c->at[(k - inside) / 8] >> (k - inside) % 8 & 1u;
	return 1 - 2 * negative;
}

/* First as if all changed by 1; then those that did not. */
static inline void put_of_width(struct codec_workspace *ws, uint8_t *dst, const uint8_t *base,
	unsigned log_width, size_t found, struct range_decoder *d, struct changes_learning *l)
{
	const struct flags_coder *c = &ws->flags_coder;
	unsigned bits = 8u << log_width, log_lanes = (unsigned)__builtin_ctz(c->lane_count);
	size_t inside = changes_signs_inside(c);

	for (size_t k = 0; k < found; k++) {
		size_t off = (size_t)ws->changed[k] << log_width;
		uint32_t y =
			ordered(element_at(base + off, log_width), bits) + sign_of(c, k, inside, log_lanes);
		put_element(dst + off, unordered(y, bits), log_width);
	}
	for (size_t i = 0; i < found; i += FLAGS_ROW) {
		for (uint64_t word = ws->more[i / FLAGS_ROW]; word; word &= word - 1) {
			size_t k = i + (size_t)__builtin_ctzll(word),
			       off = (size_t)ws->changed[k] << log_width;
			uint32_t size = 2 + range_decode_gamma(d, l->size[ws->symbols[k]]);
			uint32_t y = ordered(element_at(base + off, log_width), bits) +
				     size * sign_of(c, k, inside, log_lanes);
			put_element(dst + off, unordered(y, bits), log_width);
		}
	}
}

static void put_changes(struct codec_workspace *ws, uint8_t *dst, const uint8_t *base,
	struct number_kind kind, size_t found, struct range_decoder *d, struct changes_learning *l)
{
	switch (kind.log_width) {
	case 0:
		put_of_width(ws, dst, base, 0, found, d, l);
		break;
	case 1:
		put_of_width(ws, dst, base, 1, found, d, l);
		break;
	default:
		put_of_width(ws, dst, base, 2, found, d, l);
	}
}

/* Which elements changed, and all of the base copied to dst. */
static int decode_flags(
	struct codec_workspace *ws, uint8_t *dst, size_t n, struct number_kind kind, const uint8_t *base)
{
	size_t len = n << kind.log_width, piece = CHANGES_PIECE >> kind.log_width;

	changes_set_levels(ws, ws->levels, 256, 0);
	for (size_t i = 0; i < n; i += piece) {
		size_t off = i << kind.log_width, count = n - i < piece ? n - i : piece;
		fetch(base, len, off + 2 * CHANGES_PIECE, CHANGES_PIECE);
		ws->numbers->classes[kind.log_width](ws->classes + i, base + off, count, kind.class_shift);
		memcpy(dst + off, base + off, count << kind.log_width);
		if (ws->flagger->decode(&ws->flags_coder, ws->classes + i, ws->flags + i / FLAGS_ROW, count))
			return -EBADMSG;
	}
	return 0;
}

int changes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base)
{
	struct number_kind kind = number_kind_of(dtype);
	size_t n = raw_len >> kind.log_width, tail = raw_len - (n << kind.log_width), found;
	const uint8_t *at = payload, *end = payload + len;
	uint8_t more[CHANGES_CONTEXTS];
	struct range_decoder d;
	struct changes_learning l;

	if (!kind.bits || !n)
		return -EBADMSG;
	changes_learning_init(&l);
	if (read_head(ws, &at, end, tail, &d) || read_levels(ws, &d, &l, kind.classes, more))
		return -EBADMSG;
	if (decode_flags(ws, dst, n, kind, base))
		return -EBADMSG;
	found = ws->numbers->places(ws->changed, ws->flags, n);
	sort_changes(ws, found);
	changes_set_levels(ws, more, CHANGES_CONTEXTS, 0);
	if (ws->flagger->decode(&ws->flags_coder, ws->symbols, ws->more, found) ||
		!signs_sound(&ws->flags_coder, found))
		return -EBADMSG;
	put_changes(ws, dst, base, kind, found, &d, &l);
	memcpy(dst + raw_len - tail, end - tail, tail);
	return range_decode_all(&d) ? 0 : -EBADMSG;
}
