/*
 * Pieces of texts that are held against each other: each is a run of windows with the bytes they cover.
 * Pieces of one text that overlap share their bytes.
 */
#ifndef MITHRIL_DEDUP_CUT_PIECES_H
#define MITHRIL_DEDUP_CUT_PIECES_H

#include <stddef.h>
#include <stdint.h>

#include "dedup/cut/winnow.h"

struct dedup_piece {
	uint64_t key;
	const char *text;   /* windows - 1 + length bytes */
	uint32_t id, first; /* the first window's line and place */
	uint32_t windows;
};

#define DEDUP_PIECE_LISTS 256u /* by the key's first bits */

struct dedup_piece_list {
	struct dedup_piece *v;
	size_t count, capacity;
};

/* One thread's; zero it first. */
struct dedup_pieces {
	struct dedup_piece_list lists[DEDUP_PIECE_LISTS];
	struct dedup_pieces_chunk *chunk; /* the newest, of a list */
	uint32_t id;			  /* of the text that its last bytes are of */
	size_t from, to;		  /* which bytes; from == to: none */
	size_t bytes;			  /* allocated, in all */
};

/* The windows of a pick in the text of line `id`. -ENOMEM. */
int dedup_pieces_add(struct dedup_pieces *pieces, uint32_t id, const char *text, size_t length,
	const struct dedup_pick *pick);
void dedup_pieces_release(struct dedup_pieces *pieces);

#endif
