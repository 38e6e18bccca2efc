#include <errno.h>
#include <stdlib.h>

#include "dedup/cut/repeats.h"
#include "dedup/cutter.h"

struct units {
	struct dedup_repeats *repeats;
	struct dedup_repeats_seen *seen; /* one a thread */
	struct dedup_sorter *found;
	struct dedup_cut_sink sink;
};

static int note(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	(void)thread;
	return dedup_repeats_note(((struct units *)ctx)->repeats, id, text, len);
}

static int cut(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct units *u = ctx;

	return dedup_repeats_cut(u->repeats, &u->seen[thread], id, text, len, &u->sink, thread);
}

/* Part by part, as the memory says. */
static int find(struct dedup_cutter *c, struct units *u, const char *stage)
{
	int rc = 0;

	while (!rc && dedup_repeats_more(u->repeats)) {
		rc = dedup_cutter_walk(c, stage, u, note);
		dedup_cutter_memory(c, dedup_repeats_memory(u->repeats) + dedup_cut_set_memory(c->cuts));
		if (rc || dedup_repeats_overflow(u->repeats))
			continue;
		rc = dedup_cutter_walk(c, stage, u, cut);
	}
	return rc;
}

int dedup_cut_units(struct dedup_cutter *c, enum dedup_unit_kind kind, size_t least)
{
	unsigned threads = c->options->threads;
	struct units u = {.seen = calloc(threads, sizeof *u.seen)};
	int rc = dedup_repeats_new(kind, least, c->memory / 2, &u.repeats);

	if (!u.seen)
		rc = -ENOMEM;
	rc = rc ? rc : dedup_cutter_sorter(c, &u.found, &u.sink);
	rc = rc ? rc : find(c, &u, kind == DEDUP_LINES ? "lines" : "paragraphs");
	for (unsigned i = 0; u.seen && i < threads; i++)
		dedup_repeats_seen_release(&u.seen[i]);
	free(u.seen);
	dedup_repeats_free(u.repeats);
	rc = rc ? rc : dedup_cutter_take(c, c->cuts, &u.found, dedup_repeats_settle);
	dedup_sorter_free(u.found);
	return rc;
}
