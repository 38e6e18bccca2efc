/* Chunks as planes of bytes, each coded as suits it (payload.h: PLANES, XOR, DIFF). */
#ifndef MITHRIL_STORE_CODEC_PLANES_H
#define MITHRIL_STORE_CODEC_PLANES_H

#include "store/codec/codec.h"
#include "store/codec/sample.h"

/* By the costs that a sample of each plane gave; NULL: nothing was looked at, the plane of the most
 * significant bytes goes through rANS and the others are noise. Bytes, or 0 where they do not fit. */
size_t planes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	enum codec codec, const struct plane_cost *costs, enum codec_level level);

/* base: raw_len bytes; unused with PLANES. -EBADMSG. */
int planes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const uint8_t *base);

#endif
