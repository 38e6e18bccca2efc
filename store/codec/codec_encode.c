#include <errno.h>
#include <string.h>

#include "store/codec/block.h"
#include "store/codec/changes.h"
#include "store/codec/choose.h"
#include "store/codec/codec.h"
#include "store/codec/planes.h"
#include "store/codec/prefix.h"
#include "store/codec/symbols.h"
#include "store/codec/workspace.h"

#define DENSE_PLACES 16u
#define DENSE_PAIRS 16u /* of neighbours, at each of them */

/* Payload bytes, or 0 if they are not worth decoding: a 128th less than in->len at least. */
static size_t encode_as(struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in,
	enum codec codec, const struct choice *choice, enum codec_level level)
{
	size_t capacity = in->len - 1 - in->len / 128;

	switch (codec) {
	case CODEC_ZSTD:
		return block_zstd(ws, dst, capacity, in->src, in->len, block_level(level));
	case CODEC_ZSTD_BASE:
		return prefix_encode(
			ws, dst, capacity, in->src, in->len, in->base, in->base_len, block_level(level));
	case CODEC_PLANES:
	case CODEC_XOR:
	case CODEC_DIFF:
		return planes_encode(ws, dst, capacity, in, codec, choice->costs[codec], level);
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
static void encode_hurried(
	struct codec_workspace *ws, uint8_t *dst, const struct codec_input *in, struct codec_result *result)
{
	size_t len = planes_encode(ws, dst, in->len - 1 - in->len / 128, in, CODEC_PLANES, NULL, CODEC_FAST);

	if (len)
		*result = (struct codec_result){CODEC_PLANES, len};
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
		encode_hurried(ws, dst, in, result);
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
