#include "store/codec/symbols.h"

#include <errno.h>
#include <string.h>

#include "store/codec/fetch.h"
#include "store/codec/varint.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define PIECE 2048u	/* elements, a multiple of RANS_LANES */
#define ESCAPE_BYTES 5u /* in memory: a number and its shift */
#define LONE_RUN 64u	/* symbols counted in a row */
#define LONE_STEP 4u
#define TOPS_STEP 16u
#define LONE_ALL 32768u /* so few are all counted */
#define FEW_LANES 8u	/* in the first byte: half of the lanes */

/* Of the numbers that symbols cannot say: below all that they can, or above; and how far. */
struct escape_learning {
	uint16_t below, size[2][RANGE_GAMMA];
};

static void escape_learning_init(struct escape_learning *l)
{
	range_even((uint16_t *)l, sizeof *l / sizeof(uint16_t));
}

/* --- encode --- */

struct extremes {
	uint8_t least, most, behind; /* behind: one more than the most but RANS_ESCAPE, or 0 */
};

/* Of a piece of n, one run in `step`; and what is the least and the most of all. */
static void count_piece(
	uint32_t (*counts)[RANS_SYMBOLS], struct extremes *e, const uint8_t *symbols, size_t n, size_t step)
{
	uint8_t least = e->least, behind = e->behind, most = e->most;

	for (size_t i = 0; i < n; i++) {
		uint8_t s = symbols[i], next = (uint8_t)(s + 1); /* 0 after RANS_ESCAPE */
		least = s < least ? s : least;
		most = s > most ? s : most;
		behind = next > behind ? next : behind;
	}
	*e = (struct extremes){least, most, behind};
	for (size_t i = 0; i < n; i += step * LONE_RUN) {
		size_t end = n - i < LONE_RUN ? n : i + LONE_RUN;
		for (size_t k = i; k < end; k++)
			counts[k & 3][symbols[k]]++;
	}
}

/* But once at least what lies between the least and the most, which may occur. */
static void count_end(uint32_t (*counts)[RANS_SYMBOLS], const struct extremes *e)
{
	for (size_t i = 0; i < RANS_SYMBOLS; i++)
		counts[0][i] += counts[1][i] + counts[2][i] + counts[3][i];
	for (size_t i = e->least; i < e->behind; i++)
		counts[0][i] += !counts[0][i];
	counts[0][e->most] += !counts[0][e->most];
}

static void count_lone(struct codec_workspace *ws, size_t n)
{
	struct extremes e = {.least = RANS_ESCAPE};

	memset(ws->counts.counts, 0, 4 * sizeof ws->counts.counts[0]);
	count_piece(ws->counts.counts, &e, ws->symbols, n, n < LONE_ALL ? 1 : LONE_STEP);
	count_end(ws->counts.counts, &e);
}

static void count_rows(struct codec_workspace *ws, size_t n)
{
	const struct class_bytes rows = class_bytes_of(ws->counts.row);
	uint32_t *counts = ws->counts.counts[0];
	uint8_t *seen = ws->seen[0];
	size_t all = ws->counts.rows * RANS_SYMBOLS;

	memset(counts, 0, all * sizeof *counts);
	memset(seen, 0, all);
	ws->numbers->count(counts, seen, ws->classes, ws->symbols, &rows, n);
	for (size_t i = 0; i < all; i++)
		counts[i] += seen[i] & !counts[i];
}

/* Appends what the escapes of a piece stand for, and their shifts; values NULL: for RANS_ESCAPE itself.
 * Returns how many there are in all. */
static size_t note_escapes(struct codec_workspace *ws, const uint32_t *values, const uint8_t *classes,
	const uint8_t shifts[256], size_t from, size_t n, size_t noted)
{
	const uint8_t *symbols = ws->symbols + from, *at = symbols;

	while ((at = memchr(at, RANS_ESCAPE, n - (size_t)(at - symbols)))) {
		size_t i = from + (size_t)(at++ - symbols);
		uint8_t *to = ws->gaps + ESCAPE_BYTES * noted;
		if ((++noted + 1) * ESCAPE_BYTES > sizeof ws->gaps)
			return SIZE_MAX;
		to[4] = shifts[classes ? classes[i] : 0];
		put_le32(to, values ? values[i] >> to[4] : RANS_ESCAPE);
	}
	return noted;
}

static void numbers_of(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	int based, size_t from, size_t n)
{
	const uint8_t *src = (const uint8_t *)in->src + (from << kind.log_width);

	if (!based) {
		ws->numbers->lone[kind.log_width](ws->values32 + from, src, n);
		return;
	}
	const uint8_t *base = (const uint8_t *)in->base + (from << kind.log_width);
	ws->numbers->differences[kind.log_width](ws->values32 + from, src, base, n);
	ws->numbers->classes[kind.log_width](ws->classes + from, base, n, kind.class_shift);
}

/* Fills ws->values32, symbols, classes and gaps (the escapes). Returns the number of escapes. */
static size_t cut(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	int based, size_t n, const struct symbols_plan *plan)
{
	const uint8_t *classes = based ? ws->classes : NULL;
	const struct class_bytes shifts = class_bytes_of(plan->shifts);
	size_t escapes = 0;

	for (size_t i = 0; i < n && escapes != SIZE_MAX; i += PIECE) {
		size_t count = n - i < PIECE ? n - i : PIECE;
		numbers_of(ws, in, kind, based, i, count);
		ws->numbers->split(ws->values32 + i, ws->symbols + i, classes ? classes + i : NULL, &shifts,
			plan->origin, symbols_mask(kind), count);
		escapes = note_escapes(ws, ws->values32, classes, shifts.of, i, count, escapes);
	}
	return escapes;
}

/* Fills ws->symbols, gaps and counts alone. */
static size_t cut_tops(
	struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind, size_t n)
{
	const uint8_t shifts[256] = {(uint8_t)(kind.bits - 8u)};
	struct extremes e = {.least = RANS_ESCAPE};

	memset(ws->counts.counts, 0, 4 * sizeof ws->counts.counts[0]);
	for (size_t i = 0; i < n; i += PIECE) {
		size_t count = n - i < PIECE ? n - i : PIECE, off = i << kind.log_width;
		fetch(in->src, in->len, off + (PIECE << kind.log_width), PIECE << kind.log_width);
		ws->numbers->tops[kind.log_width](ws->symbols + i, (const uint8_t *)in->src + off, count);
		count_piece(ws->counts.counts, &e, ws->symbols + i, count, n < LONE_ALL ? 1 : TOPS_STEP);
	}
	count_end(ws->counts.counts, &e);
	return note_escapes(ws, NULL, NULL, shifts, 0, n, 0);
}

static void fit(struct codec_workspace *ws, size_t n, const struct symbols_plan *plan, int based)
{
	memcpy(ws->model.shifts, plan->shifts, sizeof plan->shifts);
	memcpy(ws->counts.row, plan->row, sizeof plan->row);
	ws->counts.rows = plan->rows;
	if (based)
		count_rows(ws, n);
	else if (!plan->tops)
		count_lone(ws, n);
	model_fit(&ws->model, &ws->counts, &ws->sample);
}

static void write_escapes(
	struct codec_workspace *ws, struct range_encoder *e, struct number_kind kind, size_t escapes)
{
	struct escape_learning l;

	escape_learning_init(&l);
	for (size_t i = 0; i < escapes; i++) {
		const uint8_t *at = ws->gaps + ESCAPE_BYTES * i;
		uint32_t last = symbols_mask(kind) >> at[4], high = get_le32(at);
		unsigned below = high > last / 2;
		range_encode_adaptive(e, below, &l.below);
		range_encode_gamma(e, below ? last - high : high - RANS_ESCAPE, l.size[below]);
	}
}

/* All before the states. */
static size_t write_head(struct codec_workspace *ws, uint8_t *dst, size_t capacity, struct number_kind kind,
	int32_t origin, size_t escapes)
{
	struct range_encoder e;
	size_t used = SYMBOLS_HEAD, len;

	range_encode_init(&e, ws->out, sizeof ws->out);
	model_write(&ws->model, &e);
	write_escapes(ws, &e, kind, escapes);
	len = range_encode_end(&e);
	if (len == SIZE_MAX || len >> 7 * VARINT_MAX || capacity < SYMBOLS_HEAD + VARINT_MAX + len)
		return 0;
	dst[0] = (uint8_t)((ws->model.tables - 1) | (ws->rans.lane_count < RANS_LANES ? FEW_LANES : 0));
	put_le16(dst + 1, (uint16_t)origin);
	used += put_varint(dst + used, len);
	memcpy(dst + used, ws->out, len);
	return used + len;
}

/* All elements, the last piece first. Values that were not kept are made once more, a piece at a time. */
static int encode_all(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	const uint8_t *classes, int tops, size_t n)
{
	if (!tops)
		return ws->coder->encode(&ws->rans, classes, ws->symbols, ws->values32, n);
	for (size_t left = n; left;) {
		size_t count = (left - 1) % PIECE + 1;
		left -= count;
		ws->numbers->lone[kind.log_width](
			ws->values32, (const uint8_t *)in->src + (left << kind.log_width), count);
		if (ws->coder->encode(&ws->rans, NULL, ws->symbols + left, ws->values32, count))
			return -ENOBUFS;
	}
	return 0;
}

static void prepare(struct codec_workspace *ws)
{
	struct rans_coder *c = &ws->rans;
	const struct model *model = &ws->model;

	c->shuffles = &ws->shuffles;
	for (unsigned k = 0; k < 256; k++) {
		/* those that are none are never asked for */
		unsigned of = k < model->classes ? k : model->classes - 1;
		ws->rans_classes[k] = (uint32_t)model->table[of] << 8 | model->shifts[of];
	}
	rans_classes_set(c, ws->rans_classes);
}

size_t symbols_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	const struct symbols_plan *plan, int based)
{
	struct number_kind kind = number_kind_of(in->dtype);
	size_t n = in->len >> kind.log_width, tail = in->len - (n << kind.log_width), escapes, used, words;
	const uint8_t *classes = based ? ws->classes : NULL;
	struct rans_coder *c = &ws->rans;

	escapes = plan->tops ? cut_tops(ws, in, kind, n) : cut(ws, in, kind, based, n, plan);
	if (escapes == SIZE_MAX)
		return 0;
	ws->model.classes = based ? kind.classes : 1;
	fit(ws, n, plan, based);
	c->lane_count = symbols_lanes(kind, n);
	used = write_head(ws, dst, capacity, kind, plan->origin, escapes);
	if (!used || capacity - used < 4 * c->lane_count + tail)
		return 0;
	prepare(ws);
	rans_forward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, ws->model.tables);
	for (unsigned i = 0; i < c->lane_count; i++)
		c->lanes[i] = RANS_LOW;
	c->limit = ws->planes;
	c->at = ws->planes + sizeof ws->planes;
	if (encode_all(ws, in, kind, classes, plan->tops, n))
		return 0;
	words = (size_t)(ws->planes + sizeof ws->planes - c->at);
	if (capacity - used - 4 * c->lane_count - tail < words)
		return 0;
	for (unsigned i = 0; i < c->lane_count; i++, used += 4)
		put_le32(dst + used, c->lanes[i]);
	memcpy(dst + used, c->at, words);
	memcpy(dst + used + words, (const uint8_t *)in->src + in->len - tail, tail);
	return used + words + tail;
}

/* --- decode --- */

static int read_head(struct codec_workspace *ws, const uint8_t **at, const uint8_t *end,
	struct number_kind kind, struct range_decoder *d)
{
	size_t len;
	uint8_t head;

	if (end - *at < (ptrdiff_t)SYMBOLS_HEAD)
		return -EBADMSG;
	head = **at;
	if (head & ~(FEW_LANES | (RANS_TABLES - 1)))
		return -EBADMSG;
	ws->model.tables = (head & (RANS_TABLES - 1)) + 1;
	ws->rans.lane_count = head & FEW_LANES ? RANS_LANES / 2 : RANS_LANES;
	ws->rans.origin = (int16_t)get_le16(*at + 1);
	*at += SYMBOLS_HEAD;
	if (get_varint(at, end, &len) || len > (size_t)(end - *at))
		return -EBADMSG;
	range_decode_init(d, *at, len);
	*at += len;
	return model_read(&ws->model, d, symbols_shift_max(kind));
}

static void put_escapes(struct codec_workspace *ws, const uint8_t *classes, size_t n, uint32_t mask,
	struct range_decoder *d, struct escape_learning *l)
{
	const uint8_t *symbols = ws->symbols, *at = symbols;

	while ((at = memchr(at, RANS_ESCAPE, n - (size_t)(at - symbols)))) {
		size_t i = (size_t)(at++ - symbols);
		unsigned s = ws->rans_classes[classes ? classes[i] : 0] & 0xff;
		unsigned below = range_decode_adaptive(d, &l->below);
		uint32_t size = range_decode_gamma(d, l->size[below]);
		ws->values32[i] += (below ? (mask >> s) - size - RANS_ESCAPE : size) << s;
	}
}

static int decode_numbers(struct codec_workspace *ws, uint8_t *dst, size_t n, struct number_kind kind,
	struct range_decoder *d, const uint8_t *base)
{
	const uint8_t *classes = base ? ws->classes : NULL;
	struct escape_learning l;
	uint32_t *values = ws->values32;

	escape_learning_init(&l);
	for (size_t i = 0; i < n; i += PIECE) {
		size_t count = n - i < PIECE ? n - i : PIECE, off = i << kind.log_width;
		if (base)
			ws->numbers->classes[kind.log_width](
				ws->classes, base + off, count, kind.class_shift);
		if (ws->coder->decode(&ws->rans, classes, values, ws->symbols, count))
			return -EBADMSG;
		put_escapes(ws, classes, count, symbols_mask(kind), d, &l);
		if (base)
			ws->numbers->sums[kind.log_width](dst + off, values, base + off, count);
		else
			ws->numbers->unlone[kind.log_width](dst + off, values, count);
	}
	return range_decode_all(d) ? 0 : -EBADMSG;
}

int symbols_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base)
{
	struct number_kind kind = number_kind_of(dtype);
	const uint8_t *at = payload, *end = payload + len;
	struct rans_coder *c = &ws->rans;
	struct range_decoder d;
	size_t n = raw_len >> kind.log_width, tail = raw_len - (n << kind.log_width);

	if (!kind.bits || !n)
		return -EBADMSG;
	ws->model.classes = base ? kind.classes : 1;
	if (read_head(ws, &at, end, kind, &d) || (size_t)(end - at) < 4 * c->lane_count + tail)
		return -EBADMSG;
	prepare(ws);
	rans_backward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, ws->model.tables);
	for (unsigned i = 0; i < c->lane_count; i++, at += 4)
		c->lanes[i] = get_le32(at);
	c->at = (uint8_t *)at;
	c->limit = (uint8_t *)end - tail;
	if (decode_numbers(ws, dst, n, kind, &d, base) || c->at != c->limit)
		return -EBADMSG;
	for (unsigned i = 0; i < c->lane_count; i++) {
		if (c->lanes[i] != RANS_LOW)
			return -EBADMSG;
	}
	memcpy(dst + raw_len - tail, end - tail, tail);
	return 0;
}
