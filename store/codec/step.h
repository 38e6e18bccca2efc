/*
 * One step of Adam: an f32 tensor as a function of what it was a step before and of what the same step left
 * of others. The arithmetic is that of PyTorch's AdamW, operation by operation, so that what it rounded is
 * rounded alike:
 *
 *   m = m_before + (1 - b1) * (g - m_before)          first moment, from the gradient g
 *   v = b2 * v_before + (1 - b2) * g * g              second moment
 *   w = decay * w_before - rate * m / (sqrt(v) + eps) weights; bias corrections are in rate and eps
 *
 * With both m the gradient is known, and with it v. With both w, v is as large as m says, and m as large as v
 * says: two equations give both. What step, learning rate and weight decay were need not be known: step_fit.c
 * solves the coefficients from samples.
 *
 * Sources: Kingma and Ba, Adam (arXiv 1412.6980); Loshchilov and Hutter, AdamW (arXiv 1711.05101).
 *
 * Moments and weights are in floats and the way back is in doubles, operation by operation as written and
 * each rounded to nearest: the same bits on every machine of IEEE 754 that does not contract them (these
 * files are compiled so).
 */
#ifndef MITHRIL_STORE_CODEC_STEP_H
#define MITHRIL_STORE_CODEC_STEP_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"

#define STEP_HEAD_MAX 25u /* bytes before the planes: form, coefficients */

/* Bases that the form takes. */
unsigned step_bases(enum codec_step_form form);

/* Writes n expected f32 elements to dst; a NaN is always 7fc00000. Any coefficients, any bytes. There are
 * step_bases of at least n elements each. */
void step_expect(const struct codec_step *step, const void *const bases[], uint8_t *dst, size_t n);

/* Bytes of the head. */
size_t step_put(uint8_t dst[STEP_HEAD_MAX], const struct codec_step *step);
/* Likewise; 0: there is no such form, or the payload ends before. */
size_t step_get(const uint8_t *src, size_t len, struct codec_step *step);

#endif
