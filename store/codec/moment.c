#include "store/codec/moment.h"

#include <string.h>

#include "store/util/bytes.h"

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

struct moment moment_get(const uint8_t src[MOMENT_HEAD])
{
	uint64_t b1 = get_le64(src), b2 = get_le64(src + 8);
	struct moment moment;

	memcpy(&moment.b1, &b1, 8);
	memcpy(&moment.b2, &b2, 8);
	return moment;
}
