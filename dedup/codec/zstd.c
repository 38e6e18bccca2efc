#include <zstd.h>

#include <errno.h>
#include <zstd_errors.h>

#include "dedup/codec/codec.h"

static int reader_open(void **state)
{
	*state = ZSTD_createDCtx();
	return *state ? 0 : -ENOMEM;
}

static void take(struct dedup_buffers *b, size_t in, size_t out)
{
	b->in += in;
	b->in_len -= in;
	b->out += out;
	b->out_len -= out;
}

static int reader_step(void *state, struct dedup_buffers *b, bool finish)
{
	ZSTD_inBuffer in = {b->in, b->in_len, 0};
	ZSTD_outBuffer out = {b->out, b->out_len, 0};
	size_t rc = ZSTD_decompressStream(state, &out, &in);

	(void)finish;
	take(b, in.pos, out.pos);
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
	return rc == 0;
}

static void reader_close(void *state)
{
	ZSTD_freeDCtx(state);
}

static int writer_open(void **state)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	*state = context;
	if (!context)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	return 0;
}

static int quick_open(void **state)
{
	int rc = writer_open(state);

	if (!rc)
		ZSTD_CCtx_setParameter(*state, ZSTD_c_compressionLevel, 1);
	return rc;
}

static int writer_step(void *state, struct dedup_buffers *b, bool finish)
{
	ZSTD_inBuffer in = {b->in, b->in_len, 0};
	ZSTD_outBuffer out = {b->out, b->out_len, 0};
	size_t rc = ZSTD_compressStream2(state, &out, &in, finish ? ZSTD_e_end : ZSTD_e_continue);

	take(b, in.pos, out.pos);
	if (ZSTD_isError(rc))
		return -ENOMEM;
	return finish && rc == 0;
}

static void writer_close(void *state)
{
	ZSTD_freeCCtx(state);
}

const struct dedup_coder dedup_zstd_reader = {reader_open, reader_step, reader_close};
const struct dedup_coder dedup_zstd_quick_writer = {quick_open, writer_step, writer_close};
const struct dedup_coder dedup_zstd_writer = {writer_open, writer_step, writer_close};
