/*
 * Spare buffers of one size, for reads: as many stay as were ever in use at once. Any thread.
 */
#ifndef MITHRIL_FS_READ_BUFFERS_H
#define MITHRIL_FS_READ_BUFFERS_H

#include <stddef.h>

#define BUFFER_SIZE (1u << 20) /* the longest read */

struct read_buffers;
struct read_buffers *read_buffers_new(void); /* NULL: no memory */
void read_buffers_free(struct read_buffers *buffers);
/* BUFFER_SIZE bytes, or NULL. */
void *read_buffer_get(struct read_buffers *buffers);
void read_buffer_put(struct read_buffers *buffers, void *buffer);

#endif
