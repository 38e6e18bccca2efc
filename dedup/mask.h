/*
 * The lines that stay as a Roaring bitmap in its portable serialisation
 * (https://github.com/RoaringBitmap/RoaringFormatSpec). Bit N is line N, counted from 0 through all inputs in
 * the order in which they were named; blank lines, which are copied, are in.
 */
#ifndef MITHRIL_DEDUP_MASK_H
#define MITHRIL_DEDUP_MASK_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

/* At most about an eighth of a byte of memory a line, twice. -ENOMEM; errors as dedup_outfile_write. */
int dedup_mask_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file);

#endif
