/*
 * Arrays that grow.
 */
#ifndef MITHRIL_STORE_UTIL_ARRAY_H
#define MITHRIL_STORE_UTIL_ARRAY_H

#include <stddef.h>

/* Room for one more in a malloc'd array (NULL at first) of `count` items of `size` bytes each, with room for
 * *capacity: the array, which may have moved, with *capacity set. NULL: no memory; all is as it was. */
void *array_grow(void *items, size_t count, size_t *capacity, size_t size);
/* The same for `wanted` items in all. */
void *array_reserve(void *items, size_t wanted, size_t *capacity, size_t size);

#endif
