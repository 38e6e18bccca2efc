/*
 * The batches of a source as a stream again, of the rows that stay.
 */
#ifndef MITHRIL_DEDUP_ARROW_FILTERED_H
#define MITHRIL_DEDUP_ARROW_FILTERED_H

#include "dedup/arrow/source.h"

/* *out becomes a stream of the schema of `source`, whose batches (kept) it takes away, and the stream with
 * them. `mask` has a bit for each row that was read, set for one that stays; it is copied. Each batch is let
 * go when its rows have been asked for. -EOPNOTSUPP: a column's type is one that rows cannot be taken from
 * (arrow_rows_can), with *why; -ENOMEM. After a failure all is as it was. */
int arrow_filtered(
	struct ArrowArrayStream *out, struct arrow_source *source, const uint8_t *mask, char why[static 256]);

#endif
