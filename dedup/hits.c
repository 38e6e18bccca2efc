#include "dedup/hits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "dedup/walk.h"
#include "store/util/array.h"

struct search {
	const struct dedup_against *against;
	struct dedup_finder *finders; /* one a thread */
	struct dedup_hits *hits;
	pthread_mutex_t lock; /* of hits */
};

static int compare(const void *a, const void *b)
{
	const struct dedup_hit *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int find(void *ctx, unsigned thread, uint32_t id, const char *text, size_t len)
{
	struct search *search = ctx;
	struct dedup_hits *hits = search->hits;
	struct dedup_hit *grown, hit = {.id = id};
	double overlap;
	int rc =
		dedup_against_find(search->against, &search->finders[thread], text, len, &hit.item, &overlap);

	if (rc <= 0)
		return rc ? rc : -ESTALE;
	hit.overlap = (float)overlap;
	pthread_mutex_lock(&search->lock);
	grown = array_grow(hits->v, hits->count, &hits->capacity, sizeof *grown);
	if (grown) {
		hits->v = grown;
		grown[hits->count++] = hit;
	}
	pthread_mutex_unlock(&search->lock);
	return grown ? 0 : -ENOMEM;
}

int dedup_hits_find(const struct dedup_options *o, const struct dedup_outcome *outcome,
	struct dedup_hits *hits, struct dedup_result *result)
{
	struct search search = {.against = o->against, .hits = hits};
	struct dedup_walk walk = {.options = o,
		.outcome = outcome,
		.mark = DEDUP_LINE_AGAINST,
		.stage = "looking up",
		.text = find,
		.ctx = &search};
	int rc;

	search.finders = calloc(o->threads, sizeof *search.finders);
	if (!search.finders)
		return -ENOMEM;
	pthread_mutex_init(&search.lock, NULL);
	rc = dedup_walk(&walk, result);
	pthread_mutex_destroy(&search.lock);
	for (unsigned i = 0; i < o->threads; i++)
		dedup_finder_release(&search.finders[i]);
	free(search.finders);
	if (hits->count)
		qsort(hits->v, hits->count, sizeof *hits->v, compare);
	return rc;
}

void dedup_hits_release(struct dedup_hits *hits)
{
	free(hits->v);
	*hits = (struct dedup_hits){0};
}

const struct dedup_hit *dedup_hits_of(const struct dedup_hits *hits, uint32_t id)
{
	struct dedup_hit key = {.id = id};

	return hits->count ? bsearch(&key, hits->v, hits->count, sizeof key, compare) : NULL;
}
