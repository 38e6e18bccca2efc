#include "store/util/array.h"

#include <stdlib.h>

#define CAPACITY_MIN 64u

void *array_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? 2 * *capacity : CAPACITY_MIN;
	void *grown;

	if (count < *capacity)
		return items;
	grown = reallocarray(items, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}
