/* Memory that is read in order, a piece at a time: the next piece comes while this one is worked on. */
#ifndef MITHRIL_STORE_CODEC_FETCH_H
#define MITHRIL_STORE_CODEC_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* Bytes [from, from + len) of a buffer of `size`; what is behind its end is left out. */
static inline void fetch(const void *buffer, size_t size, size_t from, size_t len)
{
	size_t end = from < size && size - from > len ? from + len : size;

	for (; from < end; from += 64)
		__builtin_prefetch((const char *)buffer + from);
}

#endif
