/* zstd with the bytes of a base as prefix. */
#ifndef MITHRIL_STORE_CODEC_PREFIX_H
#define MITHRIL_STORE_CODEC_PREFIX_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"

/* Bytes that begin like a zstd dictionary would be taken for one. */
int prefix_allowed(const void *base, size_t base_len);

/* Bytes written, or 0 if they do not fit. base_len <= CODEC_CHUNK_MAX. */
size_t prefix_encode(struct codec_workspace *ws, void *dst, size_t capacity, const void *src, size_t n,
	const void *base, size_t base_len, int zstd_level);

/* Exactly n bytes or -EBADMSG. */
int prefix_decode(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len,
	const void *base, size_t base_len);

/* The same behind all bases. */
int near_decode(struct codec_workspace *ws, void *dst, size_t n, const void *src, size_t len,
	const struct codec_bases *bases);

#endif
