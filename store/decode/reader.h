/*
 * A reader: the state that reader.c (what it is) and read.c (reading ranges) share. Nobody else includes
 * this.
 */
#ifndef MITHRIL_STORE_DECODE_READER_H
#define MITHRIL_STORE_DECODE_READER_H

#include "store/decode/internal.h"
#include "store/decode/streams.h"

struct reader {
	struct decoder *decoder;
	uint64_t recipe, size;
	pthread_mutex_t lock;	      /* protects what follows */
	struct recipe_cursor *cursor; /* for what is being read */
	struct recipe_cursor *scout;  /* for what is read ahead; made when first needed */
	struct streams streams;
};

/* Looks up the extents of off..end, READER_PINS of them at most. Errors of recipe_cursor_at. */
int reader_look_up(struct reader *reader, uint64_t off, uint64_t end, struct extent *extents, size_t *count);

/* What to answer for an error that was met at `off`: what is missing or damaged is logged, and -EBADMSG. */
int reader_failed(const struct reader *reader, uint64_t off, int error);

#endif
