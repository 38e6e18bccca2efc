/*
 * Spare buffers of one size, for reads: as many stay as were ever in use at once. Any thread.
 */
#ifndef MITHRIL_FS_BUFFERS_H
#define MITHRIL_FS_BUFFERS_H

#include <stddef.h>

#define BUFFER_SIZE (1u << 20) /* the longest read */

struct buffers;
struct buffers *buffers_new(void); /* NULL: no memory */
void buffers_free(struct buffers *buffers);
/* BUFFER_SIZE bytes, or NULL. */
void *buffer_get(struct buffers *buffers);
void buffer_put(struct buffers *buffers, void *buffer);

#endif
