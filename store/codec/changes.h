/*
 * Chunks of which few elements differ from the base: where, and by how much (payload.h: CHANGES).
 *
 * At a small learning rate each bf16 weight moves by less than half a unit in its last place, so whether it
 * changes at all depends on its exponent: about twice as often for each step down (arXiv 2602.03839 on how
 * few do). Each class, as numbers.h has it, has one probability of change, and each element one flag, which
 * flags.h codes at the entropy; a search for the next change would cost more than the flags of those that are
 * none. Signs are even bits: they fill the states that rANS begins with, which would be lost otherwise.
 */
#ifndef MITHRIL_STORE_CODEC_CHANGES_H
#define MITHRIL_STORE_CODEC_CHANGES_H

#include "store/codec/codec.h"

#define CHANGES_MIN 128u /* elements below which it does not pay */
#define CHANGES_SHARE 8u /* more than this part of elements changed: others are faster, and as small */
#define CHANGES_LEVELS 64u

/* The frequency of a clear flag of each level (payload.h). */
void changes_init(uint16_t clear[CHANGES_LEVELS]);

/* Bytes, or 0 where they do not fit; or where changes are not strewn but keep together, unless `clustered`
 * says that this does not matter. in->base has in->len bytes. */
size_t changes_encode(struct codec_workspace *ws, uint8_t *dst, size_t capacity, const struct codec_input *in,
	int clustered);

/* base: raw_len bytes. -EBADMSG. */
int changes_decode(struct codec_workspace *ws, uint8_t *dst, size_t raw_len, const uint8_t *payload,
	size_t len, enum dtype dtype, const uint8_t *base);

#endif
