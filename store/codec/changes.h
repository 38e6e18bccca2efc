/*
 * Chunks of which few elements differ from the base: where, and by how much (payload.h: CHANGES).
 *
 * At a small learning rate each bf16 weight moves by less than half a unit in its last place, so whether it
 * changes at all depends on its exponent: about twice as often for each step down (arXiv 2602.03839 on how
 * few do). Each class, as numbers.h has it, has one probability of change. It is kept as a weight, the bits
 * that no change costs, because those add up: the probability that none of a stretch of elements changes
 * takes one sum and one power of two. So the next change is coded as one range-coder decision over the rest
 * of a block of 64 elements, at the entropy of 64 flags, and a block without any is one decision as well.
 */
#ifndef MITHRIL_STORE_CODEC_CHANGES_H
#define MITHRIL_STORE_CODEC_CHANGES_H

#include "store/codec/codec.h"

#define CHANGES_MIN 128u    /* elements below which it does not pay */
#define CHANGES_SHARE 8u    /* more than this part of elements changed: others are faster, and as small */
#define CHANGES_POWERS 256u /* of two, from 1 down to a half */

/* powers[i] = floor(65536 * 2^(-i / 256)) */
void changes_init(uint32_t powers[CHANGES_POWERS]);

/* Bytes, or 0 where they do not fit; or where changes are not strewn but keep together, unless `clustered`
 * says that this does not matter. in->base has in->len bytes. */
size_t changes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	int clustered);

/* base: raw_len bytes. -EBADMSG. */
int changes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base);

#endif
