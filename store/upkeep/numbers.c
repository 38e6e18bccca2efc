#include "store/upkeep/numbers.h"

#include <stdlib.h>

#define CAPACITY_MIN 256u

static struct number *slot_of(const struct numbers *numbers, uint64_t key)
{
	uint64_t hash = key * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(hash >> 20) & (numbers->capacity - 1);

	while (numbers->entries[at].key && numbers->entries[at].key != key)
		at = (at + 1) & (numbers->capacity - 1);
	return &numbers->entries[at];
}

static int grow(struct numbers *numbers)
{
	struct numbers bigger = {.count = numbers->count,
		.capacity = numbers->capacity ? 2 * numbers->capacity : CAPACITY_MIN};

	bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
	if (!bigger.entries)
		return -1;
	for (size_t i = 0; i < numbers->capacity; i++) {
		if (numbers->entries[i].key)
			*slot_of(&bigger, numbers->entries[i].key) = numbers->entries[i];
	}
	free(numbers->entries);
	*numbers = bigger;
	return 0;
}

uint64_t *numbers_at(struct numbers *numbers, uint64_t key)
{
	struct number *slot;

	if (4 * (numbers->count + 1) > 3 * numbers->capacity && grow(numbers))
		return NULL;
	slot = slot_of(numbers, key);
	if (!slot->key) {
		slot->key = key;
		numbers->count++;
	}
	return &slot->value;
}

uint64_t numbers_get(const struct numbers *numbers, uint64_t key)
{
	return numbers->count ? slot_of(numbers, key)->value : 0;
}

void numbers_release(struct numbers *numbers)
{
	free(numbers->entries);
	*numbers = (struct numbers){0};
}
