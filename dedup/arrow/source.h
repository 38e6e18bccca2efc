/*
 * The texts of a column of an Arrow stream, as a source for the reader; and the stream's batches, kept for a
 * second look.
 */
#ifndef MITHRIL_DEDUP_ARROW_SOURCE_H
#define MITHRIL_DEDUP_ARROW_SOURCE_H

#include <stdbool.h>

#include "dedup/arrow/column.h"
#include "dedup/read/reader.h"

struct arrow_source {
	struct dedup_source source; /* for dedup_inputs_add_source; ctx is this */
	struct ArrowArrayStream stream;
	struct ArrowSchema schema;
	struct arrow_column column;
	bool keep;		  /* the batches */
	struct ArrowArray batch;  /* at hand, unless it is the last of `batches` */
	struct arrow_texts texts; /* of it */
	bool has_column;
	int64_t row; /* the next one; at `texts.length`: another batch is wanted */
	struct ArrowArray *batches;
	size_t count, capacity;
	uint64_t rows; /* read */
	char error[256];
};

/* Takes the stream over, also where it fails; `source` must not move. `keep`: batches stay, in order. `field`
 * NULL: no column is looked for, and there are no texts.
 * -ENOENT, -EINVAL as arrow_column_find; -ENOMEM; the stream's errors. `error` says more. */
int arrow_source_open(
	struct arrow_source *source, struct ArrowArrayStream *stream, const char *field, bool keep);
/* Instead of `source`, batch by batch: 1, and *batch, valid until the next call or kept, with its texts; 0:
 * the end. -EBADMSG: it is not what its schema says; -ENOMEM; the stream's errors; `error` says more. */
int arrow_source_batch(struct arrow_source *source, const struct ArrowArray **batch);
/* Releases all that is still there. */
void arrow_source_close(struct arrow_source *source);

#endif
