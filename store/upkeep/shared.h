/*
 * Shared chunks: those below a chunk of several bases. What such a chunk takes to decode is counted with what
 * its bases have in common counted once, and is not to grow because one of them gets a base of its own.
 */
#ifndef MITHRIL_STORE_UPKEEP_SHARED_H
#define MITHRIL_STORE_UPKEEP_SHARED_H

#include "store/upkeep/gc.h"

/* Adds them to `shared`, those that are not live too; the caller releases it, also after a failure. Broken
 * chains are followed as far as they go. -ENOMEM, -EIO, -EBADMSG. */
int shared_find(struct gc *gc, struct marks *shared);

#endif
