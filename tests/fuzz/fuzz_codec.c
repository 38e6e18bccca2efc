// links: m_codec
/* Byte 0: bit 7 set: the rest is a payload to decode; clear: it is a chunk to encode and decode. Bits 0-3
 * codec (decode) or level and base (encode). Byte 1: dtype. Bytes 2-3: raw length (decode), or where the base
 * begins (encode). Every input is also a chunk of the last third derived from the rest. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/codec/codec.h"
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
	CODEC_SYMBOLS_DIFF, CODEC_CHANGES, CODEC_COUNT};

/* Both directions of a derivation, whatever the bytes are. */
static void fuzz_derive(const uint8_t *data, size_t size)
{
	size_t half = (size - HEAD) / 3, skip = data[2] % 8;
	uint8_t *base = copy(data + HEAD, 2 * half), *src = copy(data + HEAD + 2 * half, half), *dst, *back;
	const struct codec_bases bases = {
		.count = 2, .at = {{base, half / 2}, {base + half / 2, 2 * half - half / 2}}};
	struct codec_input in = {.src = src, .len = half, .dtype = (enum dtype)data[1]};
	struct codec_result result;

	if (!half || half > CODEC_CHUNK_MAX)
		goto out;
	dst = malloc(CODEC_BOUND(half));
	back = malloc(half);
	if (!dst || !back)
		abort();
	if (!codec_derive(workspace(), dst, CODEC_BOUND(half), &in, &bases, skip, (enum dtype)data[3],
		    CODEC_DEFAULT, &result)) {
		uint8_t *payload = copy(dst, result.len);
		if (codec_decode(workspace(), back, half, payload, result.len, result.codec, CODEC_VERSION,
			    in.dtype, &bases) ||
			memcmp(back, src, half))
			abort();
		free(payload);
	}
	free(back);
	free(dst);
out:
	free(src);
	free(base);
}

static void fuzz_decode(const uint8_t *data, size_t size)
{
	size_t raw_len = get_le16(data + 2);
	uint8_t *payload = copy(data + HEAD, size - HEAD), *out = malloc(raw_len ? raw_len : 1),
		*base = malloc(2 * raw_len + 1);

	if (!out || !base)
		abort();
	for (size_t i = 0; i < 2 * raw_len; i++)
		base[i] = (uint8_t)(i * 7 >> 3);
	/* the base in one piece, or cut in two somewhere */
	size_t base_len = data[0] & 0x10			   ? raw_len / 2
			  : codec_is_derived(codecs[data[0] & 15]) ? 2 * raw_len
								   : raw_len,
	       cut = base_len / 3;
	const struct codec_bases whole = {.count = 1, .at = {{base, base_len}}},
				 two = {.count = 2, .at = {{base, cut}, {base + cut, base_len - cut}}};
	codec_decode(workspace(), out, raw_len, payload, size - HEAD, codecs[data[0] & 15],
		data[0] & 0x40 ? 2 : CODEC_VERSION, (enum dtype)data[1],
		data[0] & 0x20				? NULL
		: codecs[data[0] & 15] == CODEC_DERIVED ? &two
							: &whole);
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
