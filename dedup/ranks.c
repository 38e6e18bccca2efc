#include "dedup/ranks.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/read/date.h"

#define LAST UINT64_MAX /* no such field, or no number or date in it */

static bool matches(const char *glob, const char *path)
{
	const char *slash = strrchr(path, '/');

	return !fnmatch(glob, path, 0) || (slash && !fnmatch(glob, slash + 1, 0));
}

/* The place of the first of the globs, which commas divide, that the path matches. */
static uint32_t place_in(char *globs, const char *path)
{
	uint32_t place = 0;
	char *rest = globs;

	while (rest) {
		char *comma = strchr(rest, ',');
		bool found;

		if (comma)
			*comma = 0;
		found = matches(rest, path);
		if (comma)
			*comma = ',';
		if (found)
			return place;
		place++;
		rest = comma ? comma + 1 : NULL;
	}
	return place;
}

static int rank_inputs(struct dedup_ranks *ranks, const struct dedup_inputs *inputs)
{
	char *globs = strdup(ranks->by);

	ranks->of_inputs = calloc(inputs->count + 1, sizeof *ranks->of_inputs);
	for (size_t i = 0; globs && ranks->of_inputs && i < inputs->count; i++)
		ranks->of_inputs[i] = place_in(globs, inputs->v[i].path);
	free(globs);
	return globs && ranks->of_inputs ? 0 : -ENOMEM;
}

int dedup_ranks_init(
	struct dedup_ranks *ranks, const struct dedup_options *options, const struct dedup_outcome *outcome)
{
	*ranks = (struct dedup_ranks){.keep = options->keep, .by = options->keep_by, .outcome = outcome};
	return ranks->keep == DEDUP_KEEP_PREFER ? rank_inputs(ranks, options->inputs) : 0;
}

void dedup_ranks_release(struct dedup_ranks *ranks)
{
	free(ranks->of_inputs);
	for (size_t i = 0; i < sizeof ranks->segments / sizeof ranks->segments[0]; i++)
		free(ranks->segments[i]);
	*ranks = (struct dedup_ranks){0};
}

bool dedup_ranks_are_own(const struct dedup_ranks *ranks)
{
	return ranks->keep != DEDUP_KEEP_FIRST && ranks->keep != DEDUP_KEEP_PREFER;
}

size_t dedup_ranks_memory(const struct dedup_ranks *ranks)
{
	size_t bytes = 0;

	for (size_t i = 0; i < sizeof ranks->segments / sizeof ranks->segments[0]; i++)
		bytes += ranks->segments[i] ? DEDUP_LINES_SEGMENT * sizeof *ranks->segments[i] : 0;
	return bytes;
}

int dedup_ranks_room(struct dedup_ranks *ranks, uint32_t id)
{
	if (!dedup_ranks_are_own(ranks))
		return 0;
	for (uint32_t i = id / DEDUP_LINES_SEGMENT; !ranks->segments[i]; i--) {
		ranks->segments[i] = malloc(DEDUP_LINES_SEGMENT * sizeof *ranks->segments[i]);
		if (!ranks->segments[i])
			return -ENOMEM;
		if (!i)
			break;
	}
	return 0;
}

/* The higher the number, the lower the rank. */
static uint64_t highest_first(double number)
{
	uint64_t bits;

	number += 0.0; /* -0 is 0 */
	memcpy(&bits, &number, sizeof bits);
	bits = bits >> 63 ? ~bits : bits | (uint64_t)1 << 63; /* now they rise with the number */
	return ~bits;
}

static uint64_t rank_by_field(const struct dedup_ranks *ranks, struct dedup_json *json)
{
	const char *text;
	double number;
	size_t len;

	switch (dedup_json_value(json, ranks->by, &number, &text, &len)) {
	case DEDUP_JSON_NUMBER:
		return highest_first(number);
	case DEDUP_JSON_STRING:
		if (ranks->keep == DEDUP_KEEP_NEWEST && dedup_date_of(text, len, &number))
			return highest_first(number);
		return LAST;
	default:
		return LAST;
	}
}

uint64_t dedup_rank_of(const struct dedup_ranks *ranks, struct dedup_json *json, size_t bytes)
{
	if (ranks->keep == DEDUP_KEEP_LONGEST)
		return ~(uint64_t)bytes;
	if (!dedup_ranks_are_own(ranks))
		return 0;
	return json ? rank_by_field(ranks, json) : LAST;
}

void dedup_ranks_note(struct dedup_ranks *ranks, uint32_t id, uint64_t rank)
{
	if (dedup_ranks_are_own(ranks))
		ranks->segments[id / DEDUP_LINES_SEGMENT][id % DEDUP_LINES_SEGMENT] = rank;
}

uint64_t dedup_ranks_at(const struct dedup_ranks *ranks, uint32_t id)
{
	if (ranks->keep == DEDUP_KEEP_FIRST)
		return 0;
	if (ranks->keep == DEDUP_KEEP_PREFER)
		return ranks->of_inputs[dedup_outcome_input(ranks->outcome, id)];
	return ranks->segments[id / DEDUP_LINES_SEGMENT][id % DEDUP_LINES_SEGMENT];
}

bool dedup_ranks_before(const void *ctx, uint32_t a, uint32_t b)
{
	uint64_t x = dedup_ranks_at(ctx, a), y = dedup_ranks_at(ctx, b);

	return x != y ? x < y : a < b;
}
