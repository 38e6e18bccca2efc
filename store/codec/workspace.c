#include "store/codec/workspace.h"

#include <stdlib.h>

/* So negative that the match search looks at hardly any place; with literals compressed all the same, what is
 * left is Huffman coding. */
#define ENTROPY_LEVEL (-20000)

static ZSTD_CCtx *new_cctx(void)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	if (!cctx)
		return NULL;
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 0);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 0);
	ZSTD_CCtx_setParameter(cctx, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
	return cctx;
}

struct codec_workspace *codec_workspace_new(void)
{
	struct codec_workspace *ws = malloc(sizeof *ws);

	if (!ws)
		return NULL;
	ws->ops = transform_best();
	ws->entropy = new_cctx();
	ws->match = new_cctx();
	ws->decode = ZSTD_createDCtx();
	if (!ws->entropy || !ws->match || !ws->decode) {
		codec_workspace_free(ws);
		return NULL;
	}
	ZSTD_CCtx_setParameter(ws->entropy, ZSTD_c_compressionLevel, ENTROPY_LEVEL);
	ZSTD_CCtx_setParameter(ws->entropy, ZSTD_c_hashLog, ZSTD_HASHLOG_MIN);
	ZSTD_CCtx_setParameter(ws->entropy, ZSTD_c_chainLog, ZSTD_CHAINLOG_MIN);
	sample_init(&ws->sample);
	ws->numbers = numbers_best();
	ws->cut = cut_pairs_best();
	ws->coder = rans_best();
	ws->flagger = flags_best();
	changes_init(ws->level_clear);
	rans_shuffles_init(&ws->shuffles);
	return ws;
}

void codec_workspace_free(struct codec_workspace *ws)
{
	if (!ws)
		return;
	ZSTD_freeCCtx(ws->entropy);
	ZSTD_freeCCtx(ws->match);
	ZSTD_freeDCtx(ws->decode);
	free(ws);
}
