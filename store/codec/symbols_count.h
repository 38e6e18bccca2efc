/* How frequent the symbols of differences are, from a part of them. */
#ifndef MITHRIL_STORE_CODEC_SYMBOLS_COUNT_H
#define MITHRIL_STORE_CODEC_SYMBOLS_COUNT_H

#include <stddef.h>

struct codec_workspace;

/* Fills ws->counts.counts by rows, of which ws->counts says how many there are and which class has which,
 * from n of ws->classes and ws->symbols. An eighth is counted; but each symbol that occurs counts once at
 * least, and so do those between the ones of a row that were counted, which may occur. */
void symbols_count(struct codec_workspace *ws, size_t n);

#endif
