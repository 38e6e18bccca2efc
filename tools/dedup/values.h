/*
 * Values of the options of mithril-dedup(1), from words to what they stand for. Parsers of one option return
 * NULL, or what the value should be.
 */
#ifndef MITHRIL_TOOLS_DEDUP_VALUES_H
#define MITHRIL_TOOLS_DEDUP_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/lib/mithril-dedup.h"

/* The index of the word in a list that ends with NULL; -1: it is in none. */
int dedup_word_of(const char *value, const char *const *words);
/* A decimal number of least..most. */
bool dedup_size_of(const char *value, uint64_t least, uint64_t most, uint64_t *size);
bool dedup_number_of(const char *value, uint32_t least, uint32_t most, uint32_t *number);
/* Above 0, at most 1. */
bool dedup_share_of(const char *value, double *share);

const char *dedup_parse_ngram(const char *value, struct mithril_dedup_options *options);
const char *dedup_parse_normalise(const char *value, struct mithril_dedup_options *options);
const char *dedup_parse_overlap(const char *value, struct mithril_dedup_options *options);
const char *dedup_parse_repeats(const char *value, struct mithril_dedup_options *options);
const char *dedup_parse_bands(const char *value, struct mithril_dedup_options *options);
const char *dedup_parse_keep(const char *value, struct mithril_dedup_options *options);

#endif
