// links: m_codec
/* Byte 0: bit 7 set: the rest is a payload to decode; clear: it is a chunk to encode and decode. Bits 0-3
 * codec (decode) or level and base (encode). Byte 1: dtype. Bytes 2-3: raw length (decode), or where the base
 * begins (encode). Every input is also a chunk of the last third derived from the rest. A payload is decoded
 * with each instruction set that there is here: they refuse the same, and give the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/codec/codec.h"
#include "store/codec/numbers_avx2.h"
#include "store/codec/rans_avx2.h"
#include "store/codec/rans_avx512.h"
#include "store/codec/transform_avx2.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define HEAD 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct codec_workspace *workspace(void)
{
	static struct codec_workspace *ws;

	if (!ws)
		ws = codec_workspace_new();
	if (!ws)
		abort();
	return ws;
}

static void *copy(const void *src, size_t len)
{
	void *p = malloc(len ? len : 1);

	if (!p)
		abort();
	memcpy(p, src, len);
	return p;
}

/* By bits 0-3. */
static const enum codec codecs[16] = {0, 1, 2, 3, 4, 5, 6, 7, CODEC_DERIVED, CODEC_WIDENED, CODEC_SYMBOLS,
	CODEC_SYMBOLS_DIFF, CODEC_CHANGES, CODEC_MOMENT, CODEC_STEP, CODEC_COUNT};

/* Both directions of a derivation, whatever the bytes are. */
static void fuzz_derive(const uint8_t *data, size_t size)
{
	size_t half = (size - HEAD) / 3, skip = data[2] % 8;
	uint8_t *base = copy(data + HEAD, 2 * half), *src = copy(data + HEAD + 2 * half, half), *dst, *back;
	const struct codec_bases bases = {
		.count = 2, .at = {{base, half / 2}, {base + half / 2, 2 * half - half / 2}}};
	struct codec_bases three = {
		.count = 3, .at = {{base, half}, {base + half, half}, {src, half}, {base, half}}};
	const void *const bytes[4] = {base, base + half, src, base};
	struct codec_input in = {.src = src, .len = half, .dtype = (enum dtype)data[1]};
	struct codec_step step = {0};
	struct codec_function function = {.from = (enum dtype)data[3], .skip = skip};
	const struct codec_bases *on = &bases;
	struct codec_result result;

	if (!half || half > CODEC_CHUNK_MAX)
		goto out;
	if (in.dtype == DTYPE_F32 && data[3] == DTYPE_F32) {
		on = &three;
		function.step = &step;
		codec_step_fit(&step, (enum codec_step_form)(skip & 1), NULL, 0, src, bytes, half / 4);
		if (skip & 2) {
			step = codec_step_first(&step, &step);
			three.count = 4;
		}
	}
	dst = malloc(CODEC_BOUND(half));
	back = malloc(half);
	if (!dst || !back)
		abort();
	if (!codec_derive(workspace(), dst, CODEC_BOUND(half), &in, on, &function, CODEC_DEFAULT, &result)) {
		uint8_t *payload = copy(dst, result.len);
		if (codec_decode(workspace(), back, half, payload, result.len, result.codec, CODEC_VERSION,
			    in.dtype, on) ||
			memcmp(back, src, half))
			abort();
		free(payload);
	}
	if (codec_near(
		    workspace(), dst, CODEC_BOUND(half), &in, on, (enum codec_level)(data[2] % 3), &result) ||
		codec_decode(workspace(), back, half, dst, result.len, result.codec, CODEC_VERSION, in.dtype,
			on) ||
		memcmp(back, src, half))
		abort();
	free(back);
	free(dst);
out:
	free(src);
	free(base);
}

static const struct instructions {
	const struct transform_ops *(*transform)(void);
	const struct number_ops *(*numbers)(void);
	const struct rans_ops *(*coder)(void);
	const struct flags_ops *(*flagger)(void);
} sets[] = {{transform_avx2, numbers_avx2, rans_avx512, flags_avx512},
	{transform_avx2, numbers_avx2, rans_avx2, flags_avx2}};

/* False: this machine lacks it. */
static bool use(struct codec_workspace *ws, const struct instructions *set)
{
	if (set && (!set->transform() || !set->numbers() || !set->coder() || !set->flagger()))
		return false;
	ws->ops = set ? set->transform() : &transform_portable;
	ws->numbers = set ? set->numbers() : &numbers_portable;
	ws->coder = set ? set->coder() : &rans_portable;
	ws->flagger = set ? set->flagger() : &flags_portable;
	return true;
}

static void decode_on_all(uint8_t *out, size_t raw_len, const uint8_t *payload, size_t len, enum codec codec,
	uint8_t version, enum dtype dtype, const struct codec_bases *bases)
{
	struct codec_workspace *ws = workspace();
	uint8_t *other = malloc(raw_len ? raw_len : 1);
	int rc;

	use(ws, NULL);
	rc = codec_decode(ws, out, raw_len, payload, len, codec, version, dtype, bases);
	for (unsigned i = sizeof sets / sizeof sets[0]; i-- > 0;) {
		if (!use(ws, &sets[i]))
			continue;
		if (!other ||
			codec_decode(ws, other, raw_len, payload, len, codec, version, dtype, bases) != rc ||
			(!rc && memcmp(other, out, raw_len)))
			abort();
	}
	free(other);
}

static void fuzz_decode(const uint8_t *data, size_t size)
{
	size_t raw_len = get_le16(data + 2);
	uint8_t *payload = copy(data + HEAD, size - HEAD), *out = malloc(raw_len ? raw_len : 1),
		*base = malloc(2 * raw_len + 3);

	if (!out || !base)
		abort();
	for (size_t i = 0; i < 2 * raw_len + 3; i++)
		base[i] = (uint8_t)(i * 7 >> 3);
	enum codec codec = codecs[data[0] & 15];
	size_t base_len = data[0] & 0x10 ? raw_len / 2 : raw_len;
	struct codec_bases bases = {.count = 1, .at = {{base, base_len}}};
	if (codec == CODEC_DERIVED || codec == CODEC_ZSTD_BASES)
		bases = (struct codec_bases){.count = 2,
			.at = {{base, base_len / 3}, {base + base_len / 3, 2 * base_len - base_len / 3}}};
	if (codec == CODEC_MOMENT || codec == CODEC_STEP)
		bases = (struct codec_bases){
			.count = codec == CODEC_STEP && size > HEAD && data[HEAD] == 2 ? 4 : 3,
			.at = {{base, base_len}, {base + 1, base_len}, {base + 2, base_len},
				{base + 3, base_len}}};
	decode_on_all(out, raw_len, payload, size - HEAD, codec, data[0] & 0x40 ? 2 : CODEC_VERSION,
		(enum dtype)data[1], data[0] & 0x20 ? NULL : &bases);
	free(payload);
	free(out);
	free(base);
}

static void fuzz_round_trip(const uint8_t *data, size_t size)
{
	size_t len = size - HEAD, base_len = 0;
	uint8_t *src, *base = NULL, *dst, *back;
	struct codec_result result;

	if (!len || len > CODEC_CHUNK_MAX)
		return;
	if (data[0] & 4) {
		/* half is the base of the other half, or a shorter piece is */
		size_t cut = data[0] & 8 ? get_le16(data + 2) % len : len / 2;
		base_len = cut;
		base = copy(data + HEAD, base_len);
		len = data[0] & 8 ? len - cut : cut;
		if (!len)
			len = 1;
		src = copy(data + size - len, len);
	} else {
		src = copy(data + HEAD, len);
	}
	dst = malloc(CODEC_BOUND(len));
	back = malloc(len);
	if (!dst || !back)
		abort();
	struct codec_input in = {
		.src = src, .len = len, .dtype = (enum dtype)data[1], .base = base, .base_len = base_len};
	if (codec_encode(workspace(), dst, CODEC_BOUND(len), &in, (enum codec_level)(data[0] & 3),
		    (int)(data[0] >> 4 & 7) - 1, &result))
		abort();
	if (result.len > CODEC_BOUND(len))
		abort();
	uint8_t *payload = copy(dst, result.len);
	const struct codec_bases bases = {.count = base != NULL, .at = {{base, base_len}}};
	if (codec_decode(workspace(), back, len, payload, result.len, result.codec, CODEC_VERSION, in.dtype,
		    &bases))
		abort();
	if (memcmp(back, src, len))
		abort();
	codec_estimate(workspace(), &in);
	free(payload);
	free(back);
	free(dst);
	free(base);
	free(src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD)
		return 0;
	if (data[0] & 0x80)
		fuzz_decode(data, size);
	else
		fuzz_round_trip(data, size);
	fuzz_derive(data, size);
	return 0;
}
