/*
 * A map from 64-bit numbers (not 0) to 64-bit numbers. Open addressing, at most three quarters full: 22 to 43
 * bytes a key. One thread.
 */
#ifndef MITHRIL_STORE_UPKEEP_NUMBERS_H
#define MITHRIL_STORE_UPKEEP_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

struct numbers {
	struct number {
		uint64_t key, value;
	} * entries; /* NULL while empty; key 0: free */
	size_t count, capacity;
};

/* The value of `key`, made with 0 if it is not there. Good until the next call. NULL: no memory. */
uint64_t *numbers_at(struct numbers *numbers, uint64_t key);
/* The value of `key`, or 0. */
uint64_t numbers_get(const struct numbers *numbers, uint64_t key);
/* Frees what it holds; fine on a zeroed one. */
void numbers_release(struct numbers *numbers);

#endif
