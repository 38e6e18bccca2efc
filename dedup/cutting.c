#include "dedup/cutting.h"

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

int dedup_cutter_gather(struct dedup_cutter *c, struct dedup_cuts *found, struct dedup_cuts *all)
{
	int rc = 0;

	for (unsigned i = 0; i < c->options->threads; i++) {
		dedup_cuts_settle(&found[i]);
		rc = rc ? rc : dedup_cuts_join(all, &found[i]);
		dedup_cuts_release(&found[i]);
	}
	return rc;
}

int dedup_cutting(const struct dedup_options *o, const struct dedup_outcome *outcome, struct dedup_cuts *cuts,
	struct dedup_result *result)
{
	struct dedup_cutter c = {.options = o, .outcome = outcome, .result = result, .cuts = cuts};
	uint64_t start = clock_now_ns();
	int rc = 0;

	if (o->cutting.line)
		rc = dedup_cut_units(&c, DEDUP_LINES, o->cutting.line);
	if (!rc && o->cutting.paragraph)
		rc = dedup_cut_units(&c, DEDUP_PARAGRAPHS, o->cutting.paragraph);
	if (!rc && o->cutting.substring)
		rc = dedup_cut_substrings(&c);
	result->times.cut = (double)(clock_now_ns() - start) * 1e-9 * o->threads;
	return rc;
}
