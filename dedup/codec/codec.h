/*
 * Compressed files, both ways, in one shape: a coder takes bytes from `in` and puts bytes into `out` until
 * one of the two is used up. A file may be several members (gzip, bzip2), frames (zstd) or streams (xz) one
 * after the other, as the tools of these formats read it.
 */
#ifndef MITHRIL_DEDUP_CODEC_CODEC_H
#define MITHRIL_DEDUP_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dedup_codec {
	DEDUP_CODEC_NONE,
	DEDUP_CODEC_GZIP,
	DEDUP_CODEC_ZSTD,
	DEDUP_CODEC_BZIP2,
	DEDUP_CODEC_XZ,
	DEDUP_CODEC_COUNT,
	DEDUP_CODEC_ZSTD_QUICK = DEDUP_CODEC_COUNT, /* for a writer: zstd at its first level */
};

#define DEDUP_CODEC_MAGIC 10u /* bytes that tell the codec of a file, or all of a shorter one */

/* What a file that starts with these bytes is compressed with. */
enum dedup_codec dedup_codec_of(const uint8_t *head, size_t len);
/* ".gz"; "" for none. Static storage. */
const char *dedup_codec_suffix(enum dedup_codec codec);

/* By the end of a file's name. */
enum dedup_codec dedup_codec_of_name(const char *name);

struct dedup_buffers {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len; /* room */
};

/* One format; the functions are those of a library, in one shape. A state is for one thread at a time. */
struct dedup_coder {
	/* A new state. -ENOMEM. */
	int (*open)(void **state);
	/* Moves the buffers forward. `finish`: no more input follows (writing only). 1: a member ends here,
	 * and (reading) another may begin with the next byte; 0: go on; -EBADMSG damaged; -ENOMEM. */
	int (*step)(void *state, struct dedup_buffers *b, bool finish);
	/* NULL is fine. */
	void (*close)(void *state);
};

/* NULL for DEDUP_CODEC_NONE. The writers use each tool's default level, but for DEDUP_CODEC_ZSTD_QUICK. */
const struct dedup_coder *dedup_codec_reader(enum dedup_codec codec);
const struct dedup_coder *dedup_codec_writer(enum dedup_codec codec);

/* Where codec.c finds them. */
extern const struct dedup_coder dedup_gzip_reader, dedup_gzip_writer, dedup_zstd_reader, dedup_zstd_writer,
	dedup_zstd_quick_writer, dedup_bzip2_reader, dedup_bzip2_writer, dedup_xz_reader, dedup_xz_writer;

#endif
