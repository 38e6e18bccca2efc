/*
 * The rows of an Arrow stream as JSON lines in an unnamed file, so that they can be read again and need no
 * memory: a line for each row, a blank one where it has no text.
 */
#ifndef MITHRIL_DEDUP_ARROW_SPOOL_H
#define MITHRIL_DEDUP_ARROW_SPOOL_H

#include "dedup/arrow/source.h"

#define ARROW_SPOOL_FIELDS 2u

struct arrow_spool {
	const char *text; /* the column that the source was opened with; NULL: none */
	const char
		*fields[ARROW_SPOOL_FIELDS]; /* of any type that arrow_column_find_value takes; NULL: none */
	uint64_t rows;			     /* written */
};

/* Reads the source to its end, into `fd`. A record has the names as keys, spelt as they are, dots included.
 * A text that is no UTF-8 is written as it is. -ENOENT, -EINVAL as arrow_column_find_value; -EBADMSG: a batch
 * is not what its schema says, or row number `rows` has impossible offsets; -ENOMEM, errors of the stream and
 * of writing. source->error says more where it is not empty. */
int arrow_spool(struct arrow_spool *spool, struct arrow_source *source, int fd);

#endif
