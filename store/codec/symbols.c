#include "store/codec/symbols.h"

#include <errno.h>
#include <string.h>

#include "store/codec/histogram.h"
#include "store/codec/symbols_count.h"
#include "store/codec/varint.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define PIECE 2048u	/* elements, a multiple of RANS_LANES */
#define ESCAPE_BYTES 5u /* in memory: a number and its shift */
#define LONE_STEP 4u	/* one symbol in so many is counted */
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

static uint32_t value_at(const struct codec_workspace *ws, size_t i)
{
	return ws->rans.raw_bytes == 2 ? ((const uint16_t *)ws->values32)[i] : ws->values32[i];
}

/* Appends what the escapes of a piece stand for, and their shifts. Returns how many there are in all. */
static size_t note_escapes(struct codec_workspace *ws, const uint8_t *classes, const uint8_t shifts[256],
	size_t from, size_t n, size_t noted)
{
	const uint8_t *symbols = ws->symbols + from, *at = symbols;

	while ((at = memchr(at, RANS_ESCAPE, n - (size_t)(at - symbols)))) {
		size_t i = from + (size_t)(at++ - symbols);
		uint8_t *to = ws->gaps + ESCAPE_BYTES * noted;
		if ((++noted + 1) * ESCAPE_BYTES > sizeof ws->gaps)
			return SIZE_MAX;
		to[4] = shifts[classes ? classes[i] : 0];
		put_le32(to, value_at(ws, i) >> to[4]);
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

static void cut_piece(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	int based, size_t from, size_t n, const struct symbols_plan *plan, const struct class_bytes *shifts)
{
	const uint8_t *src = (const uint8_t *)in->src + (from << kind.log_width), *base = in->base;

	if (kind.log_width == 1) {
		ws->cut(ws->numbers, &(struct cut){src, based ? base + 2 * from : NULL, n, kind.class_shift,
					     shifts, plan->origin, (uint16_t *)ws->values32 + from,
					     ws->symbols + from, ws->classes + from});
		return;
	}
	numbers_of(ws, in, kind, based, from, n);
	ws->numbers->split(ws->values32 + from, ws->symbols + from, based ? ws->classes + from : NULL, shifts,
		plan->origin, symbols_mask(kind), n);
}

/* Fills ws->values32, with numbers of two bytes if elements have two, symbols, classes and gaps (the
 * escapes). Returns the number of escapes. */
static size_t cut(struct codec_workspace *ws, const struct codec_input *in, struct number_kind kind,
	int based, size_t n, const struct symbols_plan *plan)
{
	const struct class_bytes shifts = class_bytes_of(plan->shifts);
	size_t escapes = 0;

	ws->rans.raw_bytes = kind.log_width == 1 ? 2 : 4;
	for (size_t i = 0; i < n && escapes != SIZE_MAX; i += PIECE) {
		size_t count = n - i < PIECE ? n - i : PIECE;
		cut_piece(ws, in, kind, based, i, count, plan, &shifts);
		escapes = note_escapes(ws, based ? ws->classes : NULL, shifts.of, i, count, escapes);
	}
	return escapes;
}

static void fit(struct codec_workspace *ws, size_t n, const struct symbols_plan *plan, int based)
{
	memcpy(ws->model.shifts, plan->shifts, sizeof plan->shifts);
	memcpy(ws->counts.row, plan->row, sizeof plan->row);
	ws->counts.rows = plan->rows;
	if (based)
		symbols_count(ws, n);
	else
		histogram_of(ws->counts.counts, ws->numbers, ws->symbols, n, LONE_STEP);
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
	size_t n = in->len >> kind.log_width, tail = in->len - (n << kind.log_width), escapes, used, coded;
	const uint8_t *classes = based ? ws->classes : NULL;
	uint8_t *end = ws->planes + sizeof ws->planes;
	struct rans_coder *c = &ws->rans;

	escapes = cut(ws, in, kind, based, n, plan);
	if (escapes == SIZE_MAX)
		return 0;
	ws->model.classes = based ? kind.classes : 1;
	fit(ws, n, plan, based);
	c->lane_count = symbols_lanes(kind, n);
	used = write_head(ws, dst, capacity, kind, plan->origin, escapes);
	if (!used)
		return 0;
	prepare(ws);
	rans_forward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, ws->model.tables);
	rans_encode_begin(c, ws->planes, end);
	if (ws->coder->encode(c, classes, ws->symbols, ws->values32, n))
		return 0;
	coded = rans_encoded_len(c, end);
	if (capacity - used < coded + tail)
		return 0;
	rans_encoded_put(c, end, dst + used);
	memcpy(dst + used + coded, (const uint8_t *)in->src + in->len - tail, tail);
	return used + coded + tail;
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
	if (read_head(ws, &at, end, kind, &d) || (size_t)(end - at) < tail)
		return -EBADMSG;
	prepare(ws);
	rans_backward_init(c, (const uint16_t(*)[RANS_SYMBOLS])ws->model.freqs, ws->model.tables);
	if (rans_decode_begin(c, at, (size_t)(end - at) - tail) ||
		decode_numbers(ws, dst, n, kind, &d, base) || rans_decode_end(c))
		return -EBADMSG;
	memcpy(dst + raw_len - tail, end - tail, tail);
	return 0;
}
