/* One block of bytes of a known length, usually a plane: stored, constant, zstd or sparse (payload.h). */
#ifndef MITHRIL_STORE_CODEC_BLOCK_H
#define MITHRIL_STORE_CODEC_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"

/* How to try; the outcome may still be another method where that is smaller. */
enum block_try { TRY_STORED, TRY_RANS, TRY_ENTROPY, TRY_MATCH, TRY_SPARSE };

/* Writes the block of src (n >= 1 bytes) into dst: the bytes written, or 0 if they do not fit in capacity.
 * `fill` matters for TRY_SPARSE, `zstd_level` for TRY_MATCH. */
size_t block_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n,
	enum block_try how, uint8_t fill, int zstd_level);

/* Reads a block of n bytes from *src, which ends at end, and moves *src behind it. *bytes points to them:
 * into the payload or into scratch (n bytes). -EBADMSG. */
int block_decode(struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *scratch,
	size_t n, const uint8_t **bytes);

/* zstd frame of src by the workspace's contexts; 0 if it does not fit. Level 0: entropy coding only. */
size_t block_zstd(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const void *src, size_t n, int zstd_level);

/* Whether src is exactly one frame of zstd's own format: its library would take older formats, and several
 * frames, too. */
int block_is_frame(const void *src, size_t len);

/* Exactly n bytes from one frame, or -EBADMSG. */
int block_unzstd(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len);

/* The level of zstd that goes with one of ours. */
int block_level(enum codec_level level);

#endif
