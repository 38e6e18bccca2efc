/*
 * Which lines hang together: each leads, by steps, to the lowest of its tree. 4 bytes a line.
 */
#ifndef MITHRIL_DEDUP_FOREST_H
#define MITHRIL_DEDUP_FOREST_H

#include <stdbool.h>

#include "dedup/lines.h"

/* The lowest line of the tree that `id` is in; what is on the way gets nearer to it. */
static inline uint32_t dedup_forest_root(const struct dedup_lines *forest, uint32_t id)
{
	uint32_t *at = dedup_lines_at(forest, id);

	while (*at != id) {
		uint32_t *above = dedup_lines_at(forest, *at);

		id = *at;
		*at = *above;
		at = above;
	}
	return id;
}

/* Whether the two were in different trees; now they are in one. */
static inline bool dedup_forest_join(const struct dedup_lines *forest, uint32_t a, uint32_t b)
{
	a = dedup_forest_root(forest, a);
	b = dedup_forest_root(forest, b);
	if (a == b)
		return false;
	*dedup_lines_at(forest, a < b ? b : a) = a < b ? a : b;
	return true;
}

#endif
