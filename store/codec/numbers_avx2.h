/* The AVX2 functions, or NULL where the machine or the build has none. */
#ifndef MITHRIL_STORE_CODEC_NUMBERS_AVX2_H
#define MITHRIL_STORE_CODEC_NUMBERS_AVX2_H

#include "store/codec/numbers.h"

const struct number_ops *numbers_avx2(void);

#endif
