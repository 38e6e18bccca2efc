#include "store/codec/prefix.h"

#include <errno.h>

#include "store/codec/block.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

#define WINDOW_LOG_MAX 21 /* twice CODEC_CHUNK_MAX */

int prefix_allowed(const void *base, size_t base_len)
{
	return base_len && !(base_len >= 4 && get_le32(base) == ZSTD_MAGIC_DICTIONARY);
}

size_t prefix_encode(struct codec_workspace *ws, void *dst, size_t capacity, const void *src, size_t n,
	const void *base, size_t base_len, int zstd_level)
{
	ZSTD_CCtx *cctx = ws->match;
	int window = ZSTD_WINDOWLOG_MIN;
	size_t len;

	while (window < WINDOW_LOG_MAX && (size_t)1 << window < n + base_len)
		window++;
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, zstd_level);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, window);
	ZSTD_CCtx_refPrefix(cctx, base, base_len);
	len = ZSTD_compress2(cctx, dst, capacity, src, n);
	ZSTD_CCtx_refPrefix(cctx, NULL, 0);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 0);
	return ZSTD_isError(len) ? 0 : len;
}

int prefix_decode(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len,
	const void *base, size_t base_len)
{
	if (!prefix_allowed(base, base_len) || !block_is_frame(src, len))
		return -EBADMSG;
	return ZSTD_decompress_usingDict(ws->decode, dst, n, src, len, base, base_len) == n ? 0 : -EBADMSG;
}
