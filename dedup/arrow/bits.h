/*
 * Items of Arrow's buffers, which need not be aligned. Of a bitmap's byte the lowest bit comes first.
 */
#ifndef MITHRIL_DEDUP_ARROW_BITS_H
#define MITHRIL_DEDUP_ARROW_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool arrow_bit(const uint8_t *bits, int64_t at)
{
	return bits[at / 8] >> (at % 8) & 1;
}

static inline int32_t arrow_i32(const void *buffer, int64_t at)
{
	int32_t value;

	memcpy(&value, (const char *)buffer + at * 4, sizeof value);
	return value;
}

static inline int64_t arrow_i64(const void *buffer, int64_t at)
{
	int64_t value;

	memcpy(&value, (const char *)buffer + at * 8, sizeof value);
	return value;
}

static inline int16_t arrow_i16(const void *buffer, int64_t at)
{
	int16_t value;

	memcpy(&value, (const char *)buffer + at * 2, sizeof value);
	return value;
}

/* Sets it; the bitmap was zero. */
static inline void arrow_bit_set(uint8_t *bits, int64_t at)
{
	bits[at / 8] |= (uint8_t)(1u << (at % 8));
}

#endif
