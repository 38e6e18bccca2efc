#include "dedup/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/scanner.h"

/* One thread's. */
struct left {
	char *v; /* of a text */
	size_t capacity;
	struct dedup_cut_reader cuts;
};

struct walker {
	const struct dedup_walk *walk;
	struct left *lefts;
};

static bool wants(const struct dedup_scanner *s, uint32_t id)
{
	const struct dedup_walk *walk = ((const struct walker *)s->ctx)->walk;

	return id < dedup_outcome_lines(walk->outcome) &&
	       *dedup_lines_at(&walk->outcome->lines, id) == (walk->mark ? walk->mark : id);
}

static int hand_out(
	struct dedup_scanner *s, struct dedup_worker *w, uint32_t id, const char *text, size_t len)
{
	struct walker *walker = s->ctx;
	const struct dedup_walk *walk = walker->walk;
	struct left *left = &walker->lefts[w->number];
	const struct dedup_cut *cuts = NULL;
	size_t count = 0;
	int rc = walk->cuts ? dedup_cut_set_of(walk->cuts, &left->cuts, id, &cuts, &count) : 0;

	if (rc)
		return rc;
	if (!count)
		return walk->text(walk->ctx, w->number, id, text, len);
	if (left->capacity < len) {
		free(left->v);
		left->v = malloc(len + len / 2);
		left->capacity = left->v ? len + len / 2 : 0;
		if (!left->v)
			return -ENOMEM;
	}
	len = dedup_cuts_apply(cuts, count, text, len, left->v);
	return walk->text(walk->ctx, w->number, id, left->v, len);
}

static const struct dedup_pass pass = {.wants = wants, .text = hand_out};

int dedup_walk(const struct dedup_walk *walk, struct dedup_result *result)
{
	const struct dedup_options *o = walk->options;
	struct walker walker = {.walk = walk, .lefts = calloc(o->threads, sizeof *walker.lefts)};
	struct dedup_outcome lines = {0};
	struct dedup_result seen = {0};
	struct dedup_scanner s = {
		.options = o, .pass = &pass, .ctx = &walker, .outcome = &lines, .stage = walk->stage};
	int rc = walker.lefts ? dedup_outcome_init(&lines, o->inputs->count) : -ENOMEM;

	rc = rc ? rc : dedup_scanner_open(&s, 0, o->inputs->count);
	rc = rc ? rc : dedup_scanner_run(&s, &seen);
	if (!rc && dedup_outcome_lines(&lines) != dedup_outcome_lines(walk->outcome))
		rc = -ESTALE;
	if (rc)
		result->fault = seen.fault;
	dedup_scanner_close(&s);
	dedup_outcome_release(&lines);
	for (unsigned i = 0; walker.lefts && i < o->threads; i++) {
		free(walker.lefts[i].v);
		dedup_cut_reader_release(&walker.lefts[i].cuts);
	}
	free(walker.lefts);
	return rc;
}
