/*
 * Near duplicates among distinct texts. In the order in which texts would be kept, each is held against the
 * anchors before it that share a band with it, earliest first: the first one to which its exact Jaccard
 * similarity is at least the threshold takes it in; where none does, it becomes an anchor itself. So a text
 * that goes is as similar as asked for to one that stays, chains do not run away, and of two texts that stay
 * none could have been taken in by the other, but for what the bands miss.
 *
 * The answer does not depend on the number of threads: texts are looked up in batches against what stood
 * before the batch, and those without an anchor are then gone through in order.
 */
#ifndef MITHRIL_DEDUP_GROUP_NEAR_H
#define MITHRIL_DEDUP_GROUP_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_text {
	uint64_t *keys; /* `bands` keys, then `shingles` shingles, of which with `simhash` the first is the
			   fingerprint; the caller's */
	uint32_t shingles;
	uint32_t id;	  /* the line that stands for all that have it */
	uint32_t anchor;  /* index of the text that stays for it: itself for an anchor */
	float similarity; /* to the anchor: Jaccard; with `simhash` and no threshold the share of equal bits
			   */
};

struct dedup_near_options {
	unsigned bands, threads;
	bool simhash; /* texts are similar whose fingerprints differ in `distance` bits at most, and: */
	unsigned distance;
	double threshold; /* of the Jaccard similarity; 0, with `simhash` only: whatever it is */
	/* Called now and then from one thread; non-zero ends with -EINTR. NULL: not. */
	int (*progress)(void *ctx, size_t done, size_t of);
	void *ctx;
};

struct dedup_near_stats {
	uint64_t candidates;	     /* pairs that were compared on their shingles */
	uint64_t rejected;	     /* of these, those below the threshold */
	uint64_t joined;	     /* texts that have another for an anchor */
	uint64_t band_ns, verify_ns; /* time of all threads */
	size_t memory;		     /* bytes of the tables while it ran */
};

#define DEDUP_NEAR_NONE UINT32_MAX

/* Sets anchor and similarity of every text; `texts` is in the order of preference, the keys are used up.
 * Texts without shingles stay. Memory: half a byte a key (two bits of a filter, in powers of two), and 24 to
 * 40 bytes a key that more than one text has. -ENOMEM, -EINTR. */
int dedup_near(struct dedup_text *texts, size_t count, const struct dedup_near_options *options,
	struct dedup_near_stats *stats);

/* The same, and what was found stays at hand for texts that come after all of these: keys are not used up,
 * stats may be had at the end, the texts must stay where they are. Memory: 24 to 40 bytes a key. */
struct dedup_near;
int dedup_near_open(struct dedup_text *texts, size_t count, const struct dedup_near_options *options,
	struct dedup_near **near);
/* Sets anchor and similarity of each of some later texts: the first of the texts above that takes it in, or
 * DEDUP_NEAR_NONE. -ENOMEM. */
int dedup_near_look(struct dedup_near *near, struct dedup_text *later, size_t count);
/* Adds what was done to stats. NULL is fine. */
void dedup_near_close(struct dedup_near *near, struct dedup_near_stats *stats);

#endif
