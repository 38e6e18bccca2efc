/*
 * What is cut out of the texts that stay, method by method: lines, paragraphs, then substrings, each from
 * what the one before has left.
 */
#ifndef MITHRIL_DEDUP_CUTTING_H
#define MITHRIL_DEDUP_CUTTING_H

#include "dedup/cut_set.h"
#include "dedup/dedup.h"
#include "dedup/outcome.h"

/* Whether anything is looked for. */
static inline bool dedup_cutting_any(const struct dedup_cutting *cutting)
{
	return cutting->line || cutting->paragraph || cutting->substring;
}

/* Adds to `cuts`, an empty set. With a work, options->memory is kept to. -E2BIG: it is too little for so many
 * lines; otherwise errors as dedup_run. */
int dedup_cutting(const struct dedup_options *options, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_cut_set *cuts, struct dedup_result *result);

#endif
