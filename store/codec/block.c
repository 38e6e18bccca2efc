#include "store/codec/block.h"

#include <errno.h>
#include <string.h>

#include "store/codec/block_rans.h"
#include "store/codec/payload.h"
#include "store/codec/varint.h"
#include "store/codec/workspace.h"
#include "store/util/bytes.h"

static int is_constant(const uint8_t *src, size_t n)
{
	return n == 1 || !memcmp(src, src + 1, n - 1);
}

size_t block_zstd(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const void *src, size_t n, int zstd_level)
{
	ZSTD_CCtx *cctx = zstd_level ? ws->match : ws->entropy;
	size_t need = ZSTD_compressBound(n), len;
	uint8_t *to = capacity < need && need <= sizeof ws->out ? ws->out : dst;

	if (zstd_level)
		ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, zstd_level);
	len = ZSTD_compress2(cctx, to, to == dst ? capacity : sizeof ws->out, src, n);
	if (ZSTD_isError(len) || len > capacity)
		return 0;
	if (to != dst)
		memcpy(dst, to, len);
	return len;
}

int block_is_frame(const void *src, size_t len)
{
	return len >= 4 && get_le32(src) == ZSTD_MAGICNUMBER && ZSTD_findFrameCompressedSize(src, len) == len;
}

int block_unzstd(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len)
{
	if (!block_is_frame(src, len))
		return -EBADMSG;
	return ZSTD_decompressDCtx(ws->decode, dst, n, src, len) == n ? 0 : -EBADMSG;
}

static size_t encode_stored(uint8_t *dst, size_t capacity, const uint8_t *src, size_t n)
{
	if (capacity < n + 1)
		return 0;
	dst[0] = BLOCK_STORED;
	memcpy(dst + 1, src, n);
	return n + 1;
}

/* The frame goes behind the longest varint, and is moved up to the one it gets. */
static size_t encode_zstd(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n, int level)
{
	size_t head = 1 + VARINT_MAX, len, used;

	if (capacity <= head)
		return 0;
	len = block_zstd(ws, dst + head, capacity - head, src, n, level);
	if (!len || len + head >= n)
		return 0;
	dst[0] = BLOCK_ZSTD;
	used = 1 + put_varint(dst + 1, len);
	memmove(dst + used, dst + head, len);
	return used + len;
}

/* Cuts src into the gaps between the bytes that are not `fill` and those bytes; fails (0) when they are many.
 */
static int cut_sparse(
	struct codec_workspace *ws, const uint8_t *src, size_t n, uint8_t fill, size_t *gaps, size_t *values)
{
	const uint64_t all = 0x0101010101010101u * fill;
	size_t limit = n / 2, g = 0, v = 0, last = 0, i = 0;

	while (i < n) {
		uint64_t word;
		if (i + 8 <= n && (memcpy(&word, src + i, 8), word == all)) {
			i += 8;
			continue;
		}
		size_t stop = i + 8 < n ? i + 8 : n;
		for (; i < stop; i++) {
			if (src[i] == fill)
				continue;
			size_t gap = i - last;
			if (v >= limit || g + gap / BLOCK_GAP_SKIP >= limit)
				return 0;
			for (; gap > BLOCK_GAP_MAX; gap -= BLOCK_GAP_SKIP)
				ws->gaps[g++] = BLOCK_GAP_SKIP;
			ws->gaps[g++] = (uint8_t)gap;
			ws->values[v++] = src[i];
			last = i + 1;
		}
	}
	*gaps = g;
	*values = v;
	return 1;
}

static size_t encode_plain(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n, int level)
{
	size_t len;

	if (!n)
		return 0;
	if (is_constant(src, n)) {
		if (capacity < 2)
			return 0;
		dst[0] = BLOCK_CONSTANT;
		dst[1] = src[0];
		return 2;
	}
	len = encode_zstd(ws, dst, capacity, src, n, level);
	return len ? len : encode_stored(dst, capacity, src, n);
}

static size_t encode_sparse(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n, uint8_t fill)
{
	size_t gaps, values, used, part;

	if (capacity < 2 + 2 * VARINT_MAX || !cut_sparse(ws, src, n, fill, &gaps, &values))
		return 0;
	dst[0] = BLOCK_SPARSE;
	dst[1] = fill;
	used = 2 + put_varint(dst + 2, values);
	used += put_varint(dst + used, gaps);
	if (!values)
		return used;
	part = encode_plain(ws, dst + used, capacity - used, ws->gaps, gaps, 0);
	if (!part)
		return 0;
	used += part;
	part = encode_plain(ws, dst + used, capacity - used, ws->values, values, 0);
	return part && used + part < n ? used + part : 0;
}

static size_t encode_rans(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n)
{
	size_t len = capacity ? block_rans_encode(ws, dst + 1, capacity - 1, src, n) : 0;

	if (!len || len >= n)
		return encode_stored(dst, capacity, src, n);
	dst[0] = BLOCK_RANS;
	return len + 1;
}

size_t block_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n,
	enum block_try how, uint8_t fill, int zstd_level)
{
	size_t len = 0;

	if (how == TRY_STORED && !is_constant(src, n))
		return encode_stored(dst, capacity, src, n);
	if (how == TRY_RANS)
		return encode_rans(ws, dst, capacity, src, n);
	if (how == TRY_SPARSE && !is_constant(src, n))
		len = encode_sparse(ws, dst, capacity, src, n, fill);
	return len ? len : encode_plain(ws, dst, capacity, src, n, how == TRY_MATCH ? zstd_level : 0);
}

static int decode_zstd(
	struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *dst, size_t n)
{
	size_t len;

	if (get_varint(src, end, &len) || len > (size_t)(end - *src))
		return -EBADMSG;
	if (block_unzstd(ws, dst, n, *src, len))
		return -EBADMSG;
	*src += len;
	return 0;
}

/* Methods 0 to 2. */
static int decode_plain(struct codec_workspace *ws, uint8_t method, const uint8_t **src, const uint8_t *end,
	uint8_t *scratch, size_t n, const uint8_t **bytes)
{
	*bytes = scratch;
	switch (method) {
	case BLOCK_STORED:
		if (n > (size_t)(end - *src))
			return -EBADMSG;
		*bytes = *src;
		*src += n;
		return 0;
	case BLOCK_CONSTANT:
		if (*src == end)
			return -EBADMSG;
		memset(scratch, *(*src)++, n);
		return 0;
	case BLOCK_ZSTD:
		return decode_zstd(ws, src, end, scratch, n);
	default:
		return -EBADMSG;
	}
}

static int decode_part(struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *scratch,
	size_t n, const uint8_t **bytes)
{
	*bytes = scratch;
	if (!n)
		return 0;
	if (*src == end)
		return -EBADMSG;
	uint8_t method = *(*src)++;
	return decode_plain(ws, method, src, end, scratch, n, bytes);
}

static int place_values(
	uint8_t *dst, size_t n, const uint8_t *gaps, size_t g, const uint8_t *values, size_t count)
{
	size_t at = 0, v = 0;

	for (size_t i = 0; i < g; i++) {
		at += gaps[i];
		if (gaps[i] == BLOCK_GAP_SKIP)
			continue;
		if (at >= n || v == count)
			return -EBADMSG;
		dst[at++] = values[v++];
	}
	return v == count ? 0 : -EBADMSG;
}

static int decode_sparse(
	struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *dst, size_t n)
{
	const uint8_t *gaps, *values;
	size_t count, g;
	uint8_t fill;

	if (*src == end)
		return -EBADMSG;
	fill = *(*src)++;
	if (get_varint(src, end, &count) || get_varint(src, end, &g) || count > n || g > n || count > g)
		return -EBADMSG;
	if (decode_part(ws, src, end, ws->gaps, g, &gaps) ||
		decode_part(ws, src, end, ws->values, count, &values))
		return -EBADMSG;
	memset(dst, fill, n);
	return place_values(dst, n, gaps, g, values, count);
}

int block_decode(struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *scratch,
	size_t n, const uint8_t **bytes)
{
	*bytes = scratch;
	if (*src == end)
		return -EBADMSG;
	uint8_t method = *(*src)++;
	if (method == BLOCK_SPARSE)
		return decode_sparse(ws, src, end, scratch, n);
	if (method == BLOCK_RANS)
		return block_rans_decode(ws, src, end, scratch, n);
	return decode_plain(ws, method, src, end, scratch, n, bytes);
}

int block_level(enum codec_level level)
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
