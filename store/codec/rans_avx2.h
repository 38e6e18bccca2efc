/* The AVX2 coders, or NULL where the machine or the build has none. */
#ifndef MITHRIL_STORE_CODEC_RANS_AVX2_H
#define MITHRIL_STORE_CODEC_RANS_AVX2_H

#include "store/codec/flags.h"
#include "store/codec/rans.h"

const struct rans_ops *rans_avx2(void);
const struct flags_ops *flags_avx2(void);

#endif
