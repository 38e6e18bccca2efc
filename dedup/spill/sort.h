/*
 * Sorts records of a fixed size by their bytes, in place.
 */
#ifndef MITHRIL_DEDUP_SPILL_SORT_H
#define MITHRIL_DEDUP_SPILL_SORT_H

#include <stddef.h>
#include <stdint.h>

#define DEDUP_SORT_SIZE_MAX 32u

/* `size` <= DEDUP_SORT_SIZE_MAX bytes each. Fast where the first bytes are those of hashes: American flag
 * sort (McIlroy, Bostic, McIlroy, "Engineering radix sort", 1993), then insertion. */
void dedup_sort(uint8_t *records, size_t count, size_t size);

#endif
