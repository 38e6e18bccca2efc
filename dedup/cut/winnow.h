/*
 * Choosing pieces of a text so that texts with a window in common have a piece in common: of the grams in
 * every window the one with the least hash, the last of those. What is chosen depends on the bytes of the
 * window alone, and about one gram in half a window is. Schleimer, Wilkerson, Aiken, "Winnowing: local
 * algorithms for document fingerprinting", SIGMOD 2003.
 */
#ifndef MITHRIL_DEDUP_CUT_WINNOW_H
#define MITHRIL_DEDUP_CUT_WINNOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEDUP_WINDOW_MAX 4096u

/* Initialised by dedup_winnow_init; for one thread at a time. */
struct dedup_winnow {
	const uint8_t *text;
	size_t len, window, gram, grams; /* grams: in a window */
	uint64_t base, last;		 /* of the rolling hash; last = base^gram */
	uint64_t hash;			 /* of the gram that ends before `next + gram - 1`, not yet mixed */
	size_t next, start;		 /* the next gram, and the next window */
	uint64_t least;			 /* the least hash of the window, and its place */
	size_t at;
	uint64_t ring[DEDUP_WINDOW_MAX]; /* hashes of the last grams, by place */
};

/* 16 <= window <= DEDUP_WINDOW_MAX; any seed. */
void dedup_winnow_init(struct dedup_winnow *winnow, size_t window, uint64_t seed);
/* Begins a text, which stays the caller's. */
void dedup_winnow_text(struct dedup_winnow *winnow, const char *text, size_t len);

/* Windows that lie one after the other and have chosen the same gram. */
struct dedup_pick {
	uint64_t key;	  /* the hash of the gram */
	uint32_t at;	  /* its place */
	uint32_t first;	  /* the place of the first window */
	uint32_t windows; /* how many */
};
/* In order; every window is in one. False: no more. */
bool dedup_winnow_next(struct dedup_winnow *winnow, struct dedup_pick *pick);

#endif
