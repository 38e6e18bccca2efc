#include "dedup/gone.h"

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

int dedup_gone_settle(
	struct dedup_sorter *lines, const struct dedup_outcome *outcome, struct dedup_amount *gone)
{
	struct dedup_sequence sequence = {0};
	struct dedup_triple line;
	int rc = dedup_sorter_finish(lines), more = 0;

	rc = rc ? rc : dedup_sequence_open(&sequence, lines);
	while (!rc && (more = dedup_sequence_next(&sequence, &line)) > 0)
		dedup_gone_add(gone, outcome, line.a, line.b);
	dedup_sequence_close(&sequence);
	return rc ? rc : more;
}
