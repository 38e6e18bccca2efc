/*
 * Payload layouts, by codec id (mithril-format(5) says the same). `varint` is unsigned LEB128, shortest
 * form, at most 4 bytes. `len` is the raw length, `width` the element width; both follow from the frame.
 *
 *   STORED      the raw bytes; the payload's length equals len
 *   CONSTANT    dtype_width(dtype) bytes, fewer than len; raw byte i is payload byte i mod that width
 *   ZSTD        exactly one zstd frame (RFC 8878) that gives exactly len bytes; no dictionary
 *   ZSTD_BASE   the same, with all of the base's bytes as prefix (raw-content dictionary), just before the
 *               output; a base of no bytes, or that begins with 37 A4 30 EC (a zstd dictionary), is invalid
 *   ZSTD_BASES  the same, with the bytes of all bases, joined in their order, as prefix: together at most
 *               1048576
 *   PLANES      `width` blocks of n = len / width (>= 1) bytes each, the plane of the most significant
 *   XOR         bytes first, then the len mod width tail bytes as they are, and nothing after them; a
 *   DIFF        plane holds one byte of every element of the transformed array. XOR and DIFF: the base has
 *               exactly len bytes, and its tail is not used
 *
 *   SYMBOLS     byte 0: tables - 1 | 8 if there are 32 lanes, not 64; bytes 1 and 2: the origin, signed;
 *   SYMBOLS_DIFF  varint length of the model; the model; the lanes' states, 4 bytes each; their words, 2
 *               bytes each; the len mod width tail bytes. numbers.h, rans.h
 *   CHANGES     byte 0: lanes, as base-two logarithm, 0 to 6; varint length of the range coder's bytes;
 *               those; the lanes' states; words, 2 bytes each; signs; the tail bytes. flags.h
 *               All three are of f16, bf16, f32, c64, f8_e4m3, f8_e5m2, f8_e4m3fnuz and f8_e5m2fnuz only,
 *               and of at least one element. SYMBOLS_DIFF and CHANGES: the base as for XOR
 *   DERIVED     one byte mode; 4 bytes skip (little-endian); then what DIFF would have, with n expected
 *   WIDENED     elements in the place of the base. They are a function of n elements of another width, which
 *               begin `skip` bytes into the bytes of all bases together; the last must end inside them.
 *               mode 0  f16, bf16: of f32 elements, to nearest, ties to even
 *                    1  bf16: of f32 elements, their upper 16 bits
 *                    2  f32: of bf16 elements, which become the upper 16 bits
 *                    3  f32: of f16 elements, of the same value
 *               A NaN becomes one: to nearest, sign and the upper bits of the fraction are kept, and the
 *               fraction's top bit is set; from f16, the fraction is shifted left by 13. DERIVED is for f16
 *               and bf16, WIDENED for f32, and a mode of another dtype is invalid.
 *   MOMENT      f32: b1 and b2, 8 bytes each, the bits of doubles (little-endian); then what DIFF would have,
 *               with expected elements in the place of the base. There are three bases, V, M and L, each of
 *               exactly len bytes. In doubles, each operation rounded to nearest, ties to even:
 *               r = 1 / (1 - b1); q = 1 - b2; g = (M - b1 * L) * r; expected is (b2 * V) + ((q * g) * g),
 *               rounded to f32; a NaN is 7fc00000
 *   STEP        f32: one byte form; a, b and c, and d, e and f of form 2, 4 bytes each, the bits of f32
 *               (little-endian); then what DIFF would have, with expected elements in the place of the base.
 *               There are three bases, X, M and Y, each of exactly len bytes, or four, X, V, W and Y, of form
 *               2. Each operation rounded to nearest, ties to even; forms 0 and 1 in f32:
 *               form 0  g = Y + ((M - Y) * a); expected is (b * X) + ((c * g) * g)
 *                    1  expected is (a * X) - (b * (M / (sqrt(Y) + c)))
 *                    2  a * Y is rounded to f32; else in doubles:
 *                       r = ((a * Y) - W) / b; h = r * r; s = f * d;
 *                       g = (X - (X * d)) + (d * (r * c)); p = 1 - (h * (s * d)); q = (h * s) * g;
 *                       t = sqrt((q * q) + (p * (h * ((e * V) + ((f * g) * g)))));
 *                       t has the sign of r; expected is ((q + t) / p) + (r * c), rounded to f32
 *               A NaN is 7fc00000. Any other form is invalid
 *
 * Width:
 *   1           bool, u8, i8, f8_*, opaque, quant, f4, f6_*, and any number that is no dtype
 *   2           u16, i16, f16, bf16
 *   4           u32, i32, f32, c64 (its two parts are elements of their own)
 *   8           u64, i64, f64, c128 (its two parts)
 *
 * Transforms of an element x (little-endian) and the base's element b at the same place, modulo 2^B, where
 * B = 8 * width; `floats` are f16, bf16, f32, f64, c64, c128, f8_e4m3, f8_e5m2, f8_e4m3fnuz, f8_e5m2fnuz:
 *   PLANES      bf16, f32, c64: x rotated left by one bit, so that the exponent is one plane; others: x
 *   XOR         bf16, f32, c64: x ^ b rotated left by one bit; others: x ^ b
 *   DIFF        zigzag(order(x) - order(b)), where
 *               zigzag(d) = (d << 1) ^ (all ones if the top bit of d is set, else 0), and
 *               order(x) = x for what is no float; ~x if the top bit of x is set, else x with it set
 *
 * Block of n bytes (n is known): one byte `method`, and
 *   0 stored    n bytes
 *   1 constant  one byte, repeated n times
 *   2 zstd      varint length, then one zstd frame of that many bytes that gives exactly n bytes
 *   3 sparse    the fill byte; varint count (<= n) of the bytes that differ from it; varint g (count..n),
 *               the number of gaps; a block of g bytes, the gaps; a block of `count` bytes, the values. These
 *               two are of methods 0 to 2, and absent where they have no bytes.
 *               Start at position 0. A gap of 0..254 skips that many bytes and places the next value; 255
 *               skips 255 and places none. All values are placed, below n; all other bytes are the fill.
 *   4 rans      varint length of all that follows: varint length of the model; the model, of one class and
 * one table, with a shift of 0; the states of 64 lanes, 32 if n is below 32768; their words Any other method
 * is invalid.
 *
 * The model, and of changes what is said to be, are decisions of the range coder. `bit` is a learning one by
 * a probability of its own unless said otherwise; `gamma` a number by an array of such probabilities of its
 * own, of the zigzag if it may be negative. range.h
 *
 * Model:
 *   each class    bit, by one of two after a 0 and a 1 of the class before. If it is 1:
 *                 bit, added to the table of the class before (0 before the first);
 *                 gamma, added to its shift (0 before the first)
 *   each table    for symbols 0, 1, ... until the frequencies add up to 2048:
 *                 gamma, added to the bits of the frequency before (0 before the first), by one of three
 *                 arrays for 0, for 1 or 2, and for more of these; the bits below the first at even odds
 *   each escape   in order of elements: bit; gamma, by one of two arrays for that bit: how far v >> s is
 *                 above RANS_ESCAPE (0), or below the most that it may be (1)
 *
 * Changes:
 *   states        as bits from the lowest of the first byte on: of each lane 4 bits c, and the 15 + c bits
 *                 of the state behind its first one; the last byte is filled with zeros
 *   words         flags (flags.h) of all elements: which changed; then of all that did: by more than 1
 *   signs         bit k / lanes of the 15 lower bits of the state that lane k mod lanes has at the end:
 *                 change k is by a negative number; those for which there is no place, in bits behind the
 *                 words likewise. Bits of no change are 0
 *   range coder:
 *   each class    gamma, added to the level of the class before (0 before the first), by one of two arrays
 *                 for when that added nothing, and something
 *   each kind     1 to 16 of amounts: gamma, added to the level of the one before (0 before the first)
 *   each change   by more than 1: gamma: the amount less 2, by an array for each kind. A class of level l
 *                 has the kind (l + 3) / 4
 *   frequency     of a clear flag of level l: with the weight w of 0 for level 0, (4 + l % 4) << l / 4 >> 2
 *                 for level l + 1, it is floor(2^16 * 2^-((w >> 4 & 255) / 256)) >> (w >> 12) >> 4; but at
 *                 least 1, and of levels above 0 at most 4095
 */
#ifndef MITHRIL_STORE_CODEC_PAYLOAD_H
#define MITHRIL_STORE_CODEC_PAYLOAD_H

enum block_method { BLOCK_STORED = 0, BLOCK_CONSTANT = 1, BLOCK_ZSTD = 2, BLOCK_SPARSE = 3, BLOCK_RANS = 4 };

#define BLOCK_GAP_MAX 254u
#define BLOCK_GAP_SKIP 255u

#endif
