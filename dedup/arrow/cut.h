/*
 * Texts of a batch without what is cut out of them.
 */
#ifndef MITHRIL_DEDUP_ARROW_CUT_H
#define MITHRIL_DEDUP_ARROW_CUT_H

#include "dedup/arrow/column.h"
#include "dedup/arrow/rows.h"
#include "dedup/cut/cuts.h"

/* Whether texts of this column can be made shorter: strings that are no dictionary. */
static inline int arrow_can_cut(const struct arrow_column *column)
{
	return !column->index;
}

/* Changes a copy that arrow_rows_copy has made of the rows that `runs` say, of a batch whose row 0 is line
 * `first` of the cuts, which are settled. A character of which they take a part only stays. -ENOMEM;
 * -EBADMSG: the copy is not what its schema says. */
int arrow_cut_texts(struct ArrowArray *copy, const struct arrow_column *column, const struct arrow_runs *runs,
	uint32_t first, const struct dedup_cuts *cuts);

#endif
