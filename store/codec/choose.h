/* Which codec, judged on a sample. */
#ifndef MITHRIL_STORE_CODEC_CHOOSE_H
#define MITHRIL_STORE_CODEC_CHOOSE_H

#include "store/codec/codec.h"
#include "store/codec/sample.h"
#include "store/codec/symbols.h"
#include "store/codec/transform.h"

#define CHOOSE_NEVER SIZE_MAX

struct choice {
	size_t bytes[CODEC_COUNT]; /* guessed payload; CHOOSE_NEVER: does not apply */
	struct plane_cost costs[CODEC_DIFF + 1][TRANSFORM_WIDTH_MAX]; /* of PLANES, XOR, DIFF */
	struct symbols_plan lone, based;
};

/* The transform of PLANES, XOR or DIFF for elements like these. */
enum transform choose_transform(enum codec codec, struct element element);

/* Whether XOR and DIFF apply; whether ZSTD_BASE does. */
int choose_has_twin(const struct codec_input *in);
int choose_has_prefix(const struct codec_input *in);

/* Guesses for all codecs but CONSTANT. Byte-wide and integer data is also given to zstd, 16 KiB of it. What
 * is no rival of another guess may be left out if `hurry`. */
void choose(struct codec_workspace *ws, const struct codec_input *in, int hurry, struct choice *choice);

#endif
