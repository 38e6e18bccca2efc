#include "store/codec/repeats.h"

#include <string.h>

#define WORD 8u
#define PLACES 4u

static int seen_from(const struct transform_ops *ops, const uint8_t *at, size_t span, unsigned log_width)
{
	size_t width = (size_t)1 << log_width;
	uint64_t x;

	memcpy(&x, at, WORD);
	if (!memcmp(at, at + width, WORD))
		return 0;
	for (size_t shift = width; shift <= WORD; shift += width) {
		if (ops->count_words(at + shift, (span - shift) / WORD, x))
			return 1;
	}
	return 0;
}

int repeats_seen(const struct transform_ops *ops, const void *src, size_t len, unsigned log_width)
{
	size_t span = len / 2 < REPEATS_SPAN ? len / 2 : REPEATS_SPAN, unseen = 0;
	size_t step = (len - span) / (PLACES - 1) & ~(size_t)(TRANSFORM_WIDTH_MAX - 1);

	if (span < 4 * WORD)
		return 0;
	for (size_t i = 0; i < PLACES && unseen < PLACES / 2; i++)
		unseen += !seen_from(ops, (const uint8_t *)src + i * step, span, log_width);
	return unseen < PLACES / 2;
}
