/*
 * Some rows of an array's buffers, as buffers of a copy. Each function takes an array that has the buffers of
 * its layout and as many rows as the runs say; what the buffers say is checked. The copy has room for the
 * numbers of its buffers, and frees them. 0, -ENOMEM; -EBADMSG: offsets or views are impossible.
 */
#ifndef MITHRIL_DEDUP_ARROW_BUFFERS_H
#define MITHRIL_DEDUP_ARROW_BUFFERS_H

#include "dedup/arrow/rows.h"

/* Buffer 0 and null_count, where the array has nulls. */
int arrow_copy_valid(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs);
/* Buffer 1: bits; values of `width` bytes. */
int arrow_copy_bits(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs);
int arrow_copy_fixed(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs,
	int64_t width);
/* Buffer 1: offsets of `width` bytes, which may be up to `most`; *items, zeroed by the caller, becomes the
 * runs of what they point to, and items->v is the caller's to free, after a failure too. */
int arrow_copy_offsets(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs,
	int64_t width, int64_t most, struct arrow_runs *items);
/* Buffers 1 and 2: offsets and what they point to. */
int arrow_copy_bytes(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs,
	int64_t width);
/* Buffers 1 to 3: views, one buffer of all long strings, its length. -EOVERFLOW: they are over 2 GiB. */
int arrow_copy_views(struct ArrowArray *copy, const struct ArrowArray *array, const struct arrow_runs *runs);

#endif
