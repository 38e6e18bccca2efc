/*
 * Floats as numbers to code: what an element is, given the element of the base, and its class, the exponent
 * of the base's element: a step of training moves all weights by about as much, so that how many units in the
 * last place it is depends on the exponent alone. (FM-Delta, NeurIPS 2024, for the ordered difference.)
 *
 * number, modulo 2^B, where B is the element's bits:
 *   without a base  x rotated left by one bit: exponent, mantissa, sign
 *   with one        order(x) - order(b), order as in payload.h
 *
 * A number of a class with shift s becomes a value v = (number - (origin << s)) mod 2^B, and that a symbol
 * v >> s, or RANS_ESCAPE if that is not below it, and the s bits below.
 *
 * Pure; portable C, and AVX2 where the machine has it.
 */
#ifndef MITHRIL_STORE_CODEC_NUMBERS_H
#define MITHRIL_STORE_CODEC_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "store/util/bytes.h"
#include "store/util/dtype.h"

#define NUMBER_FEW 3u
#define NUMBER_WIDTHS 3 /* 1, 2, 4 bytes, by base-two logarithm */

/* How a dtype is seen; bits == 0: not at all. */
struct number_kind {
	uint8_t log_width, bits;
	uint8_t class_shift; /* class = magnitude bits of the base's element >> class_shift */
	uint8_t lone_shift;  /* s of a number without a base: exponent and a bit or more of mantissa remain */
	uint16_t classes;
};
struct number_kind number_kind_of(enum dtype t);

static inline uint32_t element_at(const uint8_t *p, unsigned log_width)
{
	return log_width == 0 ? *p : log_width == 1 ? get_le16(p) : get_le32(p);
}

static inline void put_element(uint8_t *p, uint32_t x, unsigned log_width)
{
	if (log_width == 0)
		*p = (uint8_t)x;
	else if (log_width == 1)
		put_le16(p, (uint16_t)x);
	else
		put_le32(p, x);
}

/* order() of payload.h, of an element of so many bits, and back. */
static inline uint32_t ordered(uint32_t x, unsigned bits)
{
	return x ^ ((0 - (x >> (bits - 1))) | 1u << (bits - 1));
}

static inline uint32_t unordered(uint32_t y, unsigned bits)
{
	return y ^ (((y >> (bits - 1) & 1) - 1) | 1u << (bits - 1));
}

/* A byte for each class, and the window of these (rans_window_of). */
struct class_bytes {
	uint8_t of[256];
	unsigned window;
};
struct class_bytes class_bytes_of(const uint8_t bytes[256]);

struct number_ops {
	void (*lone[NUMBER_WIDTHS])(uint32_t *numbers, const void *src, size_t n);
	void (*unlone[NUMBER_WIDTHS])(void *dst, const uint32_t *numbers, size_t n);
	void (*differences[NUMBER_WIDTHS])(uint32_t *numbers, const void *src, const void *base, size_t n);
	void (*sums[NUMBER_WIDTHS])(void *dst, const uint32_t *numbers, const void *base, size_t n);
	void (*classes[NUMBER_WIDTHS])(uint8_t *classes, const void *base, size_t n, unsigned class_shift);
	/* numbers become values; `mask`: 2^B - 1; classes NULL: all of class 0 */
	void (*split)(uint32_t *numbers, uint8_t *symbols, const uint8_t *classes,
		const struct class_bytes *shifts, int32_t origin, uint32_t mask, size_t n);
	/* Symbols by row, which is that of the class, 256 to a row: the first eight of 64 count eight times,
	 * the others not at all; what is behind the last 64 counts once. */
	void (*count)(uint32_t *counts, const uint8_t *classes, const uint8_t *symbols,
		const struct class_bytes *rows, size_t n);
	/* bit i % 64 of flags[i / 64]: symbol i is none of those from the class's first one on, as many as
	 * its span and one more; bits behind the last are clear */
	void (*outside)(uint64_t *flags, const uint8_t *classes, const uint8_t *symbols,
		const struct class_bytes *firsts, const struct class_bytes *spans, size_t n);
	/* seen[b] becomes 1 of each of the bytes; quick where it is so already of most */
	void (*see)(uint8_t seen[256], const uint8_t *bytes, size_t n);
	/* bit i % 64 of flags[i / 64]: element i is not the base's; bits behind the last are clear */
	void (*differ[NUMBER_WIDTHS])(uint64_t *flags, const void *src, const void *base, size_t n);
	/* The places of the flags that are set, in order; returns how many. What is up to NUMBER_FEW behind
	 * them is overwritten. */
	size_t (*places)(uint32_t *places, const uint64_t *flags, size_t n);
};

extern const struct number_ops numbers_portable;
const struct number_ops *numbers_best(void);

#endif
