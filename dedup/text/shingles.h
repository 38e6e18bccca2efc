/*
 * The set of a text's word n-grams, as 64-bit hashes: what similarity is measured on. Two texts of n shingles
 * each share one by accident with a chance of n * n / 2^64.
 */
#ifndef MITHRIL_DEDUP_TEXT_SHINGLES_H
#define MITHRIL_DEDUP_TEXT_SHINGLES_H

#include <stddef.h>
#include <stdint.h>

#define DEDUP_NGRAM_MAX 64u

/* For one thread at a time; zero it first. The memory grows with the longest text. */
struct dedup_shingles {
	uint64_t *v; /* each once, in the order of first appearance; none is 0 */
	size_t count, capacity;
	uint64_t *seen; /* a hash table, for telling repeats */
	size_t seen_capacity;
};

/* The n-grams of `count` words, 1 <= n <= DEDUP_NGRAM_MAX; fewer words than n are one shingle, no words none.
 * -ENOMEM. */
int dedup_shingles_of(struct dedup_shingles *shingles, const uint64_t *words, size_t count, unsigned n);
void dedup_shingles_release(struct dedup_shingles *shingles);

/* The set of one text, against which others are held. For one thread at a time; zero it first. */
struct dedup_set {
	uint64_t *slots;
	size_t mask, capacity, count;
};
/* The shingles of a text: distinct, none 0. -ENOMEM. */
int dedup_set_fill(struct dedup_set *set, const uint64_t *v, size_t count);
void dedup_set_release(struct dedup_set *set);
/* Exact Jaccard similarity of the set and another text's distinct shingles if it is `threshold` or more;
 * otherwise some value below `threshold`, found with as few look-ups as will do. 0 where both are empty. */
double dedup_set_jaccard(const struct dedup_set *set, const uint64_t *v, size_t count, double threshold);
/* How many of another text's distinct shingles the set has. */
size_t dedup_set_common(const struct dedup_set *set, const uint64_t *v, size_t count);

#endif
