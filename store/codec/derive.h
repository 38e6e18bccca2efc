/*
 * Elements of one width as a function of elements of another: what DERIVED and WIDENED expect before they
 * have seen the difference (payload.h).
 *
 * All arithmetic is of integers, so that every machine expects the same bits.
 */
#ifndef MITHRIL_STORE_CODEC_DERIVE_H
#define MITHRIL_STORE_CODEC_DERIVE_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"

#define DERIVE_HEAD 5u /* bytes before the planes: mode, skip */

enum derive_mode {
	DERIVE_NEAREST = 0,   /* f32 to f16 or bf16, to nearest, ties to even */
	DERIVE_TRUNCATED = 1, /* f32 to bf16: the upper half */
	DERIVE_FROM_BF16 = 2, /* to f32, exact */
	DERIVE_FROM_F16 = 3,
};

/* Whether the mode leads to elements of `dtype`: nearest to f16 and bf16, truncated to bf16, the others to
 * f32. */
int derive_allowed(enum derive_mode mode, enum dtype dtype);

/* Writes `n` elements of `dtype` to dst, from those that begin `skip` bytes into the bytes of all bases
 * together; an element may lie in two bases. -EBADMSG: there are not so many bytes. */
int derive_predict(enum derive_mode mode, enum dtype dtype, const struct codec_bases *bases, size_t skip,
	void *dst, size_t n);

/* The mode that suits the first elements best; any, if none is allowed. */
enum derive_mode derive_pick(
	const struct codec_input *in, const struct codec_bases *bases, size_t skip, enum dtype from);

#endif
