#include "store/codec/changes.h"

#include <errno.h>
#include <string.h>

#include "store/codec/bits.h"
#include "store/codec/fetch.h"
#include "store/codec/flags.h"
#include "store/codec/numbers.h"
#include "store/codec/range.h"
#include "store/codec/varint.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define BLOCK 64u /* elements: to see whether changes keep together */
#define GROUP 8u
#define UNIT_BITS 12 /* of a weight: 1/4096 bit */
#define LEVELS_LOG 2 /* weights between one power of two and the next */
#define LEVEL_MAX 63
#define CHANGES_CONTEXTS 17u
#define SIGNS_A_LANE 15u
#define STATE_LOW 15u  /* bits of the least state behind its first one */
#define STATE_BYTES 5u /* at most */
#define FLAGS_LOG 6u
#define MANY 32768u    /* elements */
#define FETCH 1024u    /* bytes worked on at a time */
#define TOTALS_STEP 4u /* one in so many groups is counted */

void changes_init(uint32_t powers[CHANGES_POWERS])
{
	/* 2^62 * 2^(-1/256) */
	const uint64_t root = UINT64_C(4599216278082138665);
	uint64_t x = UINT64_C(1) << 62;

	for (unsigned i = 0; i < CHANGES_POWERS; i++) {
		powers[i] = (uint32_t)(x >> 46);
		x = (uint64_t)((unsigned __int128)x * root >> 62);
	}
}

/* --- the model --- */

static uint16_t weight_of(unsigned level)
{
	if (!level)
		return 0;
	level--;
	return (uint16_t)(((1u << LEVELS_LOG) + (level & 3)) << (level >> LEVELS_LOG) >> LEVELS_LOG);
}

/* floor(2^12 * 2^(-weight / 4096)), but at least 1, and less than all where there is any weight. */
static uint32_t clear_of(const struct codec_workspace *ws, unsigned level)
{
	uint32_t weight = weight_of(level);
	uint32_t f =
		ws->powers[weight >> (UNIT_BITS - 8) & 255] >> (weight >> UNIT_BITS) >> (16 - FLAGS_BITS);

	if (f < 1)
		return 1;
	return level && f == FLAGS_ONE ? FLAGS_ONE - 1 : f;
}

struct learning {
	uint16_t level[2][RANGE_GAMMA], more[RANGE_GAMMA], size[CHANGES_CONTEXTS][RANGE_GAMMA];
};

static void learning_init(struct learning *l)
{
	range_even((uint16_t *)l, sizeof *l / sizeof(uint16_t));
}

/* Of the amount of a change: the octave of the class's level. */
static inline uint8_t context_of(unsigned level)
{
	return (uint8_t)((level + 3) >> LEVELS_LOG);
}

/* Sign k of the first SIGNS_A_LANE * lanes is in the state that lane k % lanes has at the end. */
static size_t signs_inside(const struct flags_coder *c)
{
	return SIGNS_A_LANE * c->lane_count;
}

/* --- encode --- */

/* The level whose weight is next to -log2(1 - changed / total). */
static unsigned level_of(const struct sample *logarithms, uint32_t changed, uint32_t total)
{
	uint32_t want;
	unsigned level = 1;

	if (!changed)
		return 0;
	if (changed >= total)
		return LEVEL_MAX;
	want = (sample_log2(logarithms, total) - sample_log2(logarithms, total - changed)) >>
	       (16 - UNIT_BITS);
	while (level < LEVEL_MAX && weight_of(level) + weight_of(level + 1) < 2 * want)
		level++;
	return level;
}

/* Counts every TOTALS_STEPth group of elements by class. */
static void count_classes(const struct codec_workspace *ws, size_t n, uint32_t total[256])
{
	uint32_t counts[4][256] = {{0}};

	for (size_t i = 0; i + GROUP <= n; i += TOTALS_STEP * GROUP) {
		uint64_t c = get_le64(ws->classes + i);
		for (unsigned k = 0; k < GROUP; k++)
			counts[k & 3][(uint8_t)(c >> 8 * k)] += TOTALS_STEP;
	}
	for (unsigned c = 0; c < 256; c++)
		total[c] = counts[0][c] + counts[1][c] + counts[2][c] + counts[3][c];
}

static inline void put_element(uint8_t *p, uint32_t x, unsigned log_width)
{
	if (log_width == 0)
		*p = (uint8_t)x;
	else if (log_width == 1)
		put_le16(p, (uint16_t)x);
	else
		put_le32(p, x);
}

/* order() of payload.h, and what it is of. */
static inline uint32_t ordered(uint32_t x, unsigned bits)
{
	return x ^ ((0 - (x >> (bits - 1))) | 1u << (bits - 1));
}

/* Of what is y modulo 2^bits. */
static inline uint32_t unordered(uint32_t y, unsigned bits)
{
	return y ^ (((y >> (bits - 1) & 1) - 1) | 1u << (bits - 1));
}

/* Classes of all elements, and flags of those that differ from the base. */
static void compare(
	struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind, size_t n)
{
	const uint8_t *src = in->src, *base = in->base;
	size_t len = n << kind.log_width, piece = FETCH >> kind.log_width;

	for (size_t i = 0; i < n; i += piece) {
		size_t off = i << kind.log_width, count = n - i < piece ? n - i : piece;
		fetch(src, len, off + FETCH, FETCH);
		fetch(base, len, off + FETCH, FETCH);
		ws->numbers->classes[kind.log_width](ws->classes + i, base + off, count, kind.class_shift);
		ws->numbers->differ[kind.log_width](ws->flags + i / FLAGS_ROW, src + off, base + off, count);
	}
}

/* Puts the places of elements that differ into ws->changed and their differences into ws->values32; counts
 * them by class. Returns how many. */
static inline size_t list_of_width(struct codec_workspace *ws, const struct codec_input *in,
	unsigned log_width, size_t n, uint32_t changed[256])
{
	const uint8_t *src = in->src, *base = in->base;
	unsigned bits = 8u << log_width;
	size_t found = ws->numbers->places(ws->changed, ws->flags, n);

	for (size_t k = 0; k < found; k++) {
		size_t at = ws->changed[k], off = at << log_width;
		ws->values32[k] = ordered(element_at(src + off, log_width), bits) -
				  ordered(element_at(base + off, log_width), bits);
		changed[ws->classes[at]]++;
	}
	return found;
}

static size_t find(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	size_t n, uint32_t changed[256])
{
	memset(changed, 0, 256 * sizeof *changed);
	switch (kind.log_width) {
	case 0:
		return list_of_width(ws, in, 0, n, changed);
	case 1:
		return list_of_width(ws, in, 1, n, changed);
	default:
		return list_of_width(ws, in, 2, n, changed);
	}
}

/* Whether changes keep together, in rows that were used, say: far fewer blocks have any than if they were
 * strewn. Runs of bytes are smaller then. */
static int keep_together(const struct codec_workspace *ws, size_t n, size_t found)
{
	size_t blocks = (n + BLOCK - 1) / BLOCK, with = 0, last = SIZE_MAX, strewn;

	for (size_t i = 0; i < found; i++) {
		with += ws->changed[i] / BLOCK != last;
		last = ws->changed[i] / BLOCK;
	}
	/* blocks * (1 - (1 - 1 / blocks)^found) is at least this */
	strewn = (size_t)((uint64_t)blocks * found / (blocks + found));
	return found > BLOCK && with < strewn * 3 / 4;
}

static uint32_t zigzag(int v)
{
	return (uint32_t)v << 1 ^ (v < 0 ? UINT32_MAX : 0);
}

/* The levels of classes, from how many changed; sets ws->levels and the coder's frequencies. */
static void write_levels(struct codec_workspace *ws, struct range_encoder *e, struct learning *l,
	unsigned classes, const uint32_t *total, const uint32_t *changed)
{
	int level = 0;
	unsigned moved = 0;

	for (unsigned c = 0; c < classes; c++) {
		int next = total[c] || changed[c] ? (int)level_of(&ws->sample, changed[c], total[c]) : level;
		range_encode_gamma(e, zigzag(next - level), l->level[moved]);
		moved = next != level;
		level = next;
		ws->levels[c] = (uint8_t)level;
	}
	memset(ws->levels + classes, 0, 256 - classes);
}

/* Puts the context of each change into ws->symbols, and ws->more: whether it is by more than 1. */
static void sort_sizes(
	struct codec_workspace *ws, size_t found, uint32_t bits, uint32_t *total, uint32_t *more)
{
	memset(total, 0, CHANGES_CONTEXTS * sizeof *total);
	memset(more, 0, CHANGES_CONTEXTS * sizeof *more);
	memset(ws->more, 0, (found / FLAGS_ROW + 1) * sizeof *ws->more);
	for (size_t k = 0; k < found; k++) {
		uint8_t context = context_of(ws->levels[ws->classes[ws->changed[k]]]);
		uint32_t d = ws->values32[k] << (32 - bits);
		uint64_t large = d != 1u << (32 - bits) && d != 0 - (1u << (32 - bits));
		ws->symbols[k] = context;
		total[context]++;
		more[context] += (uint32_t)large;
		ws->more[k / FLAGS_ROW] |= large << k % FLAGS_ROW;
	}
}

static void write_sizes(struct codec_workspace *ws, struct range_encoder *e, struct learning *l, size_t found,
	unsigned bits, uint8_t *levels)
{
	uint32_t total[CHANGES_CONTEXTS], more[CHANGES_CONTEXTS];
	int level = 0;

	sort_sizes(ws, found, bits, total, more);
	for (unsigned c = 1; c < CHANGES_CONTEXTS; c++) {
		int next = total[c] ? (int)level_of(&ws->sample, more[c], total[c]) : level;
		range_encode_gamma(e, zigzag(next - level), l->more);
		levels[c] = (uint8_t)(level = next);
	}
	for (size_t k = 0; k < found; k++) {
		int32_t d = (int32_t)(ws->values32[k] << (32 - bits)) >> (32 - bits);
		if (ws->more[k / FLAGS_ROW] >> k % FLAGS_ROW & 1)
			range_encode_gamma(
				e, (d < 0 ? 0 - (uint32_t)d : (uint32_t)d) - 2, l->size[ws->symbols[k]]);
	}
}

/* As many as the signs of changes fill the states of; but enough for speed where elements are many. */
static unsigned lanes_for(size_t n, size_t found)
{
	unsigned lanes = n < MANY ? 1 : FLAGS_ROW / 4;

	while (lanes < FLAGS_ROW && 2 * lanes * SIGNS_A_LANE <= found)
		lanes *= 2;
	return lanes;
}

/* Puts the signs into the states that encoding begins with, and those that are left to *rest. Returns the
 * bytes of those. */
static size_t put_signs(struct codec_workspace *ws, size_t found, unsigned bits, uint8_t *rest)
{
	struct flags_coder *c = &ws->flags_coder;
	size_t inside = signs_inside(c), left = found > inside ? (found - inside + 7) / 8 : 0;

	for (unsigned i = 0; i < c->lane_count; i++)
		c->lanes[i] = RANS_LOW;
	memset(rest, 0, left);
	for (size_t k = 0; k < found; k++) {
		uint32_t sign = ws->values32[k] >> (bits - 1) & 1;
		if (k < inside)
			c->lanes[k & (c->lane_count - 1)] |= sign << k / c->lane_count;
		else
			rest[(k - inside) / 8] |= (uint8_t)(sign << (k - inside) % 8);
	}
	return left;
}

static void set_levels(struct codec_workspace *ws, const uint8_t *levels, unsigned count, int forward)
{
	for (unsigned c = 0; c < 256; c++)
		ws->flags_coder.clear[c] = clear_of(ws, c < count ? levels[c] : 0);
	flags_prepare(&ws->flags_coder, forward);
}

/* Of each state how many bits it has, less 16, and those below the first. Returns the bytes. */
static size_t put_states(const struct flags_coder *c, uint8_t *to)
{
	struct bits_out b = {.at = to};

	for (unsigned i = 0; i < c->lane_count; i++) {
		unsigned below = 31u - (unsigned)__builtin_clz(c->lanes[i]);
		put_bits(&b, below - STATE_LOW, 4);
		put_bits(&b, c->lanes[i] ^ 1u << below, below);
	}
	put_bits_end(&b);
	return (size_t)(b.at - to);
}

/* Flags of both kinds, the last first; *words begin behind what is returned. 0: they do not fit. */
static const uint8_t *encode_flags(
	struct codec_workspace *ws, size_t n, size_t found, const uint8_t *more_levels)
{
	struct flags_coder *c = &ws->flags_coder;

	c->shuffles = &ws->shuffles;
	c->limit = ws->planes;
	c->at = ws->planes + sizeof ws->planes;
	set_levels(ws, more_levels, CHANGES_CONTEXTS, 1);
	if (ws->flagger->encode(c, ws->symbols, ws->more, found))
		return NULL;
	set_levels(ws, ws->levels, 256, 1);
	return ws->flagger->encode(c, ws->classes, ws->flags, n) ? NULL : c->at;
}

size_t changes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	int clustered)
{
	struct number_kind kind = number_kind_of(in->dtype);
	size_t n = in->len >> kind.log_width, tail = in->len - (n << kind.log_width), found, used = 1, len,
	       signs, words;
	uint32_t total[256], changed[256];
	struct flags_coder *c = &ws->flags_coder;
	uint8_t more_levels[CHANGES_CONTEXTS] = {0}, *rest = ws->gaps;
	const uint8_t *at;
	struct range_encoder e;
	struct learning l;

	compare(ws, in, kind, n);
	count_classes(ws, n, total);
	found = find(ws, in, kind, n, changed);
	if (!clustered && keep_together(ws, n, found))
		return 0;
	range_encode_init(&e, ws->out, sizeof ws->out);
	learning_init(&l);
	write_levels(ws, &e, &l, kind.classes, total, changed);
	write_sizes(ws, &e, &l, found, kind.bits, more_levels);
	len = range_encode_end(&e);
	c->lane_count = lanes_for(n, found);
	signs = put_signs(ws, found, kind.bits, rest);
	at = encode_flags(ws, n, found, more_levels);
	if (len >= in->len || !at)
		return 0;
	words = (size_t)(ws->planes + sizeof ws->planes - at);
	if (capacity < used + VARINT_MAX + len + STATE_BYTES * c->lane_count + words + signs + tail)
		return 0;
	dst[0] = (uint8_t)__builtin_ctz(c->lane_count);
	used += put_varint(dst + used, len);
	memcpy(dst + used, ws->out, len);
	used += len;
	used += put_states(c, dst + used);
	memcpy(dst + used, at, words);
	memcpy(dst + used + words, rest, signs);
	memcpy(dst + used + words + signs, (const uint8_t *)in->src + in->len - tail, tail);
	return used + words + signs + tail;
}

/* --- decode --- */

static int read_level(struct range_decoder *d, uint16_t p[RANGE_GAMMA], uint8_t *level)
{
	uint32_t z = range_decode_gamma(d, p);
	int64_t next = (int64_t)*level + (int32_t)(z >> 1 ^ (0 - (z & 1)));

	if (next < 0 || next > LEVEL_MAX)
		return -EBADMSG;
	*level = (uint8_t)next;
	return 0;
}

static int read_levels(struct codec_workspace *ws, struct range_decoder *d, struct learning *l,
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

	if (*at == end || **at > FLAGS_LOG)
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
		contexts[c] = context_of(ws->levels[c]);
	for (size_t k = 0; k < found; k++)
		ws->symbols[k] = contexts[ws->classes[ws->changed[k]]];
}

/* Whether the states are what signs, and none behind the last, leave; and as many bytes as there are to be.
 */
static int signs_sound(const struct flags_coder *c, size_t found)
{
	size_t inside = signs_inside(c), left = found > inside ? found - inside : 0;

	for (unsigned i = 0; i < c->lane_count; i++) {
		size_t count = found > i ? (found - i + c->lane_count - 1) / c->lane_count : 0;
		uint32_t signs = c->lanes[i] ^ RANS_LOW;
		if (signs >> (count < SIGNS_A_LANE ? count : SIGNS_A_LANE))
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
	unsigned log_width, size_t found, struct range_decoder *d, struct learning *l)
{
	const struct flags_coder *c = &ws->flags_coder;
	unsigned bits = 8u << log_width, log_lanes = (unsigned)__builtin_ctz(c->lane_count);
	size_t inside = signs_inside(c);

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
	struct number_kind kind, size_t found, struct range_decoder *d, struct learning *l)
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
	size_t len = n << kind.log_width, piece = FETCH >> kind.log_width;

	set_levels(ws, ws->levels, 256, 0);
	for (size_t i = 0; i < n; i += piece) {
		size_t off = i << kind.log_width, count = n - i < piece ? n - i : piece;
		fetch(base, len, off + FETCH, FETCH);
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
	struct learning l;

	if (!kind.bits || !n)
		return -EBADMSG;
	learning_init(&l);
	if (read_head(ws, &at, end, tail, &d) || read_levels(ws, &d, &l, kind.classes, more))
		return -EBADMSG;
	if (decode_flags(ws, dst, n, kind, base))
		return -EBADMSG;
	found = ws->numbers->places(ws->changed, ws->flags, n);
	sort_changes(ws, found);
	set_levels(ws, more, CHANGES_CONTEXTS, 0);
	if (ws->flagger->decode(&ws->flags_coder, ws->symbols, ws->more, found) ||
		!signs_sound(&ws->flags_coder, found))
		return -EBADMSG;
	put_changes(ws, dst, base, kind, found, &d, &l);
	memcpy(dst + raw_len - tail, end - tail, tail);
	return range_decode_all(&d) ? 0 : -EBADMSG;
}
