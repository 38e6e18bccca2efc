/* The AVX2 transforms, or NULL where the machine or the build has none. */
#ifndef MITHRIL_STORE_CODEC_TRANSFORM_AVX2_H
#define MITHRIL_STORE_CODEC_TRANSFORM_AVX2_H

#include "store/codec/transform.h"

const struct transform_ops *transform_avx2(void);

#endif
