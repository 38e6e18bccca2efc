/* What a thread needs to encode and decode chunks; nothing in it outlives a call but the memory and the zstd
 * settings. */
#ifndef MITHRIL_STORE_CODEC_WORKSPACE_H
#define MITHRIL_STORE_CODEC_WORKSPACE_H

#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_c_literalCompressionMode; the symbols are those of the shared       \
				    library */
#include <zstd.h>

#include "store/codec/changes.h"
#include "store/codec/codec.h"
#include "store/codec/cut.h"
#include "store/codec/flags.h"
#include "store/codec/model.h"
#include "store/codec/numbers.h"
#include "store/codec/rans.h"
#include "store/codec/sample.h"
#include "store/codec/symbols.h"
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
	/* of symbols and changes */
	const struct number_ops *numbers;
	cut_pairs_fn *cut;
	const struct rans_ops *coder;
	struct rans_shuffles shuffles;
	struct rans_coder rans;
	rans_classes rans_classes;
	struct model model;
	struct model_counts counts;
	uint8_t seen[MODEL_ROWS][RANS_SYMBOLS]; /* symbols */
	symbols_lengths lengths;		/* of a sample */
	uint32_t values32[CODEC_CHUNK_MAX];
	uint8_t symbols[CODEC_CHUNK_MAX], classes[CODEC_CHUNK_MAX];
	/* of changes */
	const struct flags_ops *flagger;
	struct flags_coder flags_coder;
	uint16_t level_clear[CHANGES_LEVELS]; /* by changes_init */
	uint8_t levels[256];		      /* of classes */
	/* which elements changed; which of those by more than 1 */
	uint64_t flags[CODEC_CHUNK_MAX / FLAGS_ROW + 16], more[CODEC_CHUNK_MAX / FLAGS_ROW + 1];
	uint32_t changed[CODEC_CHUNK_MAX + FLAGS_ROW];
};

#endif
