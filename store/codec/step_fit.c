#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "store/codec/codec.h"
#include "store/codec/step.h"
#include "store/util/bytes.h"

#define JUDGED 128u  /* elements that tell how well coefficients suit */
#define FITTED 4096u /* elements that they are solved from */
#define ROUNDS 4u    /* of refinement */
#define SURE_BITS 1u /* known coefficients that leave no more are taken as they are */

/* What is fitted: the elements of a sample, and those that they come from. */
struct sample {
	const uint8_t *now, *const *bases;
	size_t n;
};

static double at(const uint8_t *p, size_t i)
{
	uint32_t x = get_le32(p + 4 * i);
	float f;

	memcpy(&f, &x, 4);
	return (double)f;
}

/* Bits of the differences to what would be expected, of at most 2 * JUDGED elements; *count of them. */
static unsigned cost_of(const struct codec_step *step, const struct sample *s, unsigned *count)
{
	size_t stride = s->n > JUDGED ? s->n / JUDGED : 1;
	const void *bases[CODEC_BASES_MAX];
	unsigned cost = 0;

	*count = 0;
	for (size_t i = 0; i < s->n; i += stride, ++*count) {
		uint8_t expected[4];
		for (unsigned b = 0; b < step_bases(step->form); b++)
			bases[b] = s->bases[b] + 4 * i;
		step_expect(step, bases, expected, 1);
		uint32_t d = get_le32(s->now + 4 * i) - get_le32(expected), size = d >> 31 ? ~d : d;
		cost += size ? 32 - (unsigned)__builtin_clz(size) : 0;
	}
	return cost;
}

/* The best so far. */
struct best {
	const struct sample *sample;
	struct codec_step step;
	unsigned cost, count;
};

static void consider(struct best *best, const struct codec_step *step)
{
	unsigned cost = cost_of(step, best->sample, &best->count);

	if (cost >= best->cost)
		return;
	best->cost = cost;
	best->step = *step;
}

/* --- the second moment: coefficients that are in use --- */

static void fit_moment(struct best *best)
{
	static const double b1s[] = {0.9, 0.95, 0.8, 0.85, 0.5};
	static const double b2s[] = {0.999, 0.95, 0.99, 0.98, 0.9, 0.9999};

	for (size_t i = 0; i < sizeof b1s / sizeof *b1s; i++) {
		for (size_t k = 0; k < sizeof b2s / sizeof *b2s; k++) {
			struct codec_step step = {CODEC_STEP_MOMENT,
				{1 / (float)(1 - b1s[i]), (float)b2s[k], (float)(1 - b2s[k]), 0, 0, 0}};
			consider(best, &step);
		}
	}
}

/* --- weights: least squares --- */

/* Normal equations of `size` unknowns; x becomes the solution. False: they have none. */
static bool solve(double a[3][3], double x[3], unsigned size)
{
	for (unsigned p = 0; p < size; p++) {
		if (!(fabs(a[p][p]) > 0))
			return false;
		for (unsigned r = p + 1; r < size; r++) {
			double f = a[r][p] / a[p][p];
			for (unsigned c = p; c < size; c++)
				a[r][c] -= f * a[p][c];
			x[r] -= f * x[p];
		}
	}
	for (unsigned p = size; p-- > 0;) {
		for (unsigned c = p + 1; c < size; c++)
			x[p] -= a[p][c] * x[c];
		x[p] /= a[p][p];
	}
	return isfinite(x[0]) && isfinite(x[1]) && isfinite(x[2]);
}

/* One equation more: sum of row[i] * unknown[i] is y. */
static void add_row(double a[3][3], double x[3], unsigned size, const double row[3], double y)
{
	for (unsigned r = 0; r < size; r++) {
		for (unsigned c = 0; c < size; c++)
			a[r][c] += row[r] * row[c];
		x[r] += row[r] * y;
	}
}

/* An element of the sample; false: it tells nothing. Weights are rounded to a part of their own size, so an
 * equation counts by one over it. */
static bool take(
	const struct sample *s, size_t i, double *w, double *before, double *m, double *root, double *weight)
{
	double v = at(s->bases[2], i);

	*w = at(s->now, i);
	*before = at(s->bases[0], i);
	*m = at(s->bases[1], i);
	*root = sqrt(v);
	*weight = 1 / fabs(*w);
	return v > 0 && isfinite(v) && isfinite(*m) && isfinite(*before) && isfinite(*w) && fabs(*w) > 1e-30;
}

/* rate and eps as if there were no decay: (before - w) * root = rate * m - eps * (before - w). */
static bool fit_roughly(const struct sample *s, size_t stride, double k[3])
{
	double a[3][3] = {{0}}, x[3] = {0}, w, before, m, root, weight;

	for (size_t i = 0; i < s->n; i += stride) {
		if (!take(s, i, &w, &before, &m, &root, &weight))
			continue;
		double gone = before - w, row[3] = {m * weight, -gone * weight, 0};
		add_row(a, x, 2, row, gone * root * weight);
	}
	if (!solve(a, x, 2))
		return false;
	k[0] = 1;
	k[1] = x[0];
	k[2] = x[1];
	return true;
}

/* A round of Gauss and Newton. */
static bool refine(const struct sample *s, size_t stride, double k[3])
{
	double a[3][3] = {{0}}, x[3] = {0}, w, before, m, root, weight;

	for (size_t i = 0; i < s->n; i += stride) {
		if (!take(s, i, &w, &before, &m, &root, &weight))
			continue;
		double u = m / (root + k[2]);
		double row[3] = {before * weight, -u * weight, k[1] * u / (root + k[2]) * weight};
		add_row(a, x, 3, row, (w - k[0] * before + k[1] * u) * weight);
	}
	if (!solve(a, x, 3))
		return false;
	for (unsigned i = 0; i < 3; i++)
		k[i] += x[i];
	return true;
}

static void fit_weights(struct best *best)
{
	const struct sample *s = best->sample;
	size_t stride = s->n > FITTED ? s->n / FITTED : 1;
	double k[3];

	if (!fit_roughly(s, stride, k))
		return;
	for (unsigned i = 0; i < ROUNDS && refine(s, stride, k); i++) {
	}
	struct codec_step step = {CODEC_STEP_WEIGHTS, {(float)k[0], (float)k[1], (float)k[2], 0, 0, 0}};
	consider(best, &step);
}

unsigned codec_step_fit(struct codec_step *step, enum codec_step_form form, const struct codec_step *known,
	size_t known_count, const void *now, const void *const bases[3], size_t n)
{
	const uint8_t *const bytes[3] = {bases[0], bases[1], bases[2]};
	const struct sample sample = {now, bytes, n};
	struct best best = {.sample = &sample, .cost = ~0u};

	if (!n)
		return 32;
	for (size_t i = 0; i < known_count; i++) {
		struct codec_step plain = known[i];
		if (plain.form != form)
			continue;
		consider(&best, &plain);
		plain.k[0] = 1; /* the parameters without decay */
		if (form == CODEC_STEP_WEIGHTS)
			consider(&best, &plain);
	}
	if (best.cost > SURE_BITS * best.count)
		form == CODEC_STEP_MOMENT ? fit_moment(&best) : fit_weights(&best);
	if (best.cost == ~0u)
		return 32;
	*step = best.step;
	return best.cost / best.count;
}

struct codec_step codec_step_first(const struct codec_step *weights, const struct codec_step *moment)
{
	struct codec_step step = {.form = CODEC_STEP_FIRST};

	memcpy(step.k, weights->k, 3 * sizeof step.k[0]);
	memcpy(step.k + 3, moment->k, 3 * sizeof step.k[0]);
	return step;
}

unsigned codec_step_bits(
	const struct codec_step *step, const void *now, const void *const bases[CODEC_BASES_MAX], size_t n)
{
	const uint8_t *const bytes[CODEC_BASES_MAX] = {bases[0], bases[1], bases[2], bases[3]};
	const struct sample sample = {now, bytes, n};
	unsigned count, cost = cost_of(step, &sample, &count);

	return cost / count;
}
