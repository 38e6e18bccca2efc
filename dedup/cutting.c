#include "dedup/cutting.h"

#include <errno.h>

#include "dedup/cutter.h"
#include "store/util/clock.h"

int dedup_cutter_walk(struct dedup_cutter *c, const char *stage, void *ctx,
	int (*text)(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len))
{
	struct dedup_walk walk = {.options = c->options,
		.outcome = c->outcome,
		.cuts = c->cuts,
		.stage = stage,
		.text = text,
		.ctx = ctx};

	return dedup_walk(&walk, c->result);
}

void dedup_cutter_memory(struct dedup_cutter *c, uint64_t bytes)
{
	bytes += dedup_outcome_memory(c->outcome);
	c->result->memory = bytes > c->result->memory ? bytes : c->result->memory;
}

static int put(void *ctx, unsigned thread, struct dedup_cut cut)
{
	return dedup_sorter_add(ctx, thread, (struct dedup_triple){cut.id, cut.from, cut.to});
}

int dedup_cutter_sorter(struct dedup_cutter *c, struct dedup_sorter **found, struct dedup_cut_sink *sink)
{
	int rc = dedup_sorter_new(c->work, "found", c->options->threads, c->memory / 8, found);

	*sink = (struct dedup_cut_sink){.put = put, .ctx = *found};
	return rc;
}

int dedup_cutter_take(struct dedup_cutter *c, struct dedup_cut_set *set, struct dedup_sorter **found,
	void (*fix)(struct dedup_cuts *line))
{
	int rc = dedup_sorter_finish(*found);

	rc = rc ? rc : dedup_cut_set_add(set, *found, fix);
	dedup_cutter_memory(c, dedup_sorter_memory(*found) + dedup_cut_set_memory(set));
	dedup_sorter_free(*found);
	*found = NULL;
	return rc;
}

/* What is known of the lines already must leave as much again for what is looked for. */
static int share(struct dedup_cutter *c)
{
	uint64_t taken = dedup_outcome_memory(c->outcome);

	if (!c->work)
		return 0;
	if (taken > c->options->memory / 2)
		return -E2BIG;
	c->memory = c->options->memory - taken;
	return 0;
}

int dedup_cutting(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_cut_set *cuts, struct dedup_result *result)
{
	struct dedup_cutter c = {
		.options = o, .work = work, .outcome = outcome, .result = result, .cuts = cuts};
	uint64_t start = clock_now_ns();
	int rc = share(&c);

	if (!rc && o->cutting.line)
		rc = dedup_cut_units(&c, DEDUP_LINES, o->cutting.line);
	if (!rc && o->cutting.paragraph)
		rc = dedup_cut_units(&c, DEDUP_PARAGRAPHS, o->cutting.paragraph);
	if (!rc && o->cutting.substring)
		rc = dedup_cut_substrings(&c);
	result->times.cut = (double)(clock_now_ns() - start) * 1e-9 * o->threads;
	return rc;
}
