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

/* Where those go that are found; each thread calls it with its number. Errors are passed on. */
struct dedup_cut_sink {
	int (*put)(void *ctx, unsigned thread, struct dedup_cut cut);
	void *ctx;
};
static inline int dedup_cut_put(const struct dedup_cut_sink *sink, unsigned thread, struct dedup_cut cut)
{
	return sink->put(sink->ctx, thread, cut);
}

/* Zero it first. */
struct dedup_cuts {
	struct dedup_cut *v;
	size_t count, capacity;
};

int dedup_cuts_add(struct dedup_cuts *cuts, struct dedup_cut cut); /* -ENOMEM */
int dedup_cuts_add_all(struct dedup_cuts *cuts, const struct dedup_cuts *more);
/* Sorts them by id and place and joins those that touch, so that there is text between any two. */
void dedup_cuts_settle(struct dedup_cuts *cuts);
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
