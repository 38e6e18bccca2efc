/*
 * Which windows of a group of pieces stand earlier already.
 */
#ifndef MITHRIL_DEDUP_CUT_WINDOWS_H
#define MITHRIL_DEDUP_CUT_WINDOWS_H

#include "dedup/cut/cuts.h"
#include "dedup/cut/pieces.h"

/* For one thread at a time; zero it but for `base`, which is odd. */
struct dedup_windows {
	uint64_t base; /* of the rolling hash */
	struct dedup_window_slot *slots;
	size_t mask, count, capacity;
};
void dedup_windows_release(struct dedup_windows *windows);

/* All pieces with one key, sorted by id and place. Puts every window of `length` bytes of which the
 * same bytes stand in an earlier text, or earlier in the same one without an overlap into the
 * sink. Compares bytes; time grows with the number of windows alone. -ENOMEM, what the sink says. */
int dedup_windows_cut(struct dedup_windows *windows, const struct dedup_piece *pieces, size_t count,
	size_t length, const struct dedup_cut_sink *sink, unsigned thread);

#endif
