/*
 * Sketches of sets: k values, of which two sets share each with a chance that is their Jaccard similarity;
 * and their bands, by which similar sets are found without comparing all.
 *
 * Fast similarity sketch: Dahlgaard, Knudsen, Thorup, "Fast similarity sketching", FOCS 2017
 * (arXiv:1704.04370): O(n + k log k) for n elements, and its estimate varies less than that of k
 * permutations. Permutations: Broder, "On the resemblance and containment of documents", 1997, with the hash
 * functions (a * x + b) mod 2^32 that today's tools use, O(n * k).
 */
#ifndef MITHRIL_DEDUP_SKETCH_SKETCH_H
#define MITHRIL_DEDUP_SKETCH_SKETCH_H

#include <stddef.h>
#include <stdint.h>

enum dedup_sketch_kind { DEDUP_SKETCH_FAST, DEDUP_SKETCH_PERMUTATIONS };

#define DEDUP_SKETCH_MAX 1024u /* values */

struct dedup_sketcher {
	enum dedup_sketch_kind kind;
	unsigned k;
	uint32_t a[DEDUP_SKETCH_MAX], b[DEDUP_SKETCH_MAX]; /* of the permutations; a is odd */
};

/* 1 <= k <= DEDUP_SKETCH_MAX. The same k gives the same sketches always. */
void dedup_sketcher_init(struct dedup_sketcher *sketcher, enum dedup_sketch_kind kind, unsigned k);
/* Writes k values. `shingles` are hashed already, distinct, at least one. */
void dedup_sketch(
	const struct dedup_sketcher *sketcher, const uint64_t *shingles, size_t count, uint64_t *sketch);

struct dedup_bands {
	unsigned bands, rows;
};

/* The chance that sets of similarity `s` share a band: 1 - (1 - s^rows)^bands. */
double dedup_bands_chance(struct dedup_bands bands, double s);
#define DEDUP_CHANCE_VERIFIED .98 /* candidates are compared: those in vain cost time only */
#define DEDUP_CHANCE_ALONE .5	  /* the bands alone decide: as often wrong above as below */

/* Bands of as many rows as give a pair exactly at the threshold that chance with k values: more rows, fewer
 * candidates in vain. One row where nothing reaches that. */
struct dedup_bands dedup_bands_choose(double threshold, unsigned k, double chance);
/* One 64-bit key a band, a hash of the ordered rows and of the band's number. */
void dedup_bands_keys(struct dedup_bands bands, const uint64_t *sketch, uint64_t *keys);

#endif
