/*
 * What each method took, counted line by line.
 */
#ifndef MITHRIL_DEDUP_GONE_H
#define MITHRIL_DEDUP_GONE_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"

/* Adds line `id` of so many bytes, if it goes, to what took it; `gone` is DEDUP_GONE_COUNT amounts. */
void dedup_gone_add(
	struct dedup_amount *gone, const struct dedup_outcome *outcome, uint32_t id, size_t bytes);
/* Adds all amounts of `more`. */
void dedup_gone_add_up(struct dedup_amount *gone, const struct dedup_amount *more);

#endif
