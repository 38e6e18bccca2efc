#include "store/codec/codec.h"

#include <errno.h>
#include <string.h>

#include "store/codec/block.h"
#include "store/codec/changes.h"
#include "store/codec/choose.h"
#include "store/codec/derive.h"
#include "store/codec/moment.h"
#include "store/codec/payload.h"
#include "store/codec/prefix.h"
#include "store/codec/step.h"
#include "store/codec/symbols.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

/* Pieces of a plane, to see whether looking for matches pays. */
#define TRIAL_PIECES 4u
#define TRIAL_PIECE 2048u
#define DENSE_PLACES 16u
#define DENSE_PAIRS 16u /* of neighbours, at each of them */

static const char *const names[CODEC_COUNT] = {
	[CODEC_STORED] = "stored",
	[CODEC_CONSTANT] = "constant",
	[CODEC_ZSTD] = "zstd",
	[CODEC_ZSTD_BASE] = "zstd-base",
	[CODEC_PLANES] = "planes",
	[CODEC_XOR] = "xor",
	[CODEC_DIFF] = "diff",
	[CODEC_ZSTD_BASES] = "zstd-bases",
	[CODEC_SYMBOLS] = "symbols",
	[CODEC_SYMBOLS_DIFF] = "symbols-diff",
	[CODEC_CHANGES] = "changes",
	[CODEC_DERIVED] = "derived",
	[CODEC_WIDENED] = "widened",
	[CODEC_MOMENT] = "moment",
	[CODEC_STEP] = "step",
};

int codec_known(unsigned codec)
{
	return codec < CODEC_COUNT && names[codec];
}

const char *codec_name(enum codec codec)
{
	return codec_known(codec) ? names[codec] : "?";
}

int codec_level_named(const char *name, enum codec_level *level)
{
	static const char *const levels[] = {
		[CODEC_DEFAULT] = "default", [CODEC_FAST] = "fast", [CODEC_SMALL] = "small"};

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
		if (strcmp(name, levels[i]))
			continue;
		*level = (enum codec_level)i;
		return 0;
	}
	return -EINVAL;
}

int codec_needs_base(enum codec codec)
{
	return codec == CODEC_ZSTD_BASE || codec == CODEC_ZSTD_BASES || codec == CODEC_XOR ||
	       codec == CODEC_DIFF || codec == CODEC_SYMBOLS_DIFF || codec == CODEC_CHANGES ||
	       codec_is_derived(codec);
}

int codec_is_derived(enum codec codec)
{
	return codec == CODEC_DERIVED || codec == CODEC_WIDENED || codec == CODEC_MOMENT ||
	       codec == CODEC_STEP;
}

static int zstd_level(enum codec_level level)
{
	switch (level) {
	case CODEC_FAST:
		return 1;
	case CODEC_SMALL:
		return 12;
	default:
		return 3;
	}
}

/* Whether zstd finds repeats in a plane that its byte frequencies do not explain. */
static int matches_pay(struct codec_workspace *ws, const uint8_t *plane, size_t n)
{
	size_t len = TRIAL_PIECES * TRIAL_PIECE, matched, alone;
	const uint8_t *from = plane;

	if (n <= len) {
		len = n;
	} else {
		for (size_t i = 0; i < TRIAL_PIECES; i++)
			memcpy(ws->values + i * TRIAL_PIECE,
				plane + (n - TRIAL_PIECE) / (TRIAL_PIECES - 1) * i, TRIAL_PIECE);
		from = ws->values;
	}
	matched = block_zstd(ws, ws->gaps, sizeof ws->gaps, from, len, 1);
	if (!matched || matched >= len - len / 16)
		return 0;
	alone = block_zstd(ws, ws->gaps, sizeof ws->gaps, from, len, 0);
	return !alone || matched < alone - alone / 16;
}

/* Floats whose bytes are evenly spread are noise; integers may count. */
static enum block_try how_to_code(struct codec_workspace *ws, const uint8_t *plane, size_t n,
	struct element element, const struct plane_cost *cost, enum codec_level level)
{
	enum block_try otherwise = TRY_ENTROPY;

	if (cost->method == BLOCK_SPARSE || cost->method == BLOCK_CONSTANT)
		return TRY_SPARSE;
	if (cost->method == BLOCK_STORED) {
		if (element.is_float && level != CODEC_SMALL)
			return TRY_STORED;
		otherwise = TRY_STORED;
	}
	return level != CODEC_FAST && matches_pay(ws, plane, n) ? TRY_MATCH : otherwise;
}

static size_t encode_planes(struct codec_workspace *ws, uint8_t *dst, size_t capacity,
	const struct codec_input *in, enum codec codec, const struct plane_cost *costs,
	enum codec_level level)
{
	struct element element = element_of(in->dtype);
	unsigned width = 1u << element.log_width;
	size_t n = in->len >> element.log_width, tail = in->len & (width - 1), used = 0;
	uint8_t *planes[TRANSFORM_WIDTH_MAX];

	for (unsigned p = 0; p < width; p++)
		planes[p] = ws->planes + p * n;
	transform_split(
		ws->ops, element.log_width, choose_transform(codec, element), planes, in->src, in->base, n);
	for (unsigned p = width; p-- > 0;) {
		enum block_try how = how_to_code(ws, planes[p], n, element, &costs[p], level);
		size_t len = block_encode(
			ws, dst + used, capacity - used, planes[p], n, how, costs[p].fill, zstd_level(level));
		if (!len)
			return 0;
		used += len;
	}
	if (capacity - used < tail)
		return 0;
	memcpy(dst + used, (const uint8_t *)in->src + in->len - tail, tail);
	return used + tail;
}

/* Payload bytes, or 0 if they are not worth decoding: a 128th less than in->len at least. */
static size_t encode_as(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	enum codec codec, const struct choice *choice, enum codec_level level)
{
	size_t capacity = in->len - 1 - in->len / 128;

	switch (codec) {
	case CODEC_ZSTD:
		return block_zstd(ws, dst, capacity, in->src, in->len, zstd_level(level));
	case CODEC_ZSTD_BASE:
		return prefix_encode(
			ws, dst, capacity, in->src, in->len, in->base, in->base_len, zstd_level(level));
	case CODEC_PLANES:
	case CODEC_XOR:
	case CODEC_DIFF:
		return encode_planes(ws, dst, capacity, in, codec, choice->costs[codec], level);
	case CODEC_SYMBOLS:
		return symbols_encode(ws, dst, capacity, in, &choice->lone, 0);
	case CODEC_SYMBOLS_DIFF:
		return symbols_encode(ws, dst, capacity, in, &choice->based, 1);
	case CODEC_CHANGES:
		return changes_encode(ws, dst, capacity, in, level == CODEC_SMALL);
	default:
		return 0;
	}
}

static int try_constant(void *dst, const struct codec_input *in, struct codec_result *result)
{
	size_t width = dtype_width(in->dtype);

	if (in->len <= width || memcmp(in->src, (const uint8_t *)in->src + width, in->len - width) != 0)
		return 0;
	memcpy(dst, in->src, width);
	*result = (struct codec_result){CODEC_CONSTANT, width};
	return 1;
}

/* The smallest guess; the hinted codec if nothing is clearly smaller. */
static enum codec best_guess(const struct choice *choice, int hint)
{
	enum codec best = CODEC_STORED;

	for (int c = 0; c < CODEC_COUNT; c++) {
		if (choice->bytes[c] < choice->bytes[best])
			best = (enum codec)c;
	}
	if (hint > 0 && hint < CODEC_COUNT && choice->bytes[hint] != CHOOSE_NEVER &&
		choice->bytes[hint] - choice->bytes[best] < choice->bytes[best] / 128)
		best = (enum codec)hint;
	return best;
}

/* Every codec that applies, in full. */
static void encode_smallest(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	struct choice *choice, struct codec_result *result)
{
	if (choice->bytes[CODEC_ZSTD] == CHOOSE_NEVER)
		choice->bytes[CODEC_ZSTD] = in->len;
	for (enum codec c = CODEC_ZSTD; c < CODEC_COUNT; c++) {
		if (choice->bytes[c] == CHOOSE_NEVER)
			continue;
		size_t len = encode_as(ws, ws->second, in, c, choice, CODEC_SMALL);
		if (!len || len >= result->len)
			continue;
		memcpy(dst, ws->second, len);
		*result = (struct codec_result){c, len};
	}
}

/* Where changes keep together, which guesses do not show, runs of bytes may be smaller than `best`: the
 * smaller one. */
static void encode_clustered(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	struct choice *choice, enum codec best, struct codec_result *result)
{
	enum codec other;
	size_t len;

	if (best == CODEC_CHANGES && (len = changes_encode(ws, dst, in->len - 1, in, 1)))
		*result = (struct codec_result){best, len};
	choose(ws, in, 0, choice);
	choice->bytes[CODEC_CHANGES] = choice->bytes[CODEC_SYMBOLS_DIFF] = CHOOSE_NEVER;
	other = best_guess(choice, -1);
	len = encode_as(ws, ws->second, in, other, choice, CODEC_DEFAULT);
	if (!len || len >= result->len)
		return;
	memcpy(dst, ws->second, len);
	*result = (struct codec_result){other, len};
}

static void encode_best(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	struct choice *choice, enum codec_level level, int hint, struct codec_result *result)
{
	enum codec best = best_guess(choice, hint);
	size_t len = encode_as(ws, dst, in, best, choice, level);

	if (len)
		*result = (struct codec_result){best, len};
	if (best == CODEC_CHANGES ? !len : best == CODEC_SYMBOLS_DIFF && choice->based.clustered)
		encode_clustered(ws, dst, in, choice, best, result);
}

/* Whether it is floats of many values, of which hardly any is that of its neighbour. */
static int looks_dense(const struct codec_input *in, struct number_kind kind)
{
	size_t n = in->len >> kind.log_width, width = (size_t)1 << kind.log_width, alike = 0;
	const uint8_t *src = in->src;

	if (!kind.bits || n < SYMBOLS_MIN)
		return 0;
	for (size_t k = 0; k < DENSE_PLACES; k++) {
		const uint8_t *at = src + ((n / DENSE_PLACES * k) << kind.log_width);
		for (size_t i = 0; i < DENSE_PAIRS; i++, at += width)
			alike += element_at(at, kind.log_width) == element_at(at + width, kind.log_width);
	}
	return alike <= DENSE_PLACES * DENSE_PAIRS / 16;
}

/* Without a look at other methods. */
static void encode_hurried(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	struct number_kind kind, struct codec_result *result)
{
	struct symbols_plan plan;
	size_t len;

	symbols_plan_tops(kind, &plan);
	len = symbols_encode(ws, dst, in->len - 1 - in->len / 128, in, &plan, 0);
	if (len)
		*result = (struct codec_result){CODEC_SYMBOLS, len};
}

int codec_encode(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	enum codec_level level, int hint, struct codec_result *result)
{
	struct number_kind kind = number_kind_of(in->dtype);
	struct choice choice;

	if (!in->len || in->len > CODEC_CHUNK_MAX || capacity < CODEC_BOUND(in->len))
		return -EINVAL;
	if (try_constant(dst, in, result))
		return 0;
	*result = (struct codec_result){CODEC_STORED, in->len};
	if (level == CODEC_FAST && !choose_has_twin(in) && looks_dense(in, kind)) {
		encode_hurried(ws, dst, in, kind, result);
	} else {
		choose(ws, in, level != CODEC_SMALL, &choice);
		if (level == CODEC_SMALL)
			encode_smallest(ws, dst, in, &choice, result);
		else
			encode_best(ws, dst, in, &choice, level, hint, result);
	}
	if (result->codec == CODEC_STORED)
		memcpy(dst, in->src, in->len);
	return 0;
}

size_t codec_estimate(struct codec_workspace *ws, const struct codec_input *in)
{
	struct choice choice;

	if (!in->len || in->len > CODEC_CHUNK_MAX)
		return in->len;
	choose(ws, in, 1, &choice);
	return choice.bytes[best_guess(&choice, -1)];
}

/* Whether there are so many bases, of just this length, and where they are. */
static int take_bases(
	const struct codec_bases *bases, unsigned count, size_t len, const void *bytes[CODEC_BASES_MAX])
{
	for (unsigned i = 0; i < bases->count && i < count; i++) {
		if (bases->at[i].len != len)
			return 0;
		bytes[i] = bases->at[i].bytes;
	}
	return bases->count == count;
}

/* What in->src ought to be goes to ws->second, and how that is known to the head of the payload, whose length
 * is given; 0: there is nothing to go by. */
static size_t expect(struct codec_workspace *ws, uint8_t *head, const struct codec_input *in,
	const struct codec_bases *bases, const struct codec_function *function, enum codec *codec)
{
	size_t n = in->len >> element_of(in->dtype).log_width, skip = function->skip;
	const void *bytes[CODEC_BASES_MAX];
	enum dtype from = function->from;
	enum derive_mode mode;

	if (function->step) {
		if (in->dtype != DTYPE_F32 ||
			!take_bases(bases, step_bases(function->step->form), in->len, bytes))
			return 0;
		step_expect(function->step, bytes, ws->second, n);
		*codec = CODEC_STEP;
		return step_put(head, function->step);
	}
	mode = derive_pick(in, bases, skip, from);
	if ((from != DTYPE_F32 && from != DTYPE_BF16 && from != DTYPE_F16) ||
		(from == DTYPE_F32) == (in->dtype == DTYPE_F32) || !derive_allowed(mode, in->dtype) ||
		skip > CODEC_BASES_MAX * CODEC_CHUNK_MAX ||
		derive_predict(mode, in->dtype, bases, skip, ws->second, n))
		return 0;
	head[0] = (uint8_t)mode;
	put_le32(head + 1, (uint32_t)skip);
	*codec = in->dtype == DTYPE_F32 ? CODEC_WIDENED : CODEC_DERIVED;
	return DERIVE_HEAD;
}

int codec_derive(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	const struct codec_bases *bases, const struct codec_function *function, enum codec_level level,
	struct codec_result *result)
{
	struct codec_input on = *in;
	struct element element = element_of(in->dtype);
	size_t n = in->len >> element.log_width, head, len;
	struct choice choice;
	enum codec codec;
	uint8_t *out = dst;

	if (!in->len || in->len > CODEC_CHUNK_MAX || capacity < CODEC_BOUND(in->len))
		return -EINVAL;
	size_t most = in->len - 1 - in->len / 128;
	if (!n || most <= STEP_HEAD_MAX || !(head = expect(ws, out, in, bases, function, &codec)))
		return -ENOENT;
	on.base = ws->second;
	on.base_len = in->len;
	sample_take(&ws->sample, on.src, on.base, n, element.log_width);
	sample_cost(&ws->sample, ws->ops, element.log_width, choose_transform(CODEC_DIFF, element), n,
		choice.costs[CODEC_DIFF]);
	len = encode_planes(ws, out + head, most - head, &on, CODEC_DIFF, choice.costs[CODEC_DIFF], level);
	if (!len)
		return -ENOENT;
	*result = (struct codec_result){codec, head + len};
	return 0;
}

static int decode_constant(uint8_t *dst, size_t raw_len, const uint8_t *payload, size_t len, enum dtype dtype)
{
	size_t width = dtype_width(dtype);

	if (len != width || raw_len <= width)
		return -EBADMSG;
	if (width == 1) {
		memset(dst, payload[0], raw_len);
		return 0;
	}
	memcpy(dst, payload, width);
	for (size_t done = width; done < raw_len;) {
		size_t more = done < raw_len - done ? done : raw_len - done;
		memcpy(dst + done, dst, more);
		done += more;
	}
	return 0;
}

static int decode_planes(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const uint8_t *base)
{
	struct element element = element_of(dtype);
	unsigned width = 1u << element.log_width;
	size_t n = raw_len >> element.log_width, tail = raw_len & (width - 1);
	const uint8_t *planes[TRANSFORM_WIDTH_MAX], *at = payload, *end = payload + len;

	if (!n)
		return -EBADMSG;
	for (unsigned p = width; p-- > 0;) {
		if (block_decode(ws, &at, end, ws->planes + p * n, n, &planes[p]))
			return -EBADMSG;
	}
	if ((size_t)(end - at) != tail)
		return -EBADMSG;
	transform_merge(ws->ops, element.log_width, choose_transform(codec, element), dst, planes, base, n);
	memcpy(dst + raw_len - tail, at, tail);
	return 0;
}

static int decode_derived(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const struct codec_bases *bases)
{
	enum derive_mode mode;

	if (len < DERIVE_HEAD || (codec == CODEC_WIDENED) != (dtype == DTYPE_F32))
		return -EBADMSG;
	mode = (enum derive_mode)payload[0];
	if (!derive_allowed(mode, dtype) || derive_predict(mode, dtype, bases, get_le32(payload + 1),
						    ws->second, raw_len >> element_of(dtype).log_width))
		return -EBADMSG;
	return decode_planes(
		ws, dst, raw_len, payload + DERIVE_HEAD, len - DERIVE_HEAD, CODEC_DIFF, dtype, ws->second);
}

static int decode_moment(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const struct codec_bases *bases)
{
	const void *bytes[CODEC_BASES_MAX];
	struct moment moment;

	if (len < MOMENT_HEAD || dtype != DTYPE_F32 || !take_bases(bases, 3, raw_len, bytes))
		return -EBADMSG;
	moment = moment_get(payload);
	moment_expect(&moment, bytes[0], bytes[1], bytes[2], ws->second, raw_len / 4);
	return decode_planes(
		ws, dst, raw_len, payload + MOMENT_HEAD, len - MOMENT_HEAD, CODEC_DIFF, dtype, ws->second);
}

static int decode_step(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const struct codec_bases *bases)
{
	const void *bytes[CODEC_BASES_MAX];
	struct codec_step step;
	size_t head = step_get(payload, len, &step);

	if (!head || dtype != DTYPE_F32 || !take_bases(bases, step_bases(step.form), raw_len, bytes))
		return -EBADMSG;
	step_expect(&step, bytes, ws->second, raw_len / 4);
	return decode_planes(ws, dst, raw_len, payload + head, len - head, CODEC_DIFF, dtype, ws->second);
}

int codec_decode(struct codec_workspace *ws, void *dst, size_t raw_len, const void *payload,
	size_t payload_len, enum codec codec, unsigned version, enum dtype dtype,
	const struct codec_bases *bases)
{
	const void *base = bases && bases->count ? bases->at[0].bytes : NULL;
	size_t base_len = base ? bases->at[0].len : 0;

	if (version != CODEC_VERSION || !codec_known(codec))
		return -EPROTONOSUPPORT;
	if (!raw_len || raw_len > CODEC_CHUNK_MAX)
		return -EBADMSG;
	if (codec_needs_base(codec) && !base)
		return -EBADMSG;
	switch (codec) {
	case CODEC_STORED:
		if (payload_len != raw_len)
			return -EBADMSG;
		memcpy(dst, payload, raw_len);
		return 0;
	case CODEC_CONSTANT:
		return decode_constant(dst, raw_len, payload, payload_len, dtype);
	case CODEC_ZSTD:
		return block_unzstd(ws, dst, raw_len, payload, payload_len);
	case CODEC_ZSTD_BASE:
		return prefix_decode(ws, dst, raw_len, payload, payload_len, base, base_len);
	case CODEC_ZSTD_BASES:
		return near_decode(ws, dst, raw_len, payload, payload_len, bases);
	case CODEC_SYMBOLS:
		return symbols_decode(ws, dst, raw_len, payload, payload_len, dtype, NULL);
	case CODEC_SYMBOLS_DIFF:
		return base_len == raw_len
			       ? symbols_decode(ws, dst, raw_len, payload, payload_len, dtype, base)
			       : -EBADMSG;
	case CODEC_CHANGES:
		return base_len == raw_len
			       ? changes_decode(ws, dst, raw_len, payload, payload_len, dtype, base)
			       : -EBADMSG;
	case CODEC_DERIVED:
	case CODEC_WIDENED:
		return decode_derived(ws, dst, raw_len, payload, payload_len, codec, dtype, bases);
	case CODEC_MOMENT:
		return decode_moment(ws, dst, raw_len, payload, payload_len, dtype, bases);
	case CODEC_STEP:
		return decode_step(ws, dst, raw_len, payload, payload_len, dtype, bases);
	default:
		if (codec != CODEC_PLANES && base_len != raw_len)
			return -EBADMSG;
		return decode_planes(ws, dst, raw_len, payload, payload_len, codec, dtype, base);
	}
}
