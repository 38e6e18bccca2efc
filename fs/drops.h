/*
 * Inodes whose time has come: no name and forgotten by the kernel. A thread of its own drops them, in
 * bunches, so that a request never waits for a large file to be removed.
 */
#ifndef MITHRIL_FS_DROPS_H
#define MITHRIL_FS_DROPS_H

#include <stdint.h>

#include "store/stage/stage.h"

struct drops;

int drops_start(struct stage *stage, struct drops **out);
/* Never waits for a drop, except when memory is out. */
void drops_add(struct drops *drops, uint64_t ino);
/* Returns when all that was added before the call is dropped. */
void drops_settle(struct drops *drops);
/* Drops what is left and ends the thread. NULL is fine. */
void drops_stop(struct drops *drops);

#endif
