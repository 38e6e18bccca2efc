#include "store/codec/moment.h"

#include <string.h>

#include "store/codec/codec.h"
#include "store/util/bytes.h"

#define SAMPLE 128u
#define F32_NAN 0x7fc00000u

static double f32_at(const uint8_t *p, size_t i)
{
	uint32_t x = get_le32(p + 4 * i);
	float f;

	memcpy(&f, &x, 4);
	return (double)f;
}

/* g = (m - b1 * m_before) * (1 / (1 - b1)); v = b2 * v_before + ((1 - b2) * g) * g. */
static uint32_t expect_one(
	const struct moment *moment, double scale, double rest, double v_before, double m, double m_before)
{
	double g = (m - moment->b1 * m_before) * scale;
	float v = (float)(moment->b2 * v_before + rest * g * g);
	uint32_t x;

	memcpy(&x, &v, 4);
	return v == v ? x : F32_NAN;
}

void moment_expect(const struct moment *moment, const uint8_t *v_before, const uint8_t *m,
	const uint8_t *m_before, uint8_t *dst, size_t n)
{
	double scale = 1 / (1 - moment->b1), rest = 1 - moment->b2;

	for (size_t i = 0; i < n; i++)
		put_le32(dst + 4 * i, expect_one(moment, scale, rest, f32_at(v_before, i), f32_at(m, i),
					      f32_at(m_before, i)));
}

/* Bits of the differences to what would be expected. */
static unsigned cost_of(const struct moment *moment, const uint8_t *v, const uint8_t *v_before,
	const uint8_t *m, const uint8_t *m_before, size_t n)
{
	double scale = 1 / (1 - moment->b1), rest = 1 - moment->b2;
	size_t step = n > SAMPLE ? n / SAMPLE : 1;
	unsigned cost = 0;

	for (size_t i = 0; i < n; i += step) {
		uint32_t x = expect_one(
			moment, scale, rest, f32_at(v_before, i), f32_at(m, i), f32_at(m_before, i));
		uint32_t d = get_le32(v + 4 * i) - x, size = d >> 31 ? ~d : d;
		cost += size ? 32 - (unsigned)__builtin_clz(size) : 0;
	}
	return cost;
}

struct moment moment_fit(
	const uint8_t *v, const uint8_t *v_before, const uint8_t *m, const uint8_t *m_before, size_t n)
{
	static const double b1s[] = {0.9, 0.95, 0.8, 0.85, 0.5};
	static const double b2s[] = {0.999, 0.95, 0.99, 0.98, 0.9, 0.9999};
	struct moment best = {0.9, 0.999};
	unsigned least = ~0u;

	for (size_t i = 0; i < sizeof b1s / sizeof *b1s; i++) {
		for (size_t k = 0; k < sizeof b2s / sizeof *b2s; k++) {
			struct moment moment = {b1s[i], b2s[k]};
			unsigned cost = cost_of(&moment, v, v_before, m, m_before, n);
			if (cost < least) {
				least = cost;
				best = moment;
			}
		}
	}
	return best;
}

void moment_put(uint8_t dst[MOMENT_HEAD], const struct moment *moment)
{
	uint64_t x;

	memcpy(&x, &moment->b1, 8);
	put_le64(dst, x);
	memcpy(&x, &moment->b2, 8);
	put_le64(dst + 8, x);
}

struct moment moment_get(const uint8_t src[MOMENT_HEAD])
{
	uint64_t b1 = get_le64(src), b2 = get_le64(src + 8);
	struct moment moment;

	memcpy(&moment.b1, &b1, 8);
	memcpy(&moment.b2, &b2, 8);
	return moment;
}

unsigned codec_moment_bits(const void *v, const void *v_before, const void *m, const void *m_before, size_t n)
{
	struct moment moment;
	size_t step = n > SAMPLE ? n / SAMPLE : 1, count = (n + step - 1) / step;

	if (!n)
		return 32;
	moment = moment_fit(v, v_before, m, m_before, n);
	return (unsigned)(cost_of(&moment, v, v_before, m, m_before, n) / count);
}
