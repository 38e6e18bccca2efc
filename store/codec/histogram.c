#include "store/codec/histogram.h"

#include <string.h>

#define RUN 64u	   /* bytes counted in a row */
#define ALL 32768u /* so few are all counted */

void histogram_of(
	uint32_t counts[4][256], const struct number_ops *ops, const uint8_t *bytes, size_t n, size_t step)
{
	uint8_t seen[256];

	memset(counts, 0, 4 * sizeof counts[0]);
	if (n < ALL)
		step = 1;
	/* four tables, because runs of one value would wait for their own counter */
	for (size_t i = 0; i < n; i += step * RUN) {
		size_t end = n - i < RUN ? n : i + RUN;
		for (size_t k = i; k < end; k++)
			counts[k & 3][bytes[k]]++;
	}
	for (size_t i = 0; i < 256; i++) {
		counts[0][i] += counts[1][i] + counts[2][i] + counts[3][i];
		seen[i] = counts[0][i] != 0;
	}
	if (step > 1)
		ops->see(seen, bytes, n);
	for (size_t i = 0; i < 256; i++)
		counts[0][i] += seen[i] & !counts[0][i];
}
