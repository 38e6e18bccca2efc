/*
 * Pieces that are cut out of texts.
 */
#ifndef MITHRIL_DEDUP_CUT_CUTS_H
#define MITHRIL_DEDUP_CUT_CUTS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes [from, to) of the text of line `id`. */
struct dedup_cut {
	uint32_t id, from, to;
};

/* Zero it first. */
struct dedup_cuts {
	struct dedup_cut *v;
	size_t count, capacity;
};

int dedup_cuts_add(struct dedup_cuts *cuts, struct dedup_cut cut); /* -ENOMEM */
int dedup_cuts_add_all(struct dedup_cuts *cuts, const struct dedup_cuts *more);
/* Sorts them by id and place and joins those that touch, so that there is text between any two. */
void dedup_cuts_settle(struct dedup_cuts *cuts);
/* Adds settled ones to settled ones, in time that grows with their number. -ENOMEM: as it was. */
int dedup_cuts_join(struct dedup_cuts *cuts, const struct dedup_cuts *more);
void dedup_cuts_release(struct dedup_cuts *cuts);

/* Of settled ones: those of one line; *count may be 0. */
const struct dedup_cut *dedup_cuts_of(const struct dedup_cuts *cuts, uint32_t id, size_t *count);

/* Both settled; `later` counts bytes of what `cuts` leave. Adds them, counted as `cuts` are. -ENOMEM: as it
 * was. */
int dedup_cuts_compose(struct dedup_cuts *cuts, const struct dedup_cuts *later);

/* Copies what one line's settled cuts leave of its text to `out`, which has room for `len` bytes: how many
 * that are. Cuts beyond `len` are none. */
size_t dedup_cuts_apply(const struct dedup_cut *cuts, size_t count, const char *text, size_t len, char *out);

#endif
