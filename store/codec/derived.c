#include <errno.h>
#include <string.h>

#include "store/codec/choose.h"
#include "store/codec/codec.h"
#include "store/codec/derive.h"
#include "store/codec/derived.h"
#include "store/codec/moment.h"
#include "store/codec/planes.h"
#include "store/codec/step.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

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
	len = planes_encode(ws, out + head, most - head, &on, CODEC_DIFF, choice.costs[CODEC_DIFF], level);
	if (!len)
		return -ENOENT;
	*result = (struct codec_result){codec, head + len};
	return 0;
}

static int decode_rounded(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const struct codec_bases *bases)
{
	enum derive_mode mode;

	if (len < DERIVE_HEAD || (codec == CODEC_WIDENED) != (dtype == DTYPE_F32))
		return -EBADMSG;
	mode = (enum derive_mode)payload[0];
	if (!derive_allowed(mode, dtype) || derive_predict(mode, dtype, bases, get_le32(payload + 1),
						    ws->second, raw_len >> element_of(dtype).log_width))
		return -EBADMSG;
	return planes_decode(
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
	return planes_decode(
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
	return planes_decode(ws, dst, raw_len, payload + head, len - head, CODEC_DIFF, dtype, ws->second);
}

int derived_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const struct codec_bases *bases)
{
	switch (codec) {
	case CODEC_MOMENT:
		return decode_moment(ws, dst, raw_len, payload, len, dtype, bases);
	case CODEC_STEP:
		return decode_step(ws, dst, raw_len, payload, len, dtype, bases);
	default:
		return decode_rounded(ws, dst, raw_len, payload, len, codec, dtype, bases);
	}
}
