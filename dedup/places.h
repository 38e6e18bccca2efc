/*
 * Lines as FILE:LINE in JSON, the way all lists of a run name them.
 */
#ifndef MITHRIL_DEDUP_PLACES_H
#define MITHRIL_DEDUP_PLACES_H

#include "dedup/outcome.h"
#include "dedup/read/inputs.h"
#include "dedup/write/outfile.h"

struct dedup_places {
	const struct dedup_outcome *outcome;
	char **names; /* of the inputs, escaped */
	size_t count;
};

/* Keeps the outcome. -ENOMEM. */
int dedup_places_init(
	struct dedup_places *places, const struct dedup_inputs *inputs, const struct dedup_outcome *outcome);
void dedup_places_release(struct dedup_places *places);

/* Writes `before` and "FILE:LINE" in quotes; lines count from 1. Errors as dedup_outfile_write. */
int dedup_places_put(
	const struct dedup_places *places, struct dedup_outfile *file, const char *before, uint32_t id);

/* Writes a float of 0 to 1 with four decimals. */
int dedup_similarity_put(struct dedup_outfile *file, double similarity);

/* A text as the inside of a JSON string, to be freed; what is no UTF-8 becomes question marks. NULL: no
 * memory. */
char *dedup_json_escaped(const char *text, size_t len);
/* printf to a file; what comes out is at most 255 bytes. */
int dedup_put(struct dedup_outfile *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "exact", "near", ...: what took a line that goes; a copy of a line that goes for a similar one is "exact".
 * Static storage. */
const char *dedup_method_of(const struct dedup_fate *fate);
const char *dedup_how_name(enum dedup_how how);

#endif
