#include "store/upkeep/places.h"

#include <errno.h>
#include <stdlib.h>

static int compare(uint64_t pack_a, uint32_t off_a, uint64_t pack_b, uint32_t off_b)
{
	if (pack_a != pack_b)
		return pack_a < pack_b ? -1 : 1;
	return (off_a > off_b) - (off_a < off_b);
}

static int by_place(const void *a, const void *b)
{
	const struct frame_place *x = &((const struct place *)a)->place,
				 *y = &((const struct place *)b)->place;

	return compare(x->pack, x->offset, y->pack, y->offset);
}

static int add(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct places *places = ctx;

	if (places->count == places->capacity) {
		size_t capacity = places->capacity ? places->capacity + places->capacity / 2 : 1024;
		struct place *list = realloc(places->list, capacity * sizeof *list);

		if (!list)
			return -ENOMEM;
		places->list = list;
		places->capacity = capacity;
	}
	places->list[places->count++] = (struct place){*id, record->place};
	return 0;
}

int places_load(struct chunks *chunks, struct places *places)
{
	int rc = chunks_each(chunks, add, places);

	if ((!rc || rc == -EBADMSG) && places->count)
		qsort(places->list, places->count, sizeof *places->list, by_place);
	return rc;
}

size_t places_from(const struct places *places, uint64_t pack, uint32_t offset)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct frame_place *at = &places->list[mid].place;

		if (compare(at->pack, at->offset, pack, offset) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void places_release(struct places *places)
{
	free(places->list);
	*places = (struct places){0};
}
