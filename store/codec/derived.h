/* The other way of codec_derive: chunks that are functions of others (codec_is_derived). */
#ifndef MITHRIL_STORE_CODEC_DERIVED_H
#define MITHRIL_STORE_CODEC_DERIVED_H

#include "store/codec/codec.h"

/* Any bases, one at least. -EBADMSG. */
int derived_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum codec codec, enum dtype dtype, const struct codec_bases *bases);

#endif
