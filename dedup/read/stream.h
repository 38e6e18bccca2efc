/*
 * The bytes of one file from its start to its end, decompressed.
 */
#ifndef MITHRIL_DEDUP_READ_STREAM_H
#define MITHRIL_DEDUP_READ_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dedup/codec/codec.h"

struct dedup_stream {
	int fd;
	uint64_t off;			 /* of the next byte on disk */
	const struct dedup_coder *coder; /* NULL: as they are */
	void *state;
	uint8_t *buffer; /* compressed bytes that wait */
	size_t at, len;
	int inside;	 /* a member has begun and not ended */
	int failed;	 /* the error that every further read gives */
	const char *why; /* after -EBADMSG: a line in static storage */
};

/* Takes the descriptor over, after a failure too. -ENOMEM. */
int dedup_stream_open(struct dedup_stream *s, int fd, enum dedup_codec codec);
/* Up to `len` bytes, fewer only at the end; 0: nothing more. -EBADMSG: damaged, or it ends before its end;
 * what came before has been read then. -ENOMEM, errors of pread(2). */
ssize_t dedup_stream_read(struct dedup_stream *s, char *dst, size_t len);
/* A zeroed one is fine. */
void dedup_stream_close(struct dedup_stream *s);

#endif
