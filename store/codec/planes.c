#include "store/codec/planes.h"

#include <errno.h>
#include <string.h>

#include "store/codec/block.h"
#include "store/codec/choose.h"
#include "store/codec/payload.h"
#include "store/codec/workspace.h"

/* Pieces of a plane, to see whether looking for matches pays. */
#define TRIAL_PIECES 4u
#define TRIAL_PIECE 2048u

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

size_t planes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	enum codec codec, const struct plane_cost *costs, enum codec_level level)
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
		enum block_try how = costs ? how_to_code(ws, planes[p], n, element, &costs[p], level)
				     : p == width - 1 ? TRY_RANS
						      : TRY_STORED;
		size_t len = block_encode(ws, dst + used, capacity - used, planes[p], n, how,
			costs ? costs[p].fill : 0, block_level(level));
		if (!len)
			return 0;
		used += len;
	}
	if (capacity - used < tail)
		return 0;
	memcpy(dst + used, (const uint8_t *)in->src + in->len - tail, tail);
	return used + tail;
}

int planes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
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
