/* What a thread needs to encode and decode chunks; nothing in it outlives a call but the memory and the zstd
 * settings. */
#ifndef MITHRIL_STORE_CODEC_WORKSPACE_H
#define MITHRIL_STORE_CODEC_WORKSPACE_H

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_c_literalCompressionMode; the symbols are those of the shared       \
				    library */
#include <zstd.h>

#include "store/codec/codec.h"
#include "store/codec/sample.h"
#include "store/codec/transform.h"

struct codec_workspace {
	const struct transform_ops *ops;
	ZSTD_CCtx *entropy; /* Huffman coding without a match search */
	ZSTD_CCtx *match;   /* the whole of zstd; its level is set at every use */
	ZSTD_DCtx *decode;
	struct sample sample;
	uint8_t planes[CODEC_CHUNK_MAX + TRANSFORM_WIDTH_MAX];	/* raw planes, back to back */
	uint8_t gaps[CODEC_CHUNK_MAX], values[CODEC_CHUNK_MAX]; /* of one sparse block */
	uint8_t out[CODEC_CHUNK_MAX + CODEC_CHUNK_MAX / 64 +
		    4096];		 /* of zstd, where the destination is tight */
	uint8_t second[CODEC_CHUNK_MAX]; /* a further try, beside the best so far */
};

#endif
