/*
 * Threads that decode chunks before somebody waits for them. Requests are hints: they may be dropped, and
 * failures are met again by whoever needs the chunk.
 */
#ifndef MITHRIL_STORE_DECODE_AHEAD_H
#define MITHRIL_STORE_DECODE_AHEAD_H

#include <stdbool.h>

#include "store/packs/packs.h"

struct ahead;

/* `work` is called from `threads` threads. -ENOMEM, -EAGAIN. */
int ahead_start(
	unsigned threads, void (*work)(void *ctx, const struct chunk_id *id), void *ctx, struct ahead **out);
/* Drops what is waiting and ends the threads. */
void ahead_stop(struct ahead *ahead);

/* `owner` is for ahead_cancel. urgent: before all that waits. False: no room. */
bool ahead_request(struct ahead *ahead, const void *owner, const struct chunk_id *id, bool urgent);
/* Drops the owner's requests that no thread has begun. */
void ahead_cancel(struct ahead *ahead, const void *owner);

#endif
