#include <bzlib.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "dedup/codec/codec.h"

#define BZIP2_LEVEL 9 /* blocks of 900 kB, what bzip2(1) takes */

static unsigned at_most(size_t len)
{
	return len > UINT_MAX ? UINT_MAX : (unsigned)len;
}

static void give(bz_stream *z, const struct dedup_buffers *b)
{
	z->next_in = (char *)(uintptr_t)b->in;
	z->avail_in = at_most(b->in_len);
	z->next_out = (char *)b->out;
	z->avail_out = at_most(b->out_len);
}

static void take(const bz_stream *z, struct dedup_buffers *b)
{
	b->in_len -= (size_t)((uint8_t *)z->next_in - b->in);
	b->in = (uint8_t *)z->next_in;
	b->out_len -= (size_t)((uint8_t *)z->next_out - b->out);
	b->out = (uint8_t *)z->next_out;
}

static int reader_open(void **state)
{
	bz_stream *z = calloc(1, sizeof *z);

	*state = z;
	if (!z)
		return -ENOMEM;
	if (BZ2_bzDecompressInit(z, 0, 0) == BZ_OK)
		return 0;
	free(z);
	*state = NULL;
	return -ENOMEM;
}

/* The library cannot start again in place: a state that met its end is made anew. */
static int reader_again(bz_stream *z)
{
	BZ2_bzDecompressEnd(z);
	*z = (bz_stream){0};
	return BZ2_bzDecompressInit(z, 0, 0) == BZ_OK ? 1 : -ENOMEM;
}

static int reader_step(void *state, struct dedup_buffers *b, bool finish)
{
	bz_stream *z = state;
	int rc;

	(void)finish;
	give(z, b);
	rc = BZ2_bzDecompress(z);
	take(z, b);
	if (rc == BZ_STREAM_END)
		return reader_again(z);
	if (rc == BZ_MEM_ERROR)
		return -ENOMEM;
	return rc == BZ_OK ? 0 : -EBADMSG;
}

static void reader_close(void *state)
{
	if (state)
		BZ2_bzDecompressEnd(state);
	free(state);
}

static int writer_open(void **state)
{
	bz_stream *z = calloc(1, sizeof *z);

	*state = z;
	if (!z)
		return -ENOMEM;
	if (BZ2_bzCompressInit(z, BZIP2_LEVEL, 0, 0) == BZ_OK)
		return 0;
	free(z);
	*state = NULL;
	return -ENOMEM;
}

static int writer_step(void *state, struct dedup_buffers *b, bool finish)
{
	bz_stream *z = state;
	int rc;

	if (!finish && !b->in_len)
		return 0;
	give(z, b);
	rc = BZ2_bzCompress(z, finish ? BZ_FINISH : BZ_RUN);
	take(z, b);
	if (rc == BZ_STREAM_END)
		return 1;
	return rc == BZ_RUN_OK || rc == BZ_FINISH_OK ? 0 : -ENOMEM;
}

static void writer_close(void *state)
{
	if (state)
		BZ2_bzCompressEnd(state);
	free(state);
}

const struct dedup_coder dedup_bzip2_reader = {reader_open, reader_step, reader_close};
const struct dedup_coder dedup_bzip2_writer = {writer_open, writer_step, writer_close};
