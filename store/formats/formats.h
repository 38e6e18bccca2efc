/*
 * Parsers that label the byte ranges of a checkpoint file: safetensors, torch.save (zip and legacy), torch
 * distributed checkpoint shards, npy, npz, GGUF.
 *
 * They look at bytes through a view, a bounded random reader, so that a 100 GB file needs no 100 GB and a
 * test can pass a buffer. They do no I/O of their own, execute nothing, and trust nothing: a length in the
 * file never sizes an allocation beyond the bytes present or the limits below; time is linear in the bytes
 * looked at. When anything is odd, the answer is "not this format": the file is opaque then and is kept
 * exactly all the same, since labels only steer compression.
 */
#ifndef MITHRIL_STORE_FORMATS_FORMATS_H
#define MITHRIL_STORE_FORMATS_FORMATS_H

#include <stddef.h>
#include <stdint.h>

#include "store/util/dtype.h"

/* A file to look at. `read` copies exactly len bytes at off (off + len <= size is guaranteed by the caller)
 * and returns 0 or -errno. */
struct view {
	int (*read)(void *ctx, uint64_t off, void *dst, size_t len);
	void *ctx;
	uint64_t size;
};

enum format {
	FORMAT_OPAQUE,
	FORMAT_SAFETENSORS,
	FORMAT_TORCH_ZIP,
	FORMAT_TORCH_LEGACY,
	FORMAT_DCP, /* a .distcp shard: byte items and small torch.save zips, back to back */
	FORMAT_NPY,
	FORMAT_NPZ,
	FORMAT_GGUF,
};

#define FORMAT_TENSORS_MAX (1u << 20)  /* more tensors than that: opaque */
#define FORMAT_HEADER_MAX (100u << 20) /* bytes of header, directory or pickle looked at */
#define FORMAT_NAME_MAX 1024u	       /* longer tensor names are cut */
#define FORMAT_DIMS_MAX 8u

/* One labelled range: the raw elements of one tensor, without header or padding. */
struct tensor {
	uint64_t off, len; /* bytes in the file; len > 0 */
	enum dtype dtype;
	uint32_t ndims;			/* 0: scalar or unknown */
	uint64_t dims[FORMAT_DIMS_MAX]; /* dims past the limit are multiplied into the last */
	const char
		*name; /* NUL-terminated, in the layout's memory. Dotted path ("optimizer.state.3.exp_avg") */
};

/* What a parser found: tensors in ascending, non-overlapping order; all bytes between them are opaque. */
struct layout {
	enum format format;
	struct tensor *tensors;
	size_t count, capacity;
	struct layout_arena *names;
};

/* Recognises the format by content, and labels. Always succeeds with FORMAT_OPAQUE and no tensors for bytes
 * that are no known or no sound file. On success the caller owns the layout (layout_release). -ENOMEM, or the
 * error of view->read. */
int formats_label(const struct view *view, struct layout *layout);

/* Frees what the layout holds; fine on a zeroed one. */
void layout_release(struct layout *layout);

/* "safetensors", "torch", "torch-legacy", "dcp", "npy", "npz", "gguf", "opaque". Static storage. */
const char *format_name(enum format format);

/* A view of a buffer; `ctx` is a struct view_buffer that outlives it. */
struct view_buffer {
	const uint8_t *bytes;
	size_t len;
};
struct view view_of_buffer(struct view_buffer *buffer);

#endif
