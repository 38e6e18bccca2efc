/*
 * Encodes and decodes a file chunk by chunk as a store would, in memory, and keeps the figures: what
 * `mithril bench codec` shows.
 */
#ifndef MITHRIL_TOOLS_CODEC_RUN_H
#define MITHRIL_TOOLS_CODEC_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"
#include "store/formats/formats.h"

#define CODEC_RUN_CODECS 32u /* ids below that are told apart */
#define CODEC_RUN_THREADS_MAX 256u

struct codec_tally {
	uint64_t raw, stored;	       /* bytes */
	uint64_t encode_ns, decode_ns; /* processor time of the threads */
};

/* What one codec took of one tensor. */
struct codec_share {
	uint64_t raw, stored;
};

/* One tensor, or (name NULL) all that lies between tensors. */
struct codec_tensor {
	const char *name;
	enum dtype dtype;
	uint64_t raw, stored;
	struct codec_share by_codec[CODEC_RUN_CODECS];
};

struct codec_run_options {
	const char *path;
	const char *base_path; /* NULL: without */
	enum codec_level level;
	unsigned threads; /* 1..CODEC_RUN_THREADS_MAX */
	/* Called now and then, never by two threads at once; non-zero ends the run with -EINTR. NULL: not. */
	int (*progress)(void *ctx, uint64_t done, uint64_t of);
	void *ctx;
};

struct codec_run {
	enum format format;
	struct codec_tensor *tensors; /* in the file's order, then what lies between them, if anything does */
	size_t count;
	struct codec_tally by_dtype[DTYPE_COUNT];
	struct codec_tally by_codec[CODEC_RUN_CODECS];
	struct codec_tally all;
	uint64_t wall_ns;

	/* Opened files; of no interest to the caller. */
	struct codec_source *file, *base;
};

/* Every chunk is decoded again and compared: -EBADMSG when it differs. Tensors of the base file are paired by
 * name, type and length. *failed is the path that an error other than -EINTR and -ENOMEM is about. Errors of
 * open(2) and pread(2); -EINVAL no regular file. codec_run_release also after a failure. */
int codec_run(const struct codec_run_options *options, struct codec_run *run, const char **failed);
void codec_run_release(struct codec_run *run);

#endif
