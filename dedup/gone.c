#include "dedup/gone.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/array.h"

void dedup_gone_add(struct dedup_amount *gone, const struct dedup_outcome *outcome, uint32_t id, size_t bytes)
{
	static const int ways[] = {
		[DEDUP_HOW_STAYS] = -1,
		[DEDUP_HOW_BLANK] = -1,
		[DEDUP_HOW_BAD] = DEDUP_GONE_BAD,
		[DEDUP_HOW_EXACT] = DEDUP_GONE_EXACT,
		[DEDUP_HOW_NEAR] = DEDUP_GONE_NEAR,
		[DEDUP_HOW_GONE] = DEDUP_GONE_STREAM,
		[DEDUP_HOW_AGAINST] = DEDUP_GONE_AGAINST,
		[DEDUP_HOW_CUT] = DEDUP_GONE_CUT,
	};
	struct dedup_fate fate = dedup_outcome_of(outcome, id);
	int way = fate.is_copy ? DEDUP_GONE_EXACT : ways[fate.how];

	if (way < 0)
		return;
	gone[way].documents++;
	gone[way].bytes += bytes;
}

void dedup_gone_add_up(struct dedup_amount *gone, const struct dedup_amount *more)
{
	for (int i = 0; i < DEDUP_GONE_COUNT; i++) {
		gone[i].documents += more[i].documents;
		gone[i].bytes += more[i].bytes;
	}
}

int dedup_gone_note(struct dedup_gone_lines *lines, uint32_t id, size_t bytes)
{
	struct dedup_gone_line *grown = array_grow(lines->v, lines->count, &lines->capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	lines->v = grown;
	grown[lines->count++] = (struct dedup_gone_line){id, (uint32_t)bytes};
	return 0;
}

void dedup_gone_settle(
	struct dedup_gone_lines *lines, const struct dedup_outcome *outcome, struct dedup_amount *gone)
{
	for (size_t i = 0; i < lines->count; i++)
		dedup_gone_add(gone, outcome, lines->v[i].id, lines->v[i].bytes);
	free(lines->v);
	*lines = (struct dedup_gone_lines){0};
}
