#include "store/codec/changes.h"

#include <errno.h>
#include <string.h>

#include "store/codec/numbers.h"
#include "store/codec/range.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define BLOCK 64u /* elements */
#define GROUP NUMBER_GROUP
#define UNIT_BITS 12 /* of a weight: 1/4096 bit */
#define LEVELS_LOG 2 /* weights between one power of two and the next */
#define LEVEL_MAX 63
#define STRIDE 32u	  /* bytes compared at a time */
#define TOTALS_STEP 4u	  /* one in so many groups is counted */
#define FLOOR (2 * BLOCK) /* of 65536: kept back, so that each element has a chance */

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

struct learning {
	uint16_t level[2][RANGE_GAMMA], sign, size[17][RANGE_GAMMA];
};

static void learning_init(struct learning *l)
{
	range_even((uint16_t *)l, sizeof *l / sizeof(uint16_t));
	for (unsigned i = 0; i < 17; i++)
		l->size[i][0] = RANGE_ONE / 8 * 7;
}

static uint16_t *size_context(struct learning *l, uint32_t weight)
{
	return l->size[weight ? 32u - (unsigned)__builtin_clz(weight) : 0];
}

/* What is left, of 65536, when none of `count` elements of these weights together changed. */
static inline uint32_t unchanged(const struct codec_workspace *ws, uint32_t weight, unsigned count)
{
	unsigned whole = weight >> UNIT_BITS;
	uint32_t power = whole < 32 ? ws->powers[weight >> (UNIT_BITS - 8) & 255] >> whole : 0;

	return (uint32_t)((uint64_t)power * (RANGE_ONE - FLOOR) >> RANGE_BITS) + FLOOR - count;
}

static uint32_t weight_between(const struct codec_workspace *ws, size_t from, size_t to)
{
	uint32_t sum = 0;

	while (from < to && from % GROUP)
		sum += ws->weights[ws->classes[from++]];
	for (; from + GROUP <= to; from += GROUP)
		sum += ws->sums[from / GROUP];
	while (from < to)
		sum += ws->weights[ws->classes[from++]];
	return sum;
}

/* Of a whole block, mostly. */
static inline uint32_t weight_of_block(const struct codec_workspace *ws, size_t from, size_t to)
{
	uint32_t sum = 0;

	if (to - from < BLOCK)
		return weight_between(ws, from, to);
	for (unsigned i = 0; i < BLOCK / GROUP; i++)
		sum += ws->sums[from / GROUP + i];
	return sum;
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

static inline int same_stride(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[STRIDE / 8], y[STRIDE / 8];

	memcpy(x, a, STRIDE);
	memcpy(y, b, STRIDE);
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

static inline int same_element(const uint8_t *a, const uint8_t *b, unsigned log_width)
{
	switch (log_width) {
	case 0:
		return *a == *b;
	case 1:
		return get_le16(a) == get_le16(b);
	default:
		return get_le32(a) == get_le32(b);
	}
}

/* Puts the places of elements that differ into ws->changed and their differences into ws->values32; counts
 * them by class. Returns how many. */
static size_t find(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	size_t n, uint32_t changed[256])
{
	const uint8_t *src = in->src, *base = in->base;
	size_t found = 0, width = (size_t)1 << kind.log_width, len = n << kind.log_width;

	memset(changed, 0, 256 * sizeof *changed);
	for (size_t off = 0; off < len; off += STRIDE) {
		size_t end = len - off < STRIDE ? len : off + STRIDE;
		if (end == off + STRIDE && same_stride(src + off, base + off))
			continue;
		for (size_t at = off; at < end; at += width) {
			if (same_element(src + at, base + at, kind.log_width))
				continue;
			size_t i = at >> kind.log_width;
			ws->numbers->differences[kind.log_width](
				&ws->values32[found], src + at, base + at, 1);
			ws->changed[found++] = (uint32_t)i;
			changed[ws->classes[i]]++;
		}
	}
	return found;
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

static void write_levels(struct codec_workspace *ws, struct range_encoder *e, struct learning *l,
	unsigned classes, const uint32_t *total, const uint32_t *changed)
{
	int level = 0;
	unsigned moved = 0, c = 0;

	for (; c < classes; c++) {
		int next = total[c] || changed[c] ? (int)level_of(&ws->sample, changed[c], total[c]) : level;
		range_encode_gamma(e, zigzag(next - level), l->level[moved]);
		moved = next != level;
		level = next;
		ws->weights[c] = weight_of((unsigned)level);
	}
	for (; c < 256; c++)
		ws->weights[c] = 0;
}

static void write_size(
	struct range_encoder *e, struct learning *l, uint32_t number, unsigned bits, uint32_t weight)
{
	int32_t d = (int32_t)(number << (32 - bits)) >> (32 - bits);

	range_encode_adaptive(e, d < 0, &l->sign);
	range_encode_gamma(e, (d < 0 ? 0 - (uint32_t)d : (uint32_t)d) - 1, size_context(l, weight));
}

/* One block, whose changes begin with the `next`th; returns which one follows it. */
static size_t write_block(struct codec_workspace *ws, struct range_encoder *e, struct learning *l,
	size_t from, size_t to, size_t next, size_t found, unsigned bits)
{
	uint32_t left = weight_of_block(ws, from, to);

	while (from < to) {
		if (next == found || ws->changed[next] >= to) {
			uint32_t none = unchanged(ws, left, (unsigned)(to - from));
			range_encode_part(e, RANGE_ONE - none, RANGE_ONE);
			break;
		}
		size_t at = ws->changed[next];
		uint32_t weight = ws->weights[ws->classes[at]], before = weight_between(ws, from, at);
		unsigned count = (unsigned)(at - from);
		range_encode_part(e, RANGE_ONE - unchanged(ws, before, count),
			RANGE_ONE - unchanged(ws, before + weight, count + 1));
		write_size(e, l, ws->values32[next++], bits, weight);
		left -= before + weight;
		from = at + 1;
	}
	return next;
}

size_t changes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	int clustered)
{
	struct number_kind kind = number_kind_of(in->dtype);
	size_t n = in->len >> kind.log_width, tail = in->len - (n << kind.log_width), found, used, next = 0;
	uint32_t total[256], changed[256];
	struct range_encoder e;
	struct learning l;

	ws->numbers->classes[kind.log_width](ws->classes, in->base, n, kind.class_shift);
	count_classes(ws, n, total);
	found = find(ws, in, kind, n, changed);
	if (capacity <= tail || (!clustered && keep_together(ws, n, found)))
		return 0;
	memcpy(dst, (const uint8_t *)in->src + in->len - tail, tail);
	range_encode_init(&e, dst + tail, capacity - tail);
	learning_init(&l);
	write_levels(ws, &e, &l, kind.classes, total, changed);
	ws->numbers->weigh(ws->sums, ws->classes, ws->weights, n);
	for (size_t i = 0; i < n && e.used <= e.capacity; i += BLOCK)
		next = write_block(ws, &e, &l, i, n - i < BLOCK ? n : i + BLOCK, next, found, kind.bits);
	used = range_encode_end(&e);
	return used == SIZE_MAX ? 0 : tail + used;
}

/* --- decode --- */

static int read_levels(
	struct codec_workspace *ws, struct range_decoder *d, struct learning *l, unsigned classes)
{
	int64_t level = 0;
	unsigned moved = 0, c = 0;

	for (; c < classes; c++) {
		uint32_t z = range_decode_gamma(d, l->level[moved]);
		moved = z != 0;
		level += (int32_t)(z >> 1 ^ (0 - (z & 1)));
		if (level < 0 || level > LEVEL_MAX)
			return -EBADMSG;
		ws->weights[c] = weight_of((unsigned)level);
	}
	for (; c < 256; c++)
		ws->weights[c] = 0;
	return 0;
}

/* Where the weights from `from` on pass about that of v; and their sum up to there. */
static size_t guess(const struct codec_workspace *ws, size_t from, size_t to, uint32_t v, uint32_t *sum)
{
	/* FLOOR / 4 stands for the number of elements, which is not known yet */
	uint32_t left = RANGE_ONE - v + FLOOR / 4, next;
	uint32_t power = left > FLOOR ? left - FLOOR : 1;
	uint32_t want = (16 * RANGE_ONE - sample_log2(&ws->sample, power)) >> (16 - UNIT_BITS);
	size_t at = from;

	*sum = 0;
	for (; at % GROUP && at + 1 < to && (next = *sum + ws->weights[ws->classes[at]]) <= want; at++)
		*sum = next;
	for (; !(at % GROUP) && at + GROUP < to && (next = *sum + ws->sums[at / GROUP]) <= want; at += GROUP)
		*sum = next;
	for (; at + 1 < to && (next = *sum + ws->weights[ws->classes[at]]) <= want; at++)
		*sum = next;
	return at;
}

/* The element from `from` on, before `to`, whose part of the interval the code is in. *weight, of all those,
 * becomes that of the ones behind it. */
static size_t find_change(
	const struct codec_workspace *ws, struct range_decoder *d, size_t from, size_t to, uint32_t *weight)
{
	uint32_t v = (uint32_t)(d->code / (d->range >> RANGE_BITS)), sum;
	size_t at = guess(ws, from, to, v, &sum);
	uint32_t start = RANGE_ONE - unchanged(ws, sum, (unsigned)(at - from)), end;

	while (at > from && v < start) {
		sum -= ws->weights[ws->classes[--at]];
		start = RANGE_ONE - unchanged(ws, sum, (unsigned)(at - from));
	}
	for (;;) {
		sum += ws->weights[ws->classes[at]];
		end = RANGE_ONE - unchanged(ws, sum, (unsigned)(at + 1 - from));
		if (v < end || at + 1 == to)
			break;
		start = end;
		at++;
	}
	range_decode_part(d, start, end);
	*weight -= sum;
	return at;
}

static uint32_t read_size(struct range_decoder *d, struct learning *l, uint32_t weight)
{
	unsigned negative = range_decode_adaptive(d, &l->sign);
	uint32_t size = range_decode_gamma(d, size_context(l, weight)) + 1;

	return negative ? 0 - size : size;
}

/* As numbers->sums does, for one. */
static void put_change(uint8_t *to, const uint8_t *base, struct number_kind kind, uint32_t number)
{
	uint32_t top = 1u << (kind.bits - 1), mask = top | (top - 1), b = 0;

	for (unsigned i = 0; i < 1u << kind.log_width; i++)
		b |= (uint32_t)base[i] << 8 * i;
	b = b & top ? ~b : b | top;
	b = (b + number) & mask;
	b = b & top ? b ^ top : ~b;
	for (unsigned i = 0; i < 1u << kind.log_width; i++)
		to[i] = (uint8_t)(b >> 8 * i);
}

static void decode_block(struct codec_workspace *ws, struct range_decoder *d, struct learning *l,
	struct number_kind kind, uint8_t *dst, const uint8_t *base, size_t from, size_t to)
{
	uint32_t weight = weight_of_block(ws, from, to);

	while (from < to) {
		uint32_t none = unchanged(ws, weight, (unsigned)(to - from));
		if (!range_decode_below(d, RANGE_ONE - none)) {
			range_decode_part(d, RANGE_ONE - none, RANGE_ONE);
			break;
		}
		size_t at = find_change(ws, d, from, to, &weight), off = at << kind.log_width;
		uint32_t number = read_size(d, l, ws->weights[ws->classes[at]]);
		put_change(dst + off, base + off, kind, number);
		from = at + 1;
	}
}

int changes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base)
{
	struct number_kind kind = number_kind_of(dtype);
	size_t n = raw_len >> kind.log_width, tail = raw_len - (n << kind.log_width);
	struct range_decoder d;
	struct learning l;

	if (!kind.bits || !n || len < tail)
		return -EBADMSG;
	range_decode_init(&d, payload + tail, len - tail);
	learning_init(&l);
	if (read_levels(ws, &d, &l, kind.classes))
		return -EBADMSG;
	ws->numbers->classes[kind.log_width](ws->classes, base, n, kind.class_shift);
	ws->numbers->weigh(ws->sums, ws->classes, ws->weights, n);
	memcpy(dst, base, n << kind.log_width);
	memcpy(dst + (n << kind.log_width), payload, tail);
	for (size_t i = 0; i < n; i += BLOCK)
		decode_block(ws, &d, &l, kind, dst, base, i, n - i < BLOCK ? n : i + BLOCK);
	return range_decode_all(&d) ? 0 : -EBADMSG;
}
