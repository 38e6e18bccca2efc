/*
 * Why two records are or are not duplicates.
 */
#ifndef MITHRIL_DEDUP_EXPLAIN_H
#define MITHRIL_DEDUP_EXPLAIN_H

#include "dedup/dedup.h"

struct dedup_explained {
	size_t bytes, words, shingles; /* of its text; shingles: distinct */
};

struct dedup_explanation {
	struct dedup_explained of[2];
	bool same;     /* byte for byte */
	size_t common; /* shingles */
	double jaccard;
	unsigned values_equal, bands_equal; /* of the sketches; 0 where a text has no shingles */
	unsigned distance;		    /* of the fingerprints (SimHash) */
};

/* Compares line lines[0] (from 1) of the first input and lines[1] of the last one as dedup_run would: field,
 * method, normalise, ngram, sketch, values and bands are used. -EBADMSG: a line is no record; -ENOENT: the
 * file has no such line; *fault says which. -ENOMEM, -ESTALE and errors of the files. */
int dedup_explain(const struct dedup_options *options, const uint64_t lines[2],
	struct dedup_explanation *explanation, struct dedup_fault *fault);

/* Compares two texts in the same way. -EBADMSG: one is not UTF-8; -ENOMEM. */
int dedup_explain_texts(const struct dedup_options *options, const char *const texts[2],
	const size_t lengths[2], struct dedup_explanation *explanation);

#endif
