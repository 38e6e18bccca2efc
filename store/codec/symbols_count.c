#include "store/codec/symbols_count.h"

#include <string.h>

#include "store/codec/workspace.h"

#define GAP 6u /* symbols of a row that the counts lack */

/* Around the most frequent symbol of a row but the escape: those up to where GAP of them are missing. */
static void run_of(const uint32_t counts[RANS_SYMBOLS], uint8_t *first, uint8_t *last)
{
	unsigned most = 0;

	for (unsigned s = 1; s < RANS_ESCAPE; s++) {
		if (counts[s] > counts[most])
			most = s;
	}
	*first = *last = (uint8_t)most;
	for (unsigned s = most; s-- > 0 && *first - s <= GAP;) {
		if (counts[s])
			*first = (uint8_t)s;
	}
	for (unsigned s = most + 1; s < RANS_ESCAPE && s - *last <= GAP; s++) {
		if (counts[s])
			*last = (uint8_t)s;
	}
}

/* seen becomes 1 of all symbols in the runs of their rows, and of those beside them that occur. */
static void see_rows(struct codec_workspace *ws, const struct class_bytes *rows, size_t n)
{
	uint8_t first[MODEL_ROWS], last[MODEL_ROWS], first_of[256], span_of[256], *seen = ws->seen[0];
	struct class_bytes firsts, spans;
	size_t beside;

	memset(seen, 0, ws->counts.rows * RANS_SYMBOLS);
	for (unsigned r = 0; r < ws->counts.rows; r++) {
		run_of(ws->counts.counts[r], &first[r], &last[r]);
		memset(ws->seen[r] + first[r], 1, (size_t)(last[r] - first[r]) + 1);
	}
	for (unsigned c = 0; c < 256; c++) {
		first_of[c] = first[rows->of[c]];
		span_of[c] = (uint8_t)(last[rows->of[c]] - first[rows->of[c]]);
	}
	firsts = class_bytes_of(first_of);
	spans = class_bytes_of(span_of);
	ws->numbers->outside(ws->flags, ws->classes, ws->symbols, &firsts, &spans, n);
	beside = ws->numbers->places(ws->changed, ws->flags, n);
	for (size_t k = 0; k < beside; k++) {
		uint32_t i = ws->changed[k];
		seen[rows->of[ws->classes[i]] << 8 | ws->symbols[i]] = 1;
	}
}

void symbols_count(struct codec_workspace *ws, size_t n)
{
	const struct class_bytes rows = class_bytes_of(ws->counts.row);
	const uint8_t *seen = ws->seen[0];
	uint32_t *counts = ws->counts.counts[0];
	size_t all = ws->counts.rows * RANS_SYMBOLS;

	memset(counts, 0, all * sizeof *counts);
	ws->numbers->count(counts, ws->classes, ws->symbols, &rows, n);
	see_rows(ws, &rows, n);
	for (size_t i = 0; i < all; i++)
		counts[i] += seen[i] & !counts[i];
}
