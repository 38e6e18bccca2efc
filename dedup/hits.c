#include "dedup/hits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/walk.h"

struct search {
	const struct dedup_against *against;
	struct dedup_finder *finders; /* one a thread */
	struct dedup_sorter *sorter;
};

static int find(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct search *search = ctx;
	struct dedup_triple hit = {.a = id};
	double overlap;
	float share;
	int rc = dedup_against_find(search->against, &search->finders[thread], text, len, &hit.b, &overlap);

	if (rc <= 0)
		return rc ? rc : -ESTALE;
	share = (float)overlap;
	memcpy(&hit.c, &share, sizeof hit.c);
	return dedup_sorter_add(search->sorter, thread, hit);
}

int dedup_hits_find(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_hits *hits, struct dedup_result *result)
{
	struct search search = {.against = o->against};
	struct dedup_walk walk = {.options = o,
		.outcome = outcome,
		.mark = DEDUP_LINE_AGAINST,
		.stage = "looking up",
		.text = find,
		.ctx = &search};
	int rc = dedup_sorter_new(work, "hits", o->threads, o->memory / 8, &hits->sorter);

	search.sorter = hits->sorter;
	search.finders = calloc(o->threads, sizeof *search.finders);
	if (!search.finders)
		rc = -ENOMEM;
	rc = rc ? rc : dedup_walk(&walk, result);
	rc = rc ? rc : dedup_sorter_finish(hits->sorter);
	for (unsigned i = 0; search.finders && i < o->threads; i++)
		dedup_finder_release(&search.finders[i]);
	free(search.finders);
	return rc;
}

void dedup_hits_release(struct dedup_hits *hits)
{
	dedup_sorter_free(hits->sorter);
	hits->sorter = NULL;
}

int dedup_hit_next(struct dedup_sequence *sequence, uint32_t id, struct dedup_hit *hit)
{
	struct dedup_triple triple = {0};
	int rc;

	do
		rc = dedup_sequence_next(sequence, &triple);
	while (rc > 0 && triple.a < id);
	if (rc <= 0 || triple.a != id)
		return rc < 0 ? rc : -ESTALE;
	hit->item = triple.b;
	memcpy(&hit->overlap, &triple.c, sizeof hit->overlap);
	return 0;
}
