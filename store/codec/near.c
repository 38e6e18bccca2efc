/* zstd with the bytes of several bases as prefix, for opaque bytes of many alike files. */
#include <errno.h>
#include <string.h>

#include "store/codec/block.h"
#include "store/codec/prefix.h"
#include "store/codec/workspace.h"

static int near_level(enum codec_level level)
{
	return level == CODEC_FAST ? 3 : level == CODEC_SMALL ? 19 : 12;
}

/* All bytes of the bases, in their order, in ws->planes; *len 0: they are too many, or none. */
static const void *join(struct codec_workspace *ws, const struct codec_bases *bases, size_t *len)
{
	*len = 0;
	if (bases->count == 1 && bases->at[0].len <= CODEC_CHUNK_MAX) {
		*len = bases->at[0].len;
		return bases->at[0].bytes;
	}
	for (unsigned i = 0; i < bases->count && i < CODEC_BASES_MAX; i++) {
		const struct codec_base *base = &bases->at[i];
		if (base->len > CODEC_CHUNK_MAX - *len) {
			*len = 0;
			return NULL;
		}
		memcpy(ws->planes + *len, base->bytes, base->len);
		*len += base->len;
	}
	return ws->planes;
}

int codec_near(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	const struct codec_bases *bases, enum codec_level level, struct codec_result *result)
{
	size_t most, prefix_len = 0, len = 0;
	const void *prefix = NULL;

	if (!in->len || in->len > CODEC_CHUNK_MAX || capacity < CODEC_BOUND(in->len))
		return -EINVAL;
	most = in->len - 1 - in->len / 128;
	if (bases && bases->count)
		prefix = join(ws, bases, &prefix_len);
	if (prefix_len && prefix_allowed(prefix, prefix_len))
		len = prefix_encode(ws, dst, most, in->src, in->len, prefix, prefix_len, near_level(level));
	*result = (struct codec_result){CODEC_ZSTD_BASES, len};
	if (len)
		return 0;
	if (codec_estimate(ws, in) < most)
		len = block_zstd(ws, dst, most, in->src, in->len, near_level(level));
	*result = (struct codec_result){CODEC_ZSTD, len};
	if (len)
		return 0;
	memcpy(dst, in->src, in->len);
	*result = (struct codec_result){CODEC_STORED, in->len};
	return 0;
}

int near_decode(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len,
	const struct codec_bases *bases)
{
	size_t prefix_len;
	const void *prefix = join(ws, bases, &prefix_len);

	return prefix ? prefix_decode(ws, dst, n, src, len, prefix, prefix_len) : -EBADMSG;
}
