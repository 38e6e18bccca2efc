/*
 * Whether elements that look like noise come back: tiled and copied rows, which neither planes nor byte
 * frequencies show.
 */
#ifndef MITHRIL_STORE_CODEC_REPEATS_H
#define MITHRIL_STORE_CODEC_REPEATS_H

#include <stddef.h>

#include "store/codec/transform.h"

#define REPEATS_SPAN 16384u /* bytes, the longest period seen */

/* Looks for the 8 bytes at a few places of src in the span behind each. Windows of equal elements do not
 * count. Returns whether most places had a repeat. A few microseconds. */
int repeats_seen(const struct transform_ops *ops, const void *src, size_t len, unsigned log_width);

#endif
