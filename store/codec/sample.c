#include "store/codec/sample.h"

#include <string.h>

#include "store/codec/payload.h"

#define ONE 65536u /* one bit */
/* Percent. Where one byte is this frequent, gaps are cheaper than a Huffman code, which takes a bit a byte.
 */
#define SPARSE_SHARE 80u

void sample_init(struct sample *sample)
{
	for (unsigned i = 0; i <= 256; i++) {
		/* sixteen binary digits of the logarithm by repeated squaring, x in 1.30 */
		uint64_t x = ((uint64_t)(256 + i) << 30) / 256;
		uint32_t log = 0;
		if (i == 256) {
			log = ONE;
			x = 0;
		}
		for (unsigned digit = ONE / 2; digit && x; digit /= 2) {
			x = x * x >> 30;
			if (x >> 31) {
				log |= digit;
				x >>= 1;
			}
		}
		sample->log2[i] = log;
	}
}

uint32_t sample_log2(const struct sample *sample, uint32_t x)
{
	unsigned top = 31u - (unsigned)__builtin_clz(x);
	uint32_t fraction = (uint32_t)((uint64_t)x << (31 - top) & 0x7fffffff);
	uint32_t index = fraction >> 23, between = fraction >> 7 & 0xffff;
	uint32_t a = sample->log2[index], b = sample->log2[index + 1];

	return top * ONE + a + (uint32_t)((uint64_t)(b - a) * between >> 16);
}

static void gather(uint8_t *dst, const uint8_t *src, size_t len, size_t piece)
{
	size_t step = (len - piece) / (SAMPLE_PIECES - 1) & ~(size_t)(TRANSFORM_WIDTH_MAX - 1);

	for (size_t i = 0; i < SAMPLE_PIECES; i++)
		memcpy(dst + i * piece, src + i * step, piece);
}

void sample_take(struct sample *sample, const void *src, const void *base, size_t n, unsigned log_width)
{
	size_t len = n << log_width;

	if (len <= SAMPLE_BYTES) {
		sample->count = n;
		memcpy(sample->src, src, len);
		if (base)
			memcpy(sample->base, base, len);
		return;
	}
	sample->count = SAMPLE_BYTES >> log_width;
	gather(sample->src, src, len, SAMPLE_BYTES / SAMPLE_PIECES);
	if (base)
		gather(sample->base, base, len, SAMPLE_BYTES / SAMPLE_PIECES);
}

static void count_bytes(struct sample *sample, const uint8_t *bytes, size_t n)
{
	uint32_t(*h)[256] = sample->histogram;
	size_t i = 0;

	memset(sample->histogram, 0, sizeof sample->histogram);
	/* four tables, because runs of one value would wait for their own counter */
	for (; i + 4 <= n; i += 4) {
		h[0][bytes[i]]++;
		h[1][bytes[i + 1]]++;
		h[2][bytes[i + 2]]++;
		h[3][bytes[i + 3]]++;
	}
	for (; i < n; i++)
		h[0][bytes[i]]++;
	for (i = 0; i < 256; i++)
		h[0][i] += h[1][i] + h[2][i] + h[3][i];
}

void sample_plane(struct sample *sample, const uint8_t *bytes, size_t n, struct plane_cost *cost)
{
	const uint32_t *h = sample->histogram[0];
	uint64_t sum = 0, bits;
	uint32_t most = 0, symbols = 0;
	size_t used = n < 1u << 20 ? n : 1u << 20;

	*cost = (struct plane_cost){.method = BLOCK_STORED, .bits = 8 * ONE, .header = 1};
	if (!used)
		return;
	count_bytes(sample, bytes, used);
	for (unsigned i = 0; i < 256; i++) {
		if (!h[i])
			continue;
		symbols++;
		sum += (uint64_t)h[i] * sample_log2(sample, h[i]);
		if (h[i] > most) {
			most = h[i];
			cost->fill = (uint8_t)i;
		}
	}
	if (symbols == 1) {
		cost->method = BLOCK_CONSTANT;
		cost->bits = 0;
		cost->header = 2;
		return;
	}
	/* The entropy of a sample is low by (symbols - 1) / 2n nats, about (Miller and Madow). */
	bits = sample_log2(sample, (uint32_t)used) - sum / used + (uint64_t)(symbols - 1) * 47274 / used;
	if (most > used * SPARSE_SHARE / 100) {
		cost->method = BLOCK_SPARSE;
		cost->bits = (uint32_t)(bits + bits / 32);
		cost->header = 24;
		return;
	}
	bits += bits / 128;
	if (bits < ONE)
		bits = ONE;
	if (bits >= 8 * ONE - ONE / 8)
		return;
	cost->method = BLOCK_ZSTD;
	cost->bits = (uint32_t)bits;
	cost->header = 24 + symbols / 3;
}

size_t plane_bytes(const struct plane_cost *cost, size_t n)
{
	return cost->header + (size_t)((uint64_t)n * cost->bits >> 19);
}

size_t sample_cost(struct sample *sample, const struct transform_ops *ops, unsigned log_width,
	enum transform transform, size_t n, struct plane_cost *costs)
{
	uint8_t *planes[TRANSFORM_WIDTH_MAX];
	size_t total = 0;

	for (unsigned p = 0; p < 1u << log_width; p++)
		planes[p] = sample->planes + p * sample->count;
	transform_split(ops, log_width, transform, planes, sample->src, sample->base, sample->count);
	for (unsigned p = 0; p < 1u << log_width; p++) {
		sample_plane(sample, planes[p], sample->count, &costs[p]);
		total += plane_bytes(&costs[p], n);
	}
	return total;
}
