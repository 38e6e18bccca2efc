/*
 * Content-defined chunk boundaries for untyped data: FastCDC (Xia et al., USENIX ATC 2016) with normalised
 * chunking.
 *
 * Pure. The gear table is derived from `seed`, so boundaries differ from store to store.
 */
#ifndef MITHRIL_STORE_CODEC_CDC_H
#define MITHRIL_STORE_CODEC_CDC_H

#include <stddef.h>
#include <stdint.h>

#define CDC_MIN (16u << 10)
#define CDC_AVERAGE (64u << 10)
#define CDC_MAX (256u << 10)

struct cdc {
	uint64_t gear[256];
};

void cdc_init(struct cdc *cdc, uint64_t seed);

/* Length of the first chunk of `src`: between CDC_MIN and CDC_MAX, or less only if `len` is. The caller
 * passes at least CDC_MAX bytes unless the data ends before. At least 1 GB/s a core. */
size_t cdc_next(const struct cdc *cdc, const void *src, size_t len);

/* Whether the data looks already compressed or encrypted (zstd, gzip, xz, png, ... or flat byte statistics on
 * a sample), so that cutting and compressing would be wasted. Pure. */
int cdc_incompressible(const void *src, size_t len);

#endif
