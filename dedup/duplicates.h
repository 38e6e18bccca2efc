/*
 * The list of what goes: a JSON object a line, {"id": "FILE:LINE", "anchor": "FILE:LINE", "similarity": S,
 * "method": M}. The anchor is the line that stays for it; lines count from 1; S is 1 for the same text; the
 * method is what took it: "exact" where another record has its text, though that one may go for a similar one
 * itself. Where nobody knows for which one it goes, and where too little is left after cutting, anchor and
 * similarity are null; so they are for those that hit the second set, with "against": "FILE:LINE" and
 * "overlap": N.
 */
#ifndef MITHRIL_DEDUP_DUPLICATES_H
#define MITHRIL_DEDUP_DUPLICATES_H

#include "dedup/dedup.h"
#include "dedup/hits.h"
#include "dedup/outcome.h"
#include "dedup/write/outfile.h"

/* Writes it in the order of lines. -ENOMEM; errors as dedup_outfile_write. */
int dedup_duplicates_write(const struct dedup_options *options, const struct dedup_outcome *outcome,
	const struct dedup_hits *hits, struct dedup_outfile *file);

#endif
