#include "store/codec/changes_model.h"

#define POWERS 256u /* of two, from 1 down to a half */

uint16_t changes_weight(unsigned level)
{
	if (!level)
		return 0;
	level--;
	return (uint16_t)((4 + (level & 3)) << (level >> CHANGES_LEVELS_LOG) >> CHANGES_LEVELS_LOG);
}

/* floor(65536 * 2^(-i / 256)) */
static void make_powers(uint32_t powers[POWERS])
{
	/* 2^62 * 2^(-1/256) */
	const uint64_t root = UINT64_C(4599216278082138665);
	uint64_t x = UINT64_C(1) << 62;

	for (unsigned i = 0; i < POWERS; i++) {
		powers[i] = (uint32_t)(x >> 46);
		x = (uint64_t)((unsigned __int128)x * root >> 62);
	}
}

/* At least 1, and less than all where there is any weight. */
void changes_init(uint16_t clear[CHANGES_LEVELS])
{
	uint32_t powers[POWERS];

	make_powers(powers);
	for (unsigned level = 0; level < CHANGES_LEVELS; level++) {
		uint32_t weight = changes_weight(level);
		uint32_t f = powers[weight >> (CHANGES_UNIT_BITS - 8) & 255] >>
			     (weight >> CHANGES_UNIT_BITS) >> (16 - FLAGS_BITS);
		if (level && f == FLAGS_ONE)
			f--;
		clear[level] = (uint16_t)(f ? f : 1);
	}
}

void changes_set_levels(struct codec_workspace *ws, const uint8_t *levels, unsigned count, int forward)
{
	for (unsigned c = 0; c < 256; c++)
		ws->flags_coder.set[c] = FLAGS_ONE - ws->level_clear[c < count ? levels[c] : 0];
	flags_prepare(&ws->flags_coder, forward);
}
