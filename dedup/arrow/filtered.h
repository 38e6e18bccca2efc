/*
 * The batches of a source as a stream again, of the rows that stay.
 */
#ifndef MITHRIL_DEDUP_ARROW_FILTERED_H
#define MITHRIL_DEDUP_ARROW_FILTERED_H

#include "dedup/arrow/source.h"
#include "dedup/cut/cuts.h"

/* What of the rows is given. */
struct arrow_stay {
	const uint8_t *mask; /* a bit for each row that was read, set for one that stays */
	uint64_t rows;
	const struct dedup_cuts
		*cuts; /* settled: what texts are without; NULL or none: they stay as they are */
};

/* *out becomes a stream of the schema of `source`, whose batches (kept) it takes away, and the stream with
 * them. `stay` is copied. Each batch is let go when its rows have been asked for. -EOPNOTSUPP: a column's
 * type is one that rows cannot be taken from (arrow_rows_can), or that texts cannot be cut in
 * (arrow_can_cut), with *why; -ENOMEM. After a failure all is as it was. */
int arrow_filtered(struct ArrowArrayStream *out, struct arrow_source *source, const struct arrow_stay *stay,
	char why[static 256]);
/* The same of a source that was opened and has not been read, and is read as the rows are asked for: the rows
 * that were read before, once more. Where they are not as many, the stream ends with an error. */
int arrow_filtered_again(struct ArrowArrayStream *out, struct arrow_source *source,
	const struct arrow_stay *stay, char why[static 256]);

#endif
