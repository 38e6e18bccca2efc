#include "dedup/against/index.h"

#include <errno.h>
#include <stdlib.h>

#include "store/util/array.h"

struct dedup_postings_slot {
	uint64_t hash; /* 0: free */
	uint64_t at;
};

int dedup_postings_add(struct dedup_postings *p, uint64_t hash, uint32_t item)
{
	struct dedup_posting *grown = array_grow(p->v, p->count, &p->capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	p->v = grown;
	grown[p->count++] = (struct dedup_posting){hash, item};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct dedup_posting *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->item > y->item) - (x->item < y->item);
}

static struct dedup_postings_slot *slot_of(const struct dedup_postings *p, uint64_t hash)
{
	size_t at = hash & p->mask;

	while (p->slots[at].hash && p->slots[at].hash != hash)
		at = (at + 1) & p->mask;
	return &p->slots[at];
}

int dedup_postings_build(struct dedup_postings *p)
{
	size_t slots = 64;
	/* One that is none ends the last list. */
	int rc = dedup_postings_add(p, 0, 0);

	if (rc)
		return rc;
	p->count--;
	if (p->count)
		qsort(p->v, p->count, sizeof *p->v, compare);
	while (slots < 2 * p->count)
		slots *= 2;
	p->slots = calloc(slots, sizeof *p->slots);
	if (!p->slots)
		return -ENOMEM;
	p->mask = slots - 1;
	for (size_t i = 0; i < p->count; i++)
		if (!i || p->v[i - 1].hash != p->v[i].hash)
			*slot_of(p, p->v[i].hash) = (struct dedup_postings_slot){p->v[i].hash, i};
	return 0;
}

void dedup_postings_release(struct dedup_postings *p)
{
	free(p->v);
	free(p->slots);
	*p = (struct dedup_postings){0};
}

size_t dedup_postings_memory(const struct dedup_postings *p)
{
	return p->capacity * sizeof *p->v + (p->mask + 1) * sizeof *p->slots;
}

const struct dedup_posting *dedup_postings_of(const struct dedup_postings *p, uint64_t hash)
{
	const struct dedup_postings_slot *slot = slot_of(p, hash);

	return slot->hash ? &p->v[slot->at] : NULL;
}
