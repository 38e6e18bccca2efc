/*
 * Element types of tensors, shared by the parsers that find them, the codecs that use them and the tools that
 * print them. The numbers are part of the on-disk format (frames and recipes hold them): never renumber.
 */
#ifndef MITHRIL_STORE_UTIL_DTYPE_H
#define MITHRIL_STORE_UTIL_DTYPE_H

#include <stddef.h>
#include <stdint.h>

enum dtype {
	DTYPE_OPAQUE = 0, /* bytes of unknown meaning */
	DTYPE_BOOL = 1,
	DTYPE_U8 = 2,
	DTYPE_I8 = 3,
	DTYPE_U16 = 4,
	DTYPE_I16 = 5,
	DTYPE_U32 = 6,
	DTYPE_I32 = 7,
	DTYPE_U64 = 8,
	DTYPE_I64 = 9,
	DTYPE_F16 = 10,
	DTYPE_BF16 = 11,
	DTYPE_F32 = 12,
	DTYPE_F64 = 13,
	DTYPE_F8_E4M3 = 14,
	DTYPE_F8_E5M2 = 15,
	DTYPE_F8_E4M3FNUZ = 16,
	DTYPE_F8_E5M2FNUZ = 17,
	DTYPE_F8_E8M0 = 18,
	DTYPE_F4 = 19, /* two elements a byte */
	DTYPE_F6_E2M3 = 20,
	DTYPE_F6_E3M2 = 21,
	DTYPE_C64 = 22,	  /* two f32 */
	DTYPE_C128 = 23,  /* two f64 */
	DTYPE_QUANT = 24, /* a block-quantised GGUF type; bytes with a period, no element width */
	DTYPE_COUNT
};

/* Bytes an element takes; 1 for opaque, quantised and sub-byte types and for numbers that are no dtype. */
size_t dtype_width(enum dtype t);

/* Lower-case name ("bf16", "f32", "opaque"); "?" for a number that is no dtype. Static storage. */
const char *dtype_name(enum dtype t);

#endif
