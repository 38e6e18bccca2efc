/*
 * Payload layouts, by codec id (mithril-format(5) says the same). Integers in text are bytes; `varint` is
 * unsigned LEB128, at most 4 bytes, shortest form. `len` is the raw length and `width` the element width
 * below, both known from the frame.
 *
 *   STORED     the raw bytes; payload length equals len.
 *   CONSTANT   dtype_width(dtype) bytes, less than len of them; raw byte i is payload byte i mod that width.
 *   ZSTD       one or more zstd frames (RFC 8878) that give exactly len bytes; no dictionary.
 *   ZSTD_BASE  the same, with all bytes of the base as raw-content dictionary (prefix): they stand just
 * before the output. A base that begins with the dictionary magic 37 A4 30 EC is invalid. PLANES     n = len
 * / width elements; `width` blocks of n bytes each, the most significant plane first; then the len mod width
 *   XOR        tail bytes, as they are; nothing after them. Plane p holds byte p (0: least significant) of
 * every element of the DIFF       transformed array. n >= 1. The base of XOR and DIFF has exactly len bytes;
 * its tail is not used.
 *
 * Width: 1 for bool, u8, i8, opaque, quant and sub-byte or byte-wide floats; 2 for u16, i16, f16, bf16; 4 for
 * u32, i32, f32 and for c64 (its parts are elements of their own); 8 for u64, i64, f64 and c128. Elements are
 * little-endian. In the formulas x is an element, b the base's element at the same place, B = 8 * width,
 * arithmetic is modulo 2^B:
 *
 *   PLANES     bf16, f32, c64: rotate left by one bit, so that the exponent is the top plane; other types: x
 *   XOR        x ^ b, rotated left by one bit for bf16, f32, c64
 *   DIFF       zigzag(order(x) - order(b)); zigzag(d) = (d << 1) ^ (all ones if the top bit of d is set, else
 * 0); order(x) for f16, bf16, f32, f64, c64, c128, f8_*(but f8_e8m0): ~x if the top bit is set, else x with
 * the top bit set; for all other types order(x) = x
 *
 * Block: n bytes (n known), as one byte `method` and
 *   0 stored     n bytes
 *   1 constant   1 byte, repeated n times
 *   2 zstd       varint length, then zstd frames of that many bytes that give exactly n bytes
 *   3 sparse     fill byte; varint count (<= n) of bytes that differ from it; varint length g (<= n) of the
 * gaps; a block of g bytes, the gaps; a block of `count` bytes, the values. Both of methods 0 to 2; a block
 * of 0 bytes is absent. Start at position 0. A gap 0..254 skips so many fill bytes and places the next value;
 * 255 skips 255 and places none. Every value is placed at a position below n; all other bytes are the fill.
 * Any other method is invalid.
 */
#ifndef MITHRIL_STORE_CODEC_PAYLOAD_H
#define MITHRIL_STORE_CODEC_PAYLOAD_H

enum block_method { BLOCK_STORED = 0, BLOCK_CONSTANT = 1, BLOCK_ZSTD = 2, BLOCK_SPARSE = 3 };

#define BLOCK_GAP_MAX 254u
#define BLOCK_GAP_SKIP 255u

#endif
