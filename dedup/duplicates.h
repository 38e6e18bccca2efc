/*
 * The list of what goes: a JSON object a line, {"id": "FILE:LINE", "anchor": "FILE:LINE", "similarity": S}.
 * Those of which too little is left after cutting have null for both, and so have those that hit the second
 * set, with "against": "FILE:LINE" and "overlap": N. The anchor is the line that stays for
 * it; lines count from 1; S is 1 for the same text.
 */
#ifndef MITHRIL_DEDUP_DUPLICATES_H
#define MITHRIL_DEDUP_DUPLICATES_H

#include "dedup/dedup.h"
#include "dedup/hits.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

/* Writes it whole under a temporary name, in the order of lines. Errors as dedup_outfile_write and
 * dedup_outfile_open. */
int dedup_duplicates_write(const struct dedup_options *options, const struct dedup_outcome *outcome,
	const struct dedup_hits *hits, struct dedup_outfile *file);

#endif
