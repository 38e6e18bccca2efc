#include "dedup/cutting.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/cut/repeats.h"
#include "dedup/cut/substrings.h"
#include "dedup/walk.h"
#include "store/util/clock.h"

struct cutter {
	struct dedup_walk walk;
	struct dedup_result *result;
	struct dedup_cuts *cuts;
	struct dedup_repeats *repeats;
	struct dedup_repeats_seen *seen; /* one a thread */
	struct dedup_cuts *found;	 /* one a thread */
	struct dedup_substrings *substrings;
};

static int walk(struct cutter *c, const char *stage,
	int (*text)(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len))
{
	c->walk.stage = stage;
	c->walk.text = text;
	return dedup_walk(&c->walk, c->result);
}

static int note_units(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct cutter *c = ctx;

	(void)thread;
	return dedup_repeats_note(c->repeats, id, text, len);
}

static int cut_units(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct cutter *c = ctx;

	return dedup_repeats_cut(c->repeats, &c->seen[thread], id, text, len, &c->found[thread]);
}

/* All threads' finds, which count bytes of what is left, into the cuts so far. */
static int gather(struct cutter *c)
{
	struct dedup_cuts all = {0};
	int rc = 0;

	for (unsigned i = 0; i < c->walk.options->threads; i++) {
		rc = rc ? rc : dedup_cuts_add_all(&all, &c->found[i]);
		dedup_cuts_release(&c->found[i]);
	}
	dedup_cuts_settle(&all);
	rc = rc ? rc : dedup_cuts_compose(c->cuts, &all);
	dedup_cuts_release(&all);
	return rc;
}

static void note_memory(struct cutter *c, uint64_t bytes)
{
	bytes += dedup_outcome_memory(c->walk.outcome);
	c->result->memory = bytes > c->result->memory ? bytes : c->result->memory;
}

static int units(struct cutter *c, enum dedup_unit_kind kind, size_t least)
{
	unsigned threads = c->walk.options->threads;
	const char *stage = kind == DEDUP_LINES ? "lines" : "paragraphs";
	int rc = dedup_repeats_new(kind, least, &c->repeats);

	c->seen = calloc(threads, sizeof *c->seen);
	c->found = calloc(threads, sizeof *c->found);
	if (!c->seen || !c->found)
		rc = -ENOMEM;
	rc = rc ? rc : walk(c, stage, note_units);
	rc = rc ? rc : walk(c, stage, cut_units);
	rc = rc ? rc : gather(c);
	if (c->repeats)
		note_memory(c, dedup_repeats_memory(c->repeats));
	for (unsigned i = 0; i < threads; i++) {
		if (c->seen)
			dedup_repeats_seen_release(&c->seen[i]);
		if (c->found)
			dedup_cuts_release(&c->found[i]);
	}
	free(c->seen);
	free(c->found);
	dedup_repeats_free(c->repeats);
	c->repeats = NULL;
	return rc;
}

static int note_text(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	(void)id;
	dedup_substrings_note(((struct cutter *)ctx)->substrings, thread, text, len);
	return 0;
}

static int count_text(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	(void)id;
	dedup_substrings_count(((struct cutter *)ctx)->substrings, thread, text, len);
	return 0;
}

static int collect_text(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	return dedup_substrings_collect(((struct cutter *)ctx)->substrings, thread, id, text, len);
}

static int substrings(struct cutter *c, size_t length)
{
	const struct dedup_options *o = c->walk.options;
	struct dedup_cuts found = {0};
	int rc = dedup_substrings_new(length, o->threads, c->result->text_bytes, o->memory, &c->substrings);

	rc = rc ? rc : walk(c, "substrings", note_text);
	if (!rc && dedup_substrings_is_limited(c->substrings))
		rc = walk(c, "substrings", count_text);
	while (!rc && dedup_substrings_more(c->substrings)) {
		rc = walk(c, "substrings", collect_text);
		rc = rc ? rc : dedup_substrings_settle(c->substrings, &found);
	}
	rc = rc ? rc : dedup_cuts_compose(c->cuts, &found);
	if (c->substrings)
		note_memory(c, dedup_substrings_memory(c->substrings) + found.capacity * sizeof *found.v);
	dedup_cuts_release(&found);
	dedup_substrings_free(c->substrings);
	return rc;
}

int dedup_cutting(const struct dedup_options *o, const struct dedup_outcome *outcome, struct dedup_cuts *cuts,
	struct dedup_result *result)
{
	struct cutter c = {
		.walk = {.options = o, .outcome = outcome, .cuts = cuts}, .result = result, .cuts = cuts};
	uint64_t start = clock_now_ns();
	int rc = 0;

	c.walk.ctx = &c;
	if (o->cutting.line)
		rc = units(&c, DEDUP_LINES, o->cutting.line);
	if (!rc && o->cutting.paragraph)
		rc = units(&c, DEDUP_PARAGRAPHS, o->cutting.paragraph);
	if (!rc && o->cutting.substring)
		rc = substrings(&c, o->cutting.substring);
	result->times.cut = (double)(clock_now_ns() - start) * 1e-9 * o->threads;
	return rc;
}
