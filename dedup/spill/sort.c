#include "dedup/spill/sort.h"

#include <string.h>

#define FEW 24u

static inline __attribute__((always_inline)) void insertion(
	uint8_t *v, size_t count, size_t size, size_t byte)
{
	uint8_t one[DEDUP_SORT_SIZE_MAX];

	for (size_t i = 1; i < count; i++) {
		size_t at = i;

		while (at && memcmp(v + (at - 1) * size + byte, v + i * size + byte, size - byte) > 0)
			at--;
		if (at == i)
			continue;
		memcpy(one, v + i * size, size);
		memmove(v + (at + 1) * size, v + at * size, (i - at) * size);
		memcpy(v + at * size, one, size);
	}
}

/* Puts every record into the range of its byte, along cycles. */
static inline __attribute__((always_inline)) void distribute(
	uint8_t *v, size_t size, size_t byte, size_t next[256], const size_t end[256])
{
	uint8_t one[DEDUP_SORT_SIZE_MAX], other[DEDUP_SORT_SIZE_MAX];

	for (unsigned b = 0; b < 256; b++)
		while (next[b] < end[b]) {
			uint8_t *at = v + next[b] * size;

			memcpy(one, at, size);
			while (one[byte] != b) {
				uint8_t *to = v + next[one[byte]]++ * size;

				memcpy(other, to, size);
				memcpy(to, one, size);
				memcpy(one, other, size);
			}
			memcpy(at, one, size);
			next[b]++;
		}
}

static void sort(uint8_t *v, size_t count, size_t size, size_t byte);

static inline __attribute__((always_inline)) void sort_by(uint8_t *v, size_t count, size_t size, size_t byte)
{
	size_t next[256] = {0}, end[256], from = 0;

	if (count <= FEW) {
		insertion(v, count, size, byte);
		return;
	}
	for (size_t i = 0; i < count; i++)
		next[v[i * size + byte]]++;
	for (unsigned b = 0; b < 256; b++) {
		size_t n = next[b];

		next[b] = from;
		end[b] = from += n;
	}
	distribute(v, size, byte, next, end);
	for (unsigned b = 0; byte + 1 < size && b < 256; b++) {
		size_t start = b ? end[b - 1] : 0;

		if (end[b] - start > 1)
			sort(v + start * size, end[b] - start, size, byte + 1);
	}
}

/* The sizes in use are known to the compiler. Goes as deep as a record has bytes. */
static void sort(uint8_t *v, size_t count, size_t size, size_t byte)
{
	switch (size) {
	case 12:
		sort_by(v, count, 12, byte);
		break;
	case 14:
		sort_by(v, count, 14, byte);
		break;
	case 18:
		sort_by(v, count, 18, byte);
		break;
	default:
		sort_by(v, count, size, byte);
	}
}

void dedup_sort(uint8_t *records, size_t count, size_t size)
{
	sort(records, count, size, 0);
}
