/* What encoding and decoding of changes have in common (changes.h; the payload is in payload.h). */
#ifndef MITHRIL_STORE_CODEC_CHANGES_MODEL_H
#define MITHRIL_STORE_CODEC_CHANGES_MODEL_H

#include "store/codec/range.h"
#include "store/codec/workspace.h"

#define CHANGES_UNIT_BITS 12 /* of a weight: 1/4096 bit */
#define CHANGES_LEVELS_LOG 2 /* weights between one power of two and the next */
#define CHANGES_LEVEL_MAX (CHANGES_LEVELS - 1)
#define CHANGES_CONTEXTS 17u
#define CHANGES_SIGNS 15u   /* in the state of a lane */
#define CHANGES_PIECE 1024u /* bytes worked on at a time */
#define STATE_LOW 15u	    /* bits of the least state behind its first one */

struct changes_learning {
	uint16_t level[2][RANGE_GAMMA], more[RANGE_GAMMA], size[CHANGES_CONTEXTS][RANGE_GAMMA];
};

static inline void changes_learning_init(struct changes_learning *l)
{
	range_even((uint16_t *)l, sizeof *l / sizeof(uint16_t));
}

/* The bits that a clear flag of this level takes. */
uint16_t changes_weight(unsigned level);

/* Of the amount of a change: the octave of the class's level. */
static inline uint8_t changes_context(unsigned level)
{
	return (uint8_t)((level + 3) >> CHANGES_LEVELS_LOG);
}

/* Sign k of so many is in the state that lane k mod lanes has at the end. */
static inline size_t changes_signs_inside(const struct flags_coder *c)
{
	return CHANGES_SIGNS * c->lane_count;
}

/* The frequencies of ws->flags_coder, of levels of `count` classes; those that are none have level 0. */
void changes_set_levels(struct codec_workspace *ws, const uint8_t *levels, unsigned count, int forward);

#endif
