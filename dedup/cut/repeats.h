/*
 * Lines or paragraphs that stand earlier already, in an earlier text or earlier in the same one. Texts are
 * gone through twice, each time in any order and by any number of threads: first all are noted, then each is
 * told what to cut. When memory is limited and too little for all distinct units, that is done part by part,
 * by the range of the units' hashes:
 *
 *	while dedup_repeats_more: for each text: note; unless dedup_repeats_overflow, for each text: cut
 *	then settle
 *
 * Units are the same when 96 bits of two hash functions agree, which are seeded anew each time. Memory: 18 to
 * 20 bytes a distinct unit of a part.
 */
#ifndef MITHRIL_DEDUP_CUT_REPEATS_H
#define MITHRIL_DEDUP_CUT_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "dedup/cut/cuts.h"
#include "dedup/cut/units.h"

struct dedup_repeats;
/* Units of fewer than `least` bytes are let be. `memory`: bytes that a part's table may take; 0: as much as
 * it is, in one part. -ENOMEM. */
int dedup_repeats_new(
	enum dedup_unit_kind kind, size_t least, uint64_t memory, struct dedup_repeats **repeats);
void dedup_repeats_free(struct dedup_repeats *repeats);

/* Begins the next part; false: there is none. */
bool dedup_repeats_more(struct dedup_repeats *repeats);
/* After noting: the part was too large, and all begin anew, smaller. */
bool dedup_repeats_overflow(struct dedup_repeats *repeats);

/* Thread-safe. -ENOMEM. */
int dedup_repeats_note(struct dedup_repeats *repeats, uint32_t id, const char *text, size_t len);

/* For one thread at a time; zero it first. */
struct dedup_repeats_seen {
	uint64_t *slots; /* hashes of the text at hand */
	size_t mask, capacity;
};
void dedup_repeats_seen_release(struct dedup_repeats_seen *seen);

/* When all are noted: puts the units of the part that stand earlier into the sink. Thread-safe but for
 * `seen`. -ENOMEM, what the sink says. */
int dedup_repeats_cut(const struct dedup_repeats *repeats, struct dedup_repeats_seen *seen, uint32_t id,
	const char *text, size_t len, const struct dedup_cut_sink *sink, unsigned thread);
/* A line's cuts of all parts: settles them, each unit with its line's end, so that what is left is the lines
 * that stay with a line's end between each two. */
void dedup_repeats_settle(struct dedup_cuts *cuts);
/* Bytes of the table. */
size_t dedup_repeats_memory(const struct dedup_repeats *repeats);

#endif
