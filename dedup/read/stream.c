#include "dedup/read/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/util/io.h"

#define STREAM_STEP (1u << 17) /* compressed bytes a read */

int dedup_stream_open(struct dedup_stream *s, int fd, enum dedup_codec codec)
{
	int rc = 0;

	*s = (struct dedup_stream){.fd = fd, .coder = dedup_codec_reader(codec)};
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (!s->coder)
		return 0;
	s->buffer = malloc(STREAM_STEP);
	rc = s->buffer ? s->coder->open(&s->state) : -ENOMEM;
	if (rc)
		dedup_stream_close(s);
	return rc;
}

void dedup_stream_close(struct dedup_stream *s)
{
	if (s->coder)
		s->coder->close(s->state);
	free(s->buffer);
	if (s->fd > 0)
		close(s->fd);
	*s = (struct dedup_stream){0};
}

static int refill(struct dedup_stream *s)
{
	ssize_t n = io_pread_some(s->fd, s->buffer, STREAM_STEP, s->off);

	if (n < 0)
		return (int)n;
	s->at = 0;
	s->len = (size_t)n;
	s->off += (size_t)n;
	return 1;
}

/* Padding with zeros, as tapes and some writers leave it, ends a file well. */
static int only_zeros_follow(struct dedup_stream *s)
{
	int rc = 1;

	while (rc > 0 && s->len) {
		for (size_t i = s->at; i < s->len; i++)
			if (s->buffer[i])
				return -EBADMSG;
		rc = refill(s);
	}
	return rc;
}

static int decode(struct dedup_stream *s, struct dedup_buffers *b)
{
	int rc;

	b->in = s->buffer + s->at;
	b->in_len = s->len - s->at;
	if (!s->inside && !b->in[0])
		return only_zeros_follow(s);
	s->inside = 1;
	rc = s->coder->step(s->state, b, false);
	s->at = (size_t)(b->in - s->buffer);
	if (rc > 0)
		s->inside = 0;
	return rc < 0 ? rc : 1;
}

/* The file is at its end: what the coder still holds comes out without input. 1: there was something. */
static int drain(struct dedup_stream *s, struct dedup_buffers *b)
{
	size_t before = b->out_len;
	int rc = 0;

	b->in = s->buffer;
	b->in_len = 0;
	if (s->inside)
		rc = s->coder->step(s->state, b, false);
	if (rc > 0)
		s->inside = 0;
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	if (before != b->out_len)
		return 1;
	s->why = "the compressed file ends before its end";
	return s->inside ? -EBADMSG : 0;
}

static ssize_t read_coded(struct dedup_stream *s, char *dst, size_t len)
{
	struct dedup_buffers b = {.out = (uint8_t *)dst, .out_len = len};
	int rc = 1;

	s->why = "the compressed file is damaged";
	while (rc > 0 && b.out_len) {
		if (s->at == s->len)
			rc = refill(s);
		if (rc < 0)
			break;
		rc = s->len ? decode(s, &b) : drain(s, &b);
	}
	if (rc < 0)
		s->failed = rc;
	return b.out_len < len ? (ssize_t)(len - b.out_len) : rc < 0 ? rc : 0;
}

ssize_t dedup_stream_read(struct dedup_stream *s, char *dst, size_t len)
{
	ssize_t n;

	if (s->failed)
		return s->failed;
	if (s->coder)
		return read_coded(s, dst, len);
	n = io_pread_some(s->fd, dst, len, s->off);
	s->off += n > 0 ? (size_t)n : 0;
	return n;
}
