/*
 * Two texts side by side, what they differ in marked: [-only left-] and {+only right+}, or in colours.
 */
#ifndef MITHRIL_DEDUP_REPORT_SIDE_H
#define MITHRIL_DEDUP_REPORT_SIDE_H

#include <stdbool.h>
#include <stdio.h>

#include "dedup/report/diff.h"

struct side_style {
	size_t width;	/* columns in all, at least 20 */
	bool colour;	/* instead of brackets */
	size_t context; /* words around a difference; of longer stretches that are the same the middle is left
			   out */
};

/* Prints the texts of the lists, of which `edits` are the differences. -ENOMEM. */
int side_print(FILE *out, const struct side_style *style, const struct dedup_word_list *left,
	const struct dedup_word_list *right, const struct dedup_edits *edits);
/* One row with a text on each side, or, where they do not fit, one below the other. -ENOMEM. */
int side_title(FILE *out, const struct side_style *style, const char *left, const char *right);

#endif
