/*
 * Texts that have something in common with those of a second set: benchmarks, which must not be trained on.
 *
 * Of each item of that set, all n-grams are in an index, and every text is looked up in it n-gram by n-gram:
 * the answer is exact, as far as 64-bit hashes of n-grams go, and needs no sketches, since such sets are
 * small. Items of fewer words than n are one n-gram, which only a text with no other words has.
 */
#ifndef MITHRIL_DEDUP_AGAINST_AGAINST_H
#define MITHRIL_DEDUP_AGAINST_AGAINST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dedup/read/inputs.h"
#include "dedup/text/shingles.h"
#include "dedup/text/words.h"

enum dedup_overlap {
	DEDUP_OVERLAP_SHARE,   /* the share of the item's n-grams that the text has */
	DEDUP_OVERLAP_JACCARD, /* the similarity of both sets of n-grams */
};

struct dedup_against_options {
	const struct dedup_inputs *inputs; /* kept */
	const char *field;
	unsigned normalise; /* of enum dedup_normalise */
	unsigned ngram;	    /* 1..DEDUP_NGRAM_MAX */
	enum dedup_overlap overlap;
	double least; /* above 0, at most 1: from which on a text hits; below 0: any n-gram in common will do
		       */
};

struct dedup_against;
/* Reads the set. -EBADMSG: a line of it is no record; *fault_input, *line (from 1) and *why say which.
 * -ENOMEM; -ESTALE and errors of open(2) and pread(2), about *fault_input. */
int dedup_against_load(const struct dedup_against_options *options, struct dedup_against **against,
	const struct dedup_input **fault_input, uint64_t *line, const char **why);
void dedup_against_free(struct dedup_against *against);

const struct dedup_against_options *dedup_against_options_of(const struct dedup_against *against);
/* Items with words, and of these those of fewer words than n. */
size_t dedup_against_items(const struct dedup_against *against, size_t *few);
/* Where an item is; lines are from 1. */
const struct dedup_input *dedup_against_place(
	const struct dedup_against *against, uint32_t item, uint64_t *line);
size_t dedup_against_memory(const struct dedup_against *against);

/* For one thread at a time; zero it first. */
struct dedup_finder {
	struct dedup_words words;
	struct dedup_shingles shingles;
	uint32_t *counts;  /* n-grams in common, one an item */
	uint32_t *touched; /* items whose count is not 0 */
	bool ready;
};
void dedup_finder_release(struct dedup_finder *finder);

/* 1: the text hits; *item is the one with the greatest overlap, the first of those, and *overlap is that.
 * 0: it does not. -ENOMEM. */
int dedup_against_find(const struct dedup_against *against, struct dedup_finder *finder, const char *text,
	size_t len, uint32_t *item, double *overlap);

#endif
