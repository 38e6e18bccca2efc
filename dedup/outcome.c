#include "dedup/outcome.h"

#include <errno.h>
#include <stdlib.h>

int dedup_outcome_init(struct dedup_outcome *outcome, size_t inputs)
{
	*outcome = (struct dedup_outcome){.inputs = inputs};
	outcome->first_ids = calloc(inputs + 1, sizeof *outcome->first_ids);
	return outcome->first_ids ? 0 : -ENOMEM;
}

void dedup_outcome_release(struct dedup_outcome *outcome)
{
	dedup_lines_release(&outcome->lines);
	free(outcome->first_ids);
	for (size_t i = 0; i < sizeof outcome->similarities / sizeof outcome->similarities[0]; i++)
		free(outcome->similarities[i]);
	*outcome = (struct dedup_outcome){0};
}

size_t dedup_outcome_memory(const struct dedup_outcome *outcome)
{
	size_t bytes = dedup_outcome_lines(outcome) * sizeof(uint32_t);

	for (size_t i = 0; i < sizeof outcome->similarities / sizeof outcome->similarities[0]; i++)
		bytes += outcome->similarities[i] ? DEDUP_LINES_SEGMENT * sizeof(float) : 0;
	return bytes;
}

static bool is_mark(uint32_t line)
{
	return line >= DEDUP_LINE_GONE;
}

/* In place, in three passes: straight to the lowest line; the lowest learns which one stays; the others
 * learn it from the lowest. */
void dedup_outcome_settle(struct dedup_outcome *outcome,
	bool (*before)(const void *ctx, uint32_t a, uint32_t b), const void *ctx)
{
	const struct dedup_lines *lines = &outcome->lines;
	uint32_t count = dedup_outcome_lines(outcome);

	for (uint32_t id = 0; id < count; id++) {
		uint32_t *line = dedup_lines_at(lines, id);

		if (!is_mark(*line)) /* lower ones are straight already */
			*line = *dedup_lines_at(lines, *line);
	}
	for (uint32_t id = 0; before && id < count; id++) {
		uint32_t lowest = *dedup_lines_at(lines, id);
		uint32_t *best = is_mark(lowest) ? NULL : dedup_lines_at(lines, lowest);

		if (best && before(ctx, id, *best))
			*best = id;
	}
	for (uint32_t id = 0; before && id < count; id++) {
		uint32_t *line = dedup_lines_at(lines, id);

		if (*line < id)
			*line = *dedup_lines_at(lines, *line);
	}
}

int dedup_outcome_tie(struct dedup_outcome *outcome, uint32_t id, uint32_t keeper, double similarity)
{
	float **segment = &outcome->similarities[id / DEDUP_LINES_SEGMENT];

	if (!*segment) {
		*segment = malloc(DEDUP_LINES_SEGMENT * sizeof **segment);
		if (!*segment)
			return -ENOMEM;
		for (size_t i = 0; i < DEDUP_LINES_SEGMENT; i++)
			(*segment)[i] = -1;
	}
	(*segment)[id % DEDUP_LINES_SEGMENT] = (float)similarity;
	*dedup_lines_at(&outcome->lines, id) = keeper;
	return 0;
}

bool dedup_outcome_is_tied(const struct dedup_outcome *outcome, uint32_t id, float *similarity)
{
	const float *segment = outcome->similarities[id / DEDUP_LINES_SEGMENT];

	*similarity = segment ? segment[id % DEDUP_LINES_SEGMENT] : -1;
	return *similarity >= 0;
}

uint32_t dedup_outcome_lines(const struct dedup_outcome *outcome)
{
	return outcome->first_ids[outcome->inputs];
}

size_t dedup_outcome_input(const struct dedup_outcome *outcome, uint32_t id)
{
	size_t low = 0, high = outcome->inputs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (outcome->first_ids[middle] <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static enum dedup_how how_of_mark(uint32_t mark)
{
	switch (mark) {
	case DEDUP_LINE_BLANK:
		return DEDUP_HOW_BLANK;
	case DEDUP_LINE_BAD:
		return DEDUP_HOW_BAD;
	case DEDUP_LINE_AGAINST:
		return DEDUP_HOW_AGAINST;
	case DEDUP_LINE_CUT:
		return DEDUP_HOW_CUT;
	default:
		return DEDUP_HOW_GONE;
	}
}

struct dedup_fate dedup_outcome_of(const struct dedup_outcome *outcome, uint32_t id)
{
	struct dedup_fate fate = {.how = DEDUP_HOW_STAYS, .keeper = id, .similarity = 1};
	uint32_t to = *dedup_lines_at(&outcome->lines, id);
	float similarity;
	bool tied;

	if (to >= DEDUP_LINE_GONE)
		fate.how = how_of_mark(to);
	if (to == id || to >= DEDUP_LINE_GONE)
		return fate;
	tied = dedup_outcome_is_tied(outcome, id, &similarity);
	if (!tied) { /* the same text, and that one's fate with it */
		fate.how = DEDUP_HOW_EXACT;
		fate.is_copy = true;
		fate.keeper = *dedup_lines_at(&outcome->lines, to);
		tied = fate.keeper != to && !is_mark(fate.keeper) &&
		       dedup_outcome_is_tied(outcome, to, &similarity);
	} else {
		fate.keeper = to;
	}
	if (tied) {
		fate.how = DEDUP_HOW_NEAR;
		fate.similarity = (double)similarity;
	}
	if (is_mark(fate.keeper) || *dedup_lines_at(&outcome->lines, fate.keeper) == DEDUP_LINE_CUT) {
		fate.how = DEDUP_HOW_CUT; /* that one went later */
		fate.keeper = id;
		fate.similarity = 1;
	}
	return fate;
}
