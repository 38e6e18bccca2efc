/*
 * What each method took, counted line by line.
 */
#ifndef MITHRIL_DEDUP_GONE_H
#define MITHRIL_DEDUP_GONE_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/sorter.h"

/* Adds line `id` of so many bytes, if it goes, to what took it; `gone` is DEDUP_GONE_COUNT amounts. */
void dedup_gone_add(
	struct dedup_amount *gone, const struct dedup_outcome *outcome, uint32_t id, size_t bytes);
/* Adds all amounts of `more`. */
void dedup_gone_add_up(struct dedup_amount *gone, const struct dedup_amount *more);

/* Counts lines that go when it is known of all lines whether they do: of one whose keeper goes later nobody
 * knows before. a: the line, b: its bytes; not finished. Errors as dedup_sorter_finish. */
int dedup_gone_settle(
	struct dedup_sorter *lines, const struct dedup_outcome *outcome, struct dedup_amount *gone);

#endif
