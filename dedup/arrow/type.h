/*
 * What a type of Arrow's looks like in memory.
 */
#ifndef MITHRIL_DEDUP_ARROW_TYPE_H
#define MITHRIL_DEDUP_ARROW_TYPE_H

#include "dedup/arrow/abi.h"

enum arrow_layout {
	ARROW_NULLS,	  /* no buffers */
	ARROW_BITS,	  /* valid, bits */
	ARROW_FIXED,	  /* valid, values of `width` bytes; the indices of a dictionary too */
	ARROW_BYTES,	  /* valid, offsets of `width` bytes, data */
	ARROW_VIEWS,	  /* valid, views of 16 bytes, data in any number of buffers, their lengths */
	ARROW_LIST,	  /* valid, offsets of `width` bytes; one child */
	ARROW_FIXED_LIST, /* valid; one child with `width` items a row */
	ARROW_STRUCT,	  /* valid; children */
};

struct arrow_type {
	enum arrow_layout layout;
	int64_t width;
	int64_t buffers; /* at least, for ARROW_VIEWS */
};

/* -EOPNOTSUPP: unions, run-end encoding, views of lists, and what this knows nothing of. */
int arrow_type_of(struct arrow_type *type, const struct ArrowSchema *schema);

#endif
