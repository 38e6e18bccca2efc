#include "store/codec/choose.h"

#include <string.h>

#include "store/codec/block.h"
#include "store/codec/changes.h"
#include "store/codec/prefix.h"
#include "store/codec/repeats.h"
#include "store/codec/workspace.h"

#define TRIAL_LEVEL 1
#define NEAR_SHARE 32u
#define TRIAL_PIECES 4u
#define TRIAL_PIECE 4096u
#define TRIAL_BYTES (TRIAL_PIECES * TRIAL_PIECE)

enum transform choose_transform(enum codec codec, struct element element)
{
	switch (codec) {
	case CODEC_XOR:
		return element.rotate ? TRANSFORM_XOR_ROTATE : TRANSFORM_XOR;
	case CODEC_DIFF:
		return element.is_float ? TRANSFORM_DIFF_FLOAT : TRANSFORM_DIFF;
	default:
		return element.rotate ? TRANSFORM_ROTATE : TRANSFORM_NONE;
	}
}

int choose_has_twin(const struct codec_input *in)
{
	return in->base && in->base_len == in->len;
}

int choose_has_prefix(const struct codec_input *in)
{
	return in->base && in->base_len <= CODEC_CHUNK_MAX && prefix_allowed(in->base, in->base_len);
}

/* Copies pieces from all over src, `around` bytes more on both sides where there are any. Returns the bytes
 * copied. */
static size_t gather(uint8_t *dst, const uint8_t *src, size_t len, size_t whole, size_t around)
{
	size_t step = whole > TRIAL_BYTES ? (whole - TRIAL_PIECE) / (TRIAL_PIECES - 1) : TRIAL_PIECE, n = 0;

	for (size_t i = 0; i < TRIAL_PIECES; i++) {
		size_t from = i * step > around ? i * step - around : 0, to = i * step + TRIAL_PIECE + around;
		if (to > len)
			to = len;
		if (from >= to)
			continue;
		memcpy(dst + n, src + from, to - from);
		n += to - from;
	}
	return n;
}

/* What zstd makes of pieces of the chunk, and of those behind the base's pieces of the same places, with what
 * edits may have moved. */
static void try_zstd(struct codec_workspace *ws, const struct codec_input *in, struct choice *choice)
{
	size_t n = gather(ws->values, in->src, in->len, in->len, 0), base, len;

	len = block_zstd(ws, ws->second, sizeof ws->second, ws->values, n, TRIAL_LEVEL);
	if (len)
		choice->bytes[CODEC_ZSTD] = (size_t)((uint64_t)len * in->len / n);
	if (!choose_has_prefix(in))
		return;
	base = gather(ws->gaps, in->base, in->base_len, in->len, TRIAL_PIECE / 2);
	if (!prefix_allowed(ws->gaps, base))
		return;
	len = prefix_encode(ws, ws->second, sizeof ws->second, ws->values, n, ws->gaps, base, TRIAL_LEVEL);
	if (len)
		choice->bytes[CODEC_ZSTD_BASE] = (size_t)((uint64_t)len * in->len / n);
}

/* What zstd makes of floats that repeat: of a stretch that several periods fit into. */
static void try_repeats(struct codec_workspace *ws, const struct codec_input *in, struct choice *choice)
{
	size_t n = in->len < 4 * REPEATS_SPAN ? in->len : 4 * REPEATS_SPAN, len;

	len = block_zstd(ws, ws->second, sizeof ws->second, (const uint8_t *)in->src + (in->len - n) / 2, n,
		TRIAL_LEVEL);
	if (len)
		choice->bytes[CODEC_ZSTD] = (size_t)((uint64_t)len * in->len / n);
}

/* Integers often repeat or count, which byte frequencies do not show: zstd on the planes of the middle. */
static void try_planes(struct codec_workspace *ws, const struct codec_input *in, struct element element,
	enum codec codec, struct choice *choice)
{
	size_t n = (in->len < TRIAL_BYTES ? in->len : TRIAL_BYTES) >> element.log_width;
	size_t raw = n << element.log_width, at = (in->len - raw) / 2 & ~(size_t)(TRANSFORM_WIDTH_MAX - 1),
	       len;
	uint8_t *planes[TRANSFORM_WIDTH_MAX];

	for (unsigned p = 0; p < 1u << element.log_width; p++)
		planes[p] = ws->planes + p * n;
	transform_split(ws->ops, element.log_width, choose_transform(codec, element), planes,
		(const uint8_t *)in->src + at, in->base ? (const uint8_t *)in->base + at : NULL, n);
	len = block_zstd(ws, ws->second, sizeof ws->second, ws->planes, raw, TRIAL_LEVEL);
	len = (size_t)((uint64_t)len * in->len / raw);
	if (len && len < choice->bytes[codec])
		choice->bytes[codec] = len;
}

/* Of what sample_take took. */
static void try_symbols(
	struct codec_workspace *ws, const struct codec_input *in, size_t n, int hurry, struct choice *choice)
{
	struct number_kind kind = number_kind_of(in->dtype);
	size_t tail = in->len - (n << kind.log_width);

	if (!kind.bits || n < CHANGES_MIN)
		return;
	if (choose_has_twin(in)) {
		size_t bytes = symbols_plan(ws, kind, 1, n, &choice->based);
		if (choice->based.changes != SIZE_MAX)
			choice->bytes[CODEC_CHANGES] = tail + choice->based.changes;
		if (n >= SYMBOLS_MIN)
			choice->bytes[CODEC_SYMBOLS_DIFF] = tail + bytes;
		if (hurry && choice->bytes[CODEC_CHANGES] < in->len / NEAR_SHARE)
			return;
	}
	if (n >= SYMBOLS_MIN)
		choice->bytes[CODEC_SYMBOLS] = tail + symbols_plan(ws, kind, 0, n, &choice->lone);
}

/* Whether a codec need not be looked at: symbols of differences are no larger than any bytes of differences,
 * by guesses that know of no order, and lone symbols no larger than planes. */
static int no_rival(const struct choice *choice, enum codec codec, size_t len)
{
	size_t based = choice->bytes[CODEC_SYMBOLS_DIFF], lone = choice->bytes[CODEC_SYMBOLS];

	if (codec == CODEC_PLANES)
		return based != CHOOSE_NEVER && lone != CHOOSE_NEVER && based < lone - lone / 8;
	return based < len / 2;
}

void choose(struct codec_workspace *ws, const struct codec_input *in, int hurry, struct choice *choice)
{
	struct element element = element_of(in->dtype);
	size_t n = in->len >> element.log_width, tail = in->len - (n << element.log_width);
	int twin = choose_has_twin(in);

	for (int i = 0; i < CODEC_COUNT; i++)
		choice->bytes[i] = CHOOSE_NEVER;
	choice->bytes[CODEC_STORED] = in->len;
	if (!n)
		return;
	sample_take(&ws->sample, in->src, twin ? in->base : NULL, n, element.log_width);
	try_symbols(ws, in, n, hurry, choice);
	/* so near to the base that all else is larger */
	if (hurry && choice->bytes[CODEC_CHANGES] < in->len / NEAR_SHARE)
		return;
	for (enum codec c = CODEC_PLANES; c <= CODEC_DIFF; c++) {
		if (c != CODEC_PLANES && !twin)
			break;
		if (hurry && no_rival(choice, c, in->len))
			continue;
		choice->bytes[c] = tail + sample_cost(&ws->sample, ws->ops, element.log_width,
						  choose_transform(c, element), n, choice->costs[c]);
		if (!element.is_float && element.log_width)
			try_planes(ws, in, element, c, choice);
	}
	if (!element.is_float)
		try_zstd(ws, in, choice);
	else if (repeats_seen(ws->ops, in->src, in->len, element.log_width))
		try_repeats(ws, in, choice);
}
