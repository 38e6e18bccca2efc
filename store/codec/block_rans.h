/* Bytes of one table by the lanes of rans.h (payload.h: method 4 of a block). */
#ifndef MITHRIL_STORE_CODEC_BLOCK_RANS_H
#define MITHRIL_STORE_CODEC_BLOCK_RANS_H

#include <stddef.h>
#include <stdint.h>

struct codec_workspace;

/* The block of src (n >= 1 bytes, not in ws->values32) without its first byte, the method, by the
 * frequencies of a part of them: the bytes written, or 0 if they do not fit in capacity. */
size_t block_rans_encode(
	struct codec_workspace *ws, uint8_t *dst, size_t capacity, const uint8_t *src, size_t n);

/* Reads what that wrote from *src, which ends at end, into dst, and moves *src behind it. -EBADMSG. */
int block_rans_decode(
	struct codec_workspace *ws, const uint8_t **src, const uint8_t *end, uint8_t *dst, size_t n);

#endif
