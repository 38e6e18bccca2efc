#include "store/codec/step.h"

#include <errno.h>
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

void step_expect(const struct codec_step *step, const uint8_t *before, const uint8_t *m, const uint8_t *other,
	uint8_t *dst, size_t n)
{
	if (step->form == CODEC_STEP_MOMENT)
		expect_moment(step->k, before, m, other, dst, n);
	else
		expect_weights(step->k, before, m, other, dst, n);
}

void step_put(uint8_t dst[STEP_HEAD], const struct codec_step *step)
{
	dst[0] = (uint8_t)step->form;
	for (unsigned i = 0; i < 3; i++) {
		uint32_t x;
		memcpy(&x, &step->k[i], 4);
		put_le32(dst + 1 + 4 * i, x);
	}
}

int step_get(const uint8_t src[STEP_HEAD], struct codec_step *step)
{
	if (src[0] != CODEC_STEP_MOMENT && src[0] != CODEC_STEP_WEIGHTS)
		return -EBADMSG;
	step->form = (enum codec_step_form)src[0];
	for (unsigned i = 0; i < 3; i++)
		step->k[i] = f32_at(src + 1, i);
	return 0;
}
