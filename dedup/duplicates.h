/*
 * The list of what goes: a JSON object a line, {"id": "FILE:LINE", "anchor": "FILE:LINE", "similarity": S}.
 * The anchor is the line that stays for it; lines count from 1; S is 1 for the same text.
 */
#ifndef MITHRIL_DEDUP_DUPLICATES_H
#define MITHRIL_DEDUP_DUPLICATES_H

#include "dedup/dedup.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

/* Writes it whole under a temporary name, in the order of lines. Errors as dedup_outfile_write and
 * dedup_outfile_open. */
int dedup_duplicates_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file);

#endif
