/*
 * The lines or paragraphs of a text. A paragraph is a run of lines that are not blank, blank being nothing or
 * spaces, tabs and carriage returns.
 */
#ifndef MITHRIL_DEDUP_CUT_UNITS_H
#define MITHRIL_DEDUP_CUT_UNITS_H

#include <stdbool.h>
#include <stddef.h>

enum dedup_unit_kind { DEDUP_LINES, DEDUP_PARAGRAPHS };

/* [from, to) is what is compared, without the last line's end; [from, end) what goes with it: the line's end,
 * and the blank lines after a paragraph. */
struct dedup_unit {
	size_t from, to, end;
};

/* The next line that is not blank, or the next paragraph, from *at on, which moves to its end. False: none.
 */
bool dedup_unit_next(
	const char *text, size_t len, enum dedup_unit_kind kind, size_t *at, struct dedup_unit *unit);

#endif
