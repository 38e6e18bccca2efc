#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "dedup/codec/codec.h"

#define GZIP_BITS (15 + 16) /* the largest window; 16: gzip's own header and trailer */

static unsigned at_most(size_t len)
{
	return len > UINT_MAX ? UINT_MAX : (unsigned)len;
}

static void give(z_stream *z, const struct dedup_buffers *b)
{
	z->next_in = (unsigned char *)(uintptr_t)b->in;
	z->avail_in = at_most(b->in_len);
	z->next_out = b->out;
	z->avail_out = at_most(b->out_len);
}

static void take(const z_stream *z, struct dedup_buffers *b)
{
	b->in_len -= (size_t)(z->next_in - b->in);
	b->in = z->next_in;
	b->out_len -= (size_t)(z->next_out - b->out);
	b->out = z->next_out;
}

static int reader_open(void **state)
{
	z_stream *z = calloc(1, sizeof *z);

	*state = z;
	if (!z)
		return -ENOMEM;
	if (inflateInit2(z, GZIP_BITS) == Z_OK)
		return 0;
	free(z);
	*state = NULL;
	return -ENOMEM;
}

static int reader_step(void *state, struct dedup_buffers *b, bool finish)
{
	z_stream *z = state;
	int rc;

	(void)finish;
	give(z, b);
	rc = inflate(z, Z_NO_FLUSH);
	take(z, b);
	if (rc == Z_STREAM_END)
		return inflateReset2(z, GZIP_BITS) == Z_OK ? 1 : -ENOMEM;
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static void reader_close(void *state)
{
	if (state)
		inflateEnd(state);
	free(state);
}

static int writer_open(void **state)
{
	z_stream *z = calloc(1, sizeof *z);

	*state = z;
	if (!z)
		return -ENOMEM;
	if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK)
		return 0;
	free(z);
	*state = NULL;
	return -ENOMEM;
}

static int writer_step(void *state, struct dedup_buffers *b, bool finish)
{
	z_stream *z = state;
	int rc;

	give(z, b);
	rc = deflate(z, finish ? Z_FINISH : Z_NO_FLUSH);
	take(z, b);
	if (rc == Z_STREAM_END)
		return 1;
	return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -ENOMEM;
}

static void writer_close(void *state)
{
	if (state)
		deflateEnd(state);
	free(state);
}

const struct dedup_coder dedup_gzip_reader = {reader_open, reader_step, reader_close};
const struct dedup_coder dedup_gzip_writer = {writer_open, writer_step, writer_close};
