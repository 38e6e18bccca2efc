/*
 * Which reads follow each other: a few sequential streams through one file, each with how far it may be read
 * ahead.
 *
 * Requests of one stream may arrive somewhat out of order, as the kernel's read-ahead sends them. Pure; the
 * caller locks.
 */
#ifndef MITHRIL_STORE_DECODE_STREAMS_H
#define MITHRIL_STORE_DECODE_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAMS 4u
#define STREAM_MIN (1u << 20) /* bytes read in sequence before anything is read ahead */

struct stream {
	uint64_t next;	/* where it is expected to go on */
	uint64_t run;	/* bytes read in sequence */
	uint64_t ahead; /* read ahead up to here */
	uint64_t used;
};

struct streams {
	struct stream stream[STREAMS];
	uint64_t clock;
};

/* Notes a read; the stream that it belongs to, which may be a new one. */
struct stream *streams_touch(struct streams *streams, uint64_t off, size_t len);

/* What to read ahead now, at most `max`. Of a file that is read from its start, of which all is likely
 * wanted: half of what was read so far, once that is STREAM_MIN. From elsewhere: an eighth, and nothing
 * before 4 MiB, so that who reads one tensor pays for little more. False: nothing. The caller sets
 * stream->ahead. */
bool stream_window(const struct stream *stream, uint64_t max, uint64_t size, uint64_t *from, uint64_t *to);

#endif
