/*
 * The chunk codec: bytes of one tensor chunk, with or without the bytes of a base, to a payload and back.
 *
 * Pure functions of buffers: no I/O, no globals, no allocation (a workspace is made once per thread), the same payload on every
 * machine. A codec id and a codec version stand in the frame's header, beside dtype and raw length; the payload says the rest.
 * Unless it is said otherwise, sources: notes in each .c file; ZipNN (arXiv 2411.05239) for planes, BitX/ZipLLM
 * (arXiv 2505.06252) for XOR against a base, FM-Delta (NeurIPS 2024) for the order-preserving integer difference.
 *
 * Codecs (ids are on disk: never renumber; 16 and above are free for later ones):
 */
#ifndef MITHRIL_STORE_CODEC_CODEC_H
#define MITHRIL_STORE_CODEC_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "store/util/dtype.h"

enum codec {
	CODEC_STORED = 0, /* the bytes themselves */
	CODEC_CONSTANT = 1, /* one element, repeated (width of the dtype) */
	CODEC_ZSTD = 2, /* one zstd frame over the bytes */
	CODEC_ZSTD_BASE = 3, /* one zstd frame with the base's bytes as prefix; the base may have another length */
	CODEC_PLANES = 4, /* byte planes, each stored, constant, or entropy-coded, whichever is smallest */
	CODEC_XOR = 5, /* planes of element XOR base element; base of the same length */
	CODEC_DIFF = 6, /* planes of zigzag(order(element) - order(base element)); base of the same length */
	CODEC_COUNT
};

#define CODEC_VERSION 1u
#define CODEC_CHUNK_MAX (1u << 20) /* bytes; a longer raw length is refused */

/* Most bytes codec_encode writes for n raw bytes: never more than stored. */
#define CODEC_BOUND(n) (n)

struct codec_workspace;

/* Scratch and zstd contexts for chunks up to CODEC_CHUNK_MAX, a few MiB; one per thread. NULL: no memory. */
struct codec_workspace *codec_workspace_new(void);
void codec_workspace_free(struct codec_workspace *ws);

enum codec_level { CODEC_FAST, CODEC_DEFAULT, CODEC_SMALL };

/* What stood before the chunk: bytes of the base, or base == NULL. */
struct codec_input {
	const void *src;
	size_t len; /* 1..CODEC_CHUNK_MAX */
	enum dtype dtype; /* a wrong one costs ratio, never correctness; len need not be a multiple of the width */
	const void *base;
	size_t base_len; /* XOR and DIFF are tried only if it equals len; ZSTD_BASE for opaque data of any length */
};

struct codec_result {
	enum codec codec;
	size_t len; /* payload bytes in dst */
};

/* Encodes by the method that is smallest: decided on a sample, then the chosen ones in full. Never fails for want of compressibility:
 * the last resort is CODEC_STORED. `dst` holds at least CODEC_BOUND(in->len) bytes and overlaps nothing.
 * `hint`: the codec that was best for the chunk before of the same tensor, or -1; it is tried first and the others only if the sample says
 * that they win. -EINVAL (len out of range). */
int codec_encode(struct codec_workspace *ws, void *dst, size_t capacity, const struct codec_input *in,
	enum codec_level level, int hint, struct codec_result *result);

/* Estimated payload bytes of codec_encode, from a sample of at most 16 KiB: to rank candidate bases and to judge
 * whether a base pays. Costs under 5 % of encoding a 256 KiB chunk. */
size_t codec_estimate(struct codec_workspace *ws, const struct codec_input *in);

/* Rebuilds exactly raw_len bytes in dst from a payload that may be hostile: no access outside the buffers, time and memory bounded.
 * `base` is needed by the codecs codec_needs_base names. -EBADMSG; -EPROTONOSUPPORT unknown codec or version. */
int codec_decode(struct codec_workspace *ws, void *dst, size_t raw_len, const void *payload, size_t payload_len,
	enum codec codec, unsigned version, enum dtype dtype, const void *base, size_t base_len);

int codec_needs_base(enum codec codec);

/* Lower-case name ("planes", "diff"); "?" for an unknown one. Static storage. */
const char *codec_name(enum codec codec);

#endif
