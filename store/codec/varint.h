/* The varint of payload.h: unsigned LEB128 in its shortest form, at most 4 bytes. */
#ifndef MITHRIL_STORE_CODEC_VARINT_H
#define MITHRIL_STORE_CODEC_VARINT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_MAX 4u /* bytes */

static inline size_t varint_len(size_t v)
{
	size_t len = 1;

	while (v >>= 7)
		len++;
	return len;
}

/* Bytes written. v < 2^28. */
static inline size_t put_varint(uint8_t *dst, size_t v)
{
	size_t i = 0;

	for (; v >= 0x80; v >>= 7)
		dst[i++] = (uint8_t)(v | 0x80);
	dst[i++] = (uint8_t)v;
	return i;
}

/* Moves *src behind it. -EBADMSG. */
static inline int get_varint(const uint8_t **src, const uint8_t *end, size_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < VARINT_MAX && *src < end; i++) {
		uint8_t byte = *(*src)++;
		*v |= (size_t)(byte & 0x7f) << 7 * i;
		if (!(byte & 0x80))
			return byte || !i ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

#endif
