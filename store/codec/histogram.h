/* How frequent bytes are, from a part of them. */
#ifndef MITHRIL_STORE_CODEC_HISTOGRAM_H
#define MITHRIL_STORE_CODEC_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/numbers.h"

/* counts[0]: of n bytes, those of one run in `step`, all where there are few bytes; but at least 1 of each
 * that occurs anywhere. The other three are scratch. */
void histogram_of(
	uint32_t counts[4][256], const struct number_ops *ops, const uint8_t *bytes, size_t n, size_t step);

#endif
