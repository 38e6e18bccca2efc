/*
 * Payload layouts, by codec id (mithril-format(5) says the same). `varint` is unsigned LEB128, shortest
 * form, at most 4 bytes. `len` is the raw length, `width` the element width; both follow from the frame.
 *
 *   STORED      the raw bytes; the payload's length equals len
 *   CONSTANT    dtype_width(dtype) bytes, fewer than len; raw byte i is payload byte i mod that width
 *   ZSTD        exactly one zstd frame (RFC 8878) that gives exactly len bytes; no dictionary
 *   ZSTD_BASE   the same, with all of the base's bytes as prefix (raw-content dictionary), just before the
 *               output; a base of no bytes, or that begins with 37 A4 30 EC (a zstd dictionary), is invalid
 *   PLANES      `width` blocks of n = len / width (>= 1) bytes each, the plane of the most significant bytes
 *   XOR         first, then the len mod width tail bytes as they are, and nothing after them; a plane holds
 *   DIFF        one byte of every element of the transformed array. XOR and DIFF: the base has exactly len
 *               bytes, and its tail is not used
 *
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
 * Any other method is invalid.
 */
#ifndef MITHRIL_STORE_CODEC_PAYLOAD_H
#define MITHRIL_STORE_CODEC_PAYLOAD_H

enum block_method { BLOCK_STORED = 0, BLOCK_CONSTANT = 1, BLOCK_ZSTD = 2, BLOCK_SPARSE = 3 };

#define BLOCK_GAP_MAX 254u
#define BLOCK_GAP_SKIP 255u

#endif
