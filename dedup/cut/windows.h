/*
 * Which windows of a group of pieces stand earlier already.
 */
#ifndef MITHRIL_DEDUP_CUT_WINDOWS_H
#define MITHRIL_DEDUP_CUT_WINDOWS_H

#include "dedup/cut/cuts.h"
#include "dedup/cut/pieces.h"

#define DEDUP_WINDOWS_MOST ((uint64_t)1 << 22)
#define DEDUP_WINDOWS_COST 48u /* bytes a window in the table, about */

/* For one thread at a time; zero it but for the first two. */
struct dedup_windows {
	uint64_t base; /* of the rolling hash; odd */
	uint64_t most; /* windows that are in the table at once; more take as many rounds */
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
