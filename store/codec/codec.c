#include "store/codec/codec.h"

#include <errno.h>
#include <string.h>

#include "store/codec/block.h"
#include "store/codec/changes.h"
#include "store/codec/derived.h"
#include "store/codec/planes.h"
#include "store/codec/prefix.h"
#include "store/codec/symbols.h"

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
	case CODEC_MOMENT:
	case CODEC_STEP:
		return derived_decode(ws, dst, raw_len, payload, payload_len, codec, dtype, bases);
	default:
		if (codec != CODEC_PLANES && base_len != raw_len)
			return -EBADMSG;
		return planes_decode(ws, dst, raw_len, payload, payload_len, codec, dtype, base);
	}
}
