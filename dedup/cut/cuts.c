#include "dedup/cut/cuts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/array.h"

int dedup_cuts_add(struct dedup_cuts *cuts, struct dedup_cut cut)
{
	struct dedup_cut *grown = array_grow(cuts->v, cuts->count, &cuts->capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	cuts->v = grown;
	grown[cuts->count++] = cut;
	return 0;
}

int dedup_cuts_add_all(struct dedup_cuts *cuts, const struct dedup_cuts *more)
{
	struct dedup_cut *grown;

	if (!more->count)
		return 0;
	grown = array_reserve(cuts->v, cuts->count + more->count, &cuts->capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	cuts->v = grown;
	memcpy(grown + cuts->count, more->v, more->count * sizeof *grown);
	cuts->count += more->count;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct dedup_cut *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static bool is_sorted(const struct dedup_cuts *cuts)
{
	for (size_t i = 1; i < cuts->count; i++)
		if (compare(&cuts->v[i - 1], &cuts->v[i]) > 0)
			return false;
	return true;
}

void dedup_cuts_settle(struct dedup_cuts *cuts)
{
	size_t kept = 0;

	if (!is_sorted(cuts))
		qsort(cuts->v, cuts->count, sizeof *cuts->v, compare);
	for (size_t i = 0; i < cuts->count; i++) {
		struct dedup_cut cut = cuts->v[i], *last = kept ? &cuts->v[kept - 1] : NULL;

		if (cut.from >= cut.to)
			continue;
		if (last && last->id == cut.id && last->to >= cut.from)
			last->to = last->to > cut.to ? last->to : cut.to;
		else
			cuts->v[kept++] = cut;
	}
	cuts->count = kept;
}

void dedup_cuts_release(struct dedup_cuts *cuts)
{
	free(cuts->v);
	*cuts = (struct dedup_cuts){0};
}

const struct dedup_cut *dedup_cuts_of(const struct dedup_cuts *cuts, uint32_t id, size_t *count)
{
	size_t low = 0, high = cuts->count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cuts->v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < cuts->count && cuts->v[end].id == id;)
		end++;
	*count = end - low;
	return *count ? cuts->v + low : NULL;
}

/* Adds a cut of what the line's earlier cuts leave: in pieces, where those lie within it. */
static int add_later(
	struct dedup_cuts *all, const struct dedup_cut *earlier, size_t count, struct dedup_cut cut)
{
	uint32_t gone = 0; /* bytes cut before */
	int rc = 0;

	for (size_t i = 0; !rc && i < count && cut.from < cut.to; i++) {
		uint32_t left = earlier[i].from - gone; /* where it was, in what is left */

		if (cut.from < left) {
			uint32_t to = cut.to < left ? cut.to : left;

			rc = dedup_cuts_add(all, (struct dedup_cut){cut.id, cut.from + gone, to + gone});
			cut.from = to;
		}
		gone += earlier[i].to - earlier[i].from;
	}
	if (!rc && cut.from < cut.to)
		rc = dedup_cuts_add(all, (struct dedup_cut){cut.id, cut.from + gone, cut.to + gone});
	return rc;
}

int dedup_cuts_compose(struct dedup_cuts *cuts, const struct dedup_cuts *later)
{
	struct dedup_cuts all = {0};
	int rc = dedup_cuts_add_all(&all, cuts);

	if (!cuts->count)
		rc = dedup_cuts_add_all(&all, later);
	for (size_t i = 0; !rc && cuts->count && i < later->count; i++) {
		size_t count;
		const struct dedup_cut *earlier = dedup_cuts_of(cuts, later->v[i].id, &count);

		rc = add_later(&all, earlier, count, later->v[i]);
	}
	if (rc) {
		dedup_cuts_release(&all);
		return rc;
	}
	dedup_cuts_settle(&all);
	dedup_cuts_release(cuts);
	*cuts = all;
	return 0;
}

size_t dedup_cuts_apply(const struct dedup_cut *cuts, size_t count, const char *text, size_t len, char *out)
{
	size_t at = 0, n = 0;

	for (size_t i = 0; i <= count; i++) {
		size_t to = i < count && cuts[i].from < len ? cuts[i].from : len;

		if (to > at) {
			memcpy(out + n, text + at, to - at);
			n += to - at;
		}
		at = i < count && cuts[i].to > at ? cuts[i].to : at;
	}
	return n;
}
