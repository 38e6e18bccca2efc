/*
 * Adam's second moment as a function of what it was a step before and of the first moment then and now:
 *
 *   m = b1 * m_before + (1 - b1) * g
 *   v = b2 * v_before + (1 - b2) * g * g
 *
 * so with both m the gradient g is known, and with it v but for the rounding of the optimizer's own
 * arithmetic. Of frames that are there; what is written now is foretold as step.h says, which rounds alike.
 *
 * Source: Kingma and Ba, Adam (arXiv 1412.6980).
 *
 * Arithmetic is of doubles, operation by operation as written and each rounded to nearest: the same bits on
 * every machine of IEEE 754 that does not contract them (this file is compiled so).
 */
#ifndef MITHRIL_STORE_CODEC_MOMENT_H
#define MITHRIL_STORE_CODEC_MOMENT_H

#include <stddef.h>
#include <stdint.h>

#define MOMENT_HEAD 16u /* bytes before the planes: b1 and b2 */

struct moment {
	double b1, b2;
};

/* Writes n expected f32 elements of v to dst; a NaN is always 7fc00000. Any coefficients, any bytes. */
void moment_expect(const struct moment *moment, const uint8_t *v_before, const uint8_t *m,
	const uint8_t *m_before, uint8_t *dst, size_t n);

struct moment moment_get(const uint8_t src[MOMENT_HEAD]);

#endif
