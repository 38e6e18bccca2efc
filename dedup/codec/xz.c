#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "dedup/codec/codec.h"

#define XZ_MEMORY (256u << 20) /* the largest preset takes 65 MiB to read */

static void give(lzma_stream *z, const struct dedup_buffers *b)
{
	z->next_in = b->in;
	z->avail_in = b->in_len;
	z->next_out = b->out;
	z->avail_out = b->out_len;
}

static void take(const lzma_stream *z, struct dedup_buffers *b)
{
	b->in = z->next_in;
	b->in_len = z->avail_in;
	b->out = z->next_out;
	b->out_len = z->avail_out;
}

static int reader_init(lzma_stream *z)
{
	return lzma_stream_decoder(z, XZ_MEMORY, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int made(void **state, int (*init)(lzma_stream *z))
{
	lzma_stream *z = malloc(sizeof *z);

	*state = z;
	if (!z)
		return -ENOMEM;
	*z = (lzma_stream)LZMA_STREAM_INIT;
	if (!init(z))
		return 0;
	free(z);
	*state = NULL;
	return -ENOMEM;
}

static int reader_open(void **state)
{
	return made(state, reader_init);
}

static int reader_step(void *state, struct dedup_buffers *b, bool finish)
{
	lzma_stream *z = state;
	lzma_ret rc;

	(void)finish;
	give(z, b);
	rc = lzma_code(z, LZMA_RUN);
	take(z, b);
	if (rc == LZMA_STREAM_END)
		return reader_init(z) ? -ENOMEM : 1;
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return -ENOMEM;
	return rc == LZMA_OK || rc == LZMA_BUF_ERROR ? 0 : -EBADMSG;
}

static int writer_init(lzma_stream *z)
{
	return lzma_easy_encoder(z, LZMA_PRESET_DEFAULT, LZMA_CHECK_CRC64) == LZMA_OK ? 0 : -ENOMEM;
}

static int writer_open(void **state)
{
	return made(state, writer_init);
}

static int writer_step(void *state, struct dedup_buffers *b, bool finish)
{
	lzma_stream *z = state;
	lzma_ret rc;

	give(z, b);
	rc = lzma_code(z, finish ? LZMA_FINISH : LZMA_RUN);
	take(z, b);
	if (rc == LZMA_STREAM_END)
		return 1;
	return rc == LZMA_OK || rc == LZMA_BUF_ERROR ? 0 : -ENOMEM;
}

static void either_close(void *state)
{
	if (state)
		lzma_end(state);
	free(state);
}

const struct dedup_coder dedup_xz_reader = {reader_open, reader_step, either_close};
const struct dedup_coder dedup_xz_writer = {writer_open, writer_step, either_close};
