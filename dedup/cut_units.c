#include <errno.h>
#include <stdlib.h>

#include "dedup/cut/repeats.h"
#include "dedup/cutter.h"

struct units {
	struct dedup_repeats *repeats;
	struct dedup_repeats_seen *seen; /* one a thread */
	struct dedup_cuts *found;	 /* one a thread */
};

static int note(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	(void)thread;
	return dedup_repeats_note(((struct units *)ctx)->repeats, id, text, len);
}

static int cut(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct units *u = ctx;

	return dedup_repeats_cut(u->repeats, &u->seen[thread], id, text, len, &u->found[thread]);
}

/* Part by part, as the memory says. */
static int find(struct dedup_cutter *c, struct units *u, const char *stage, struct dedup_cuts *all)
{
	int rc = 0;

	while (!rc && dedup_repeats_more(u->repeats)) {
		rc = dedup_cutter_walk(c, stage, u, note);
		dedup_cutter_memory(c, dedup_repeats_memory(u->repeats));
		if (rc || dedup_repeats_overflow(u->repeats))
			continue;
		rc = dedup_cutter_walk(c, stage, u, cut);
		rc = rc ? rc : dedup_cutter_gather(c, u->found, all);
	}
	return rc;
}

int dedup_cut_units(struct dedup_cutter *c, enum dedup_unit_kind kind, size_t least)
{
	unsigned threads = c->options->threads;
	struct units u = {.seen = calloc(threads, sizeof *u.seen), .found = calloc(threads, sizeof *u.found)};
	struct dedup_cuts all = {0};
	int rc = dedup_repeats_new(kind, least, c->options->memory / 2, &u.repeats);

	if (!u.seen || !u.found)
		rc = -ENOMEM;
	rc = rc ? rc : find(c, &u, kind == DEDUP_LINES ? "lines" : "paragraphs", &all);
	dedup_repeats_settle(&all);
	rc = rc ? rc : dedup_cuts_compose(c->cuts, &all);
	dedup_cuts_release(&all);
	for (unsigned i = 0; i < threads; i++) {
		if (u.seen)
			dedup_repeats_seen_release(&u.seen[i]);
		if (u.found)
			dedup_cuts_release(&u.found[i]);
	}
	free(u.seen);
	free(u.found);
	dedup_repeats_free(u.repeats);
	return rc;
}
