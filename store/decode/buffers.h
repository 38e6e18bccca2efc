/*
 * Memory for decoded chunks. Those of the usual size come from slabs of huge pages and are used again, since
 * the kernel takes about as long to hand out and clear fresh pages as a chunk takes to decode. Slabs are kept
 * until the end; what bounds the chunks bounds them.
 *
 * Any thread; one lock inside.
 */
#ifndef MITHRIL_STORE_DECODE_BUFFERS_H
#define MITHRIL_STORE_DECODE_BUFFERS_H

#include <stddef.h>

struct buffers;

struct buffers *buffers_new(void);
/* Everything must have been put back. */
void buffers_free(struct buffers *buffers);

/* NULL: no memory. len > 0. */
void *buffers_get(struct buffers *buffers, size_t len);
/* `len` as it was got; p may be NULL. */
void buffers_put(struct buffers *buffers, void *p, size_t len);

#endif
