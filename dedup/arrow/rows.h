/*
 * Some rows of an Arrow array, as a new one.
 */
#ifndef MITHRIL_DEDUP_ARROW_ROWS_H
#define MITHRIL_DEDUP_ARROW_ROWS_H

#include <stddef.h>

#include "dedup/arrow/abi.h"

/* Rows [from, to) of an array, from its own row 0 on. */
struct arrow_run {
	int64_t from, to;
};

/* Rises and does not overlap. */
struct arrow_runs {
	struct arrow_run *v;
	size_t count;
	int64_t rows; /* in all runs together */
};

/* Whether arrays of this type can be taken rows from: all but unions, run-end encoding and views of lists.
 * -EOPNOTSUPP; *format is the type that cannot. */
int arrow_rows_can(const struct ArrowSchema *schema, const char **format);

/* Copies rows of `array`, which is of the schema's type, to a new array that is the caller's to release.
 * Dictionaries are copied whole. What the array says of itself is checked as far as it can be
 * (arrow_texts_of); -EBADMSG: it is impossible. -ENOMEM, -EOPNOTSUPP. */
int arrow_rows_copy(struct ArrowArray *copy, const struct ArrowSchema *schema, const struct ArrowArray *array,
	const struct arrow_runs *runs);

#endif
