#include "store/codec/step.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "store/util/bytes.h"

#define F32_NAN 0x7fc00000u

_Static_assert(FLT_EVAL_METHOD == 0, "floats must be rounded to floats");

static float f32_at(const uint8_t *p, size_t i)
{
	uint32_t x = get_le32(p + 4 * i);
	float f;

	memcpy(&f, &x, 4);
	return f;
}

static void put_f32(uint8_t *p, size_t i, float f)
{
	uint32_t x;

	memcpy(&x, &f, 4);
	put_le32(p + 4 * i, f == f ? x : F32_NAN);
}

static void expect_moment(const float k[3], const uint8_t *before, const uint8_t *m, const uint8_t *m_before,
	uint8_t *restrict dst, size_t n)
{
	float scale = k[0], keep = k[1], rest = k[2];

	for (size_t i = 0; i < n; i++) {
		float l = f32_at(m_before, i), g = l + (f32_at(m, i) - l) * scale;
		put_f32(dst, i, keep * f32_at(before, i) + rest * g * g);
	}
}

static void expect_weights(const float k[3], const uint8_t *before, const uint8_t *m, const uint8_t *v,
	uint8_t *restrict dst, size_t n)
{
	float decay = k[0], rate = k[1], eps = k[2];

	for (size_t i = 0; i < n; i++) {
		float size = sqrtf(f32_at(v, i)) + eps;
		put_f32(dst, i, decay * f32_at(before, i) - rate * (f32_at(m, i) / size));
	}
}

/* m = r * (sqrt(v) + eps), with r from the weights, and v = keep * v_before + rest * g * g, with the gradient
 * g = a + scale * (m - r * eps): a square equation for m - r * eps, whose sign is that of r. */
static void expect_first(const float k[6], const uint8_t *before, const uint8_t *v_before, const uint8_t *w,
	const uint8_t *w_before, uint8_t *restrict dst, size_t n)
{
	double scale = (double)k[3], keep = (double)k[4], rest = (double)k[5];
	double rate = (double)k[1], eps = (double)k[2], steep = rest * scale, steeper = steep * scale;

	for (size_t i = 0; i < n; i++) {
		float kept = k[0] * f32_at(w_before, i);
		double l = (double)f32_at(before, i), v = keep * (double)f32_at(v_before, i);
		double r = ((double)kept - (double)f32_at(w, i)) / rate, rr = r * r;
		double a = (l - l * scale) + scale * (r * eps);
		double p = 1 - rr * steeper, q = rr * steep * a, s = rr * (v + rest * a * a);
		double root = sqrt(q * q + p * s), m = (q + copysign(root, r)) / p + r * eps;
		put_f32(dst, i, (float)m);
	}
}

unsigned step_bases(enum codec_step_form form)
{
	return form == CODEC_STEP_FIRST ? 4 : 3;
}

void step_expect(const struct codec_step *step, const void *const bases[], uint8_t *dst, size_t n)
{
	switch (step->form) {
	case CODEC_STEP_MOMENT:
		expect_moment(step->k, bases[0], bases[1], bases[2], dst, n);
		break;
	case CODEC_STEP_WEIGHTS:
		expect_weights(step->k, bases[0], bases[1], bases[2], dst, n);
		break;
	case CODEC_STEP_FIRST:
		expect_first(step->k, bases[0], bases[1], bases[2], bases[3], dst, n);
		break;
	}
}

static unsigned coefficients(enum codec_step_form form)
{
	return form == CODEC_STEP_FIRST ? 6 : 3;
}

size_t step_put(uint8_t dst[STEP_HEAD_MAX], const struct codec_step *step)
{
	unsigned count = coefficients(step->form);

	dst[0] = (uint8_t)step->form;
	for (unsigned i = 0; i < count; i++) {
		uint32_t x;
		memcpy(&x, &step->k[i], 4);
		put_le32(dst + 1 + 4 * i, x);
	}
	return 1 + 4 * count;
}

size_t step_get(const uint8_t *src, size_t len, struct codec_step *step)
{
	unsigned count;

	if (!len || src[0] > CODEC_STEP_FIRST)
		return 0;
	step->form = (enum codec_step_form)src[0];
	count = coefficients(step->form);
	if (len < 1 + 4 * count)
		return 0;
	for (unsigned i = 0; i < count; i++)
		step->k[i] = f32_at(src + 1, i);
	return 1 + 4 * count;
}
