#include <errno.h>
#include <string.h>

#include "store/codec/bits.h"
#include "store/codec/changes_model.h"
#include "store/codec/fetch.h"
#include "store/codec/varint.h"
#include "store/util/bytes.h"

#define BLOCK 64u /* elements: to see whether changes keep together */
#define GROUP 8u
#define TOTALS_STEP 4u /* one in so many groups is counted */
#define STATE_BYTES 5u /* at most */
#define MANY 32768u    /* elements */

/* The level whose weight is next to -log2(1 - changed / total). */
static unsigned level_of(const struct sample *logarithms, uint32_t changed, uint32_t total)
{
	uint32_t want;
	unsigned level = 1;

	if (!changed)
		return 0;
	if (changed >= total)
		return CHANGES_LEVEL_MAX;
	want = (sample_log2(logarithms, total) - sample_log2(logarithms, total - changed)) >>
	       (16 - CHANGES_UNIT_BITS);
	while (level < CHANGES_LEVEL_MAX && changes_weight(level) + changes_weight(level + 1) < 2 * want)
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

/* Classes of all elements, and flags of those that differ from the base. */
static void compare(
	struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind, size_t n)
{
	const uint8_t *src = in->src, *base = in->base;
	size_t len = n << kind.log_width, piece = CHANGES_PIECE >> kind.log_width;

	for (size_t i = 0; i < n; i += piece) {
		size_t off = i << kind.log_width, count = n - i < piece ? n - i : piece;
		fetch(src, len, off + CHANGES_PIECE, CHANGES_PIECE);
		fetch(base, len, off + CHANGES_PIECE, CHANGES_PIECE);
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
static void write_levels(struct codec_workspace *ws, struct range_encoder *e, struct changes_learning *l,
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
		uint8_t context = changes_context(ws->levels[ws->classes[ws->changed[k]]]);
		uint32_t d = ws->values32[k] << (32 - bits);
		uint64_t large = d != 1u << (32 - bits) && d != 0 - (1u << (32 - bits));
		ws->symbols[k] = context;
		total[context]++;
		more[context] += (uint32_t)large;
		ws->more[k / FLAGS_ROW] |= large << k % FLAGS_ROW;
	}
}

static void write_sizes(struct codec_workspace *ws, struct range_encoder *e, struct changes_learning *l,
	size_t found, unsigned bits, uint8_t *levels)
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

	while (lanes < FLAGS_ROW && 2 * lanes * CHANGES_SIGNS <= found)
		lanes *= 2;
	return lanes;
}

/* Puts the signs into the states that encoding begins with, and those that are left to *rest. Returns the
 * bytes of those. */
static size_t put_signs(struct codec_workspace *ws, size_t found, unsigned bits, uint8_t *rest)
{
	struct flags_coder *c = &ws->flags_coder;
	size_t inside = changes_signs_inside(c), left = found > inside ? (found - inside + 7) / 8 : 0;

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

/* Flags of both kinds, the last first; returns where the words begin. NULL: they do not fit. */
static const uint8_t *encode_flags(
	struct codec_workspace *ws, size_t n, size_t found, const uint8_t *more_levels)
{
	struct flags_coder *c = &ws->flags_coder;

	c->shuffles = &ws->shuffles;
	c->limit = ws->planes;
	c->at = ws->planes + sizeof ws->planes;
	changes_set_levels(ws, more_levels, CHANGES_CONTEXTS, 1);
	if (ws->flagger->encode(c, ws->symbols, ws->more, found))
		return NULL;
	changes_set_levels(ws, ws->levels, 256, 1);
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
	struct changes_learning l;

	compare(ws, in, kind, n);
	count_classes(ws, n, total);
	found = find(ws, in, kind, n, changed);
	if (!clustered && keep_together(ws, n, found))
		return 0;
	range_encode_init(&e, ws->out, sizeof ws->out);
	changes_learning_init(&l);
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
