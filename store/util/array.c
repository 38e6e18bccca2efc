#include "store/util/array.h"

#include <stdint.h>
#include <stdlib.h>

#define CAPACITY_MIN 64u

void *array_reserve(void *items, size_t wanted, size_t *capacity, size_t size)
{
	size_t room = *capacity ? *capacity : CAPACITY_MIN;
	void *grown;

	if (wanted <= *capacity)
		return items;
	while (room < wanted) {
		if (room > SIZE_MAX / 2)
			return NULL;
		room *= 2;
	}
	grown = reallocarray(items, room, size);
	if (grown)
		*capacity = room;
	return grown;
}

void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	return array_reserve(items, count + 1, capacity, size);
}
