/*
 * The threads that serve requests.
 *
 * One thread at a time listens (the leader). A request that is likely to be quick it serves itself and
 * listens again: no other thread is woken for it. Before one that may be slow, or when more are waiting, it
 * lets another take the lead. Should a quick request turn out slow, a watching thread, which runs only while
 * there is something to watch, finds that nobody listens and wakes one.
 *
 * A round trip through a sleeping thread costs tens of microseconds, so the leader polls for a while before
 * it sleeps; as long as that keeps being worth it, and not at all once requests come seldom or where there is
 * one processor only.
 */
#ifndef MITHRIL_FS_LOOP_H
#define MITHRIL_FS_LOOP_H

#include <stdbool.h>

#include "fs/mount.h"

struct loop;

struct loop_options {
	unsigned threads; /* at most */
	unsigned spin_us; /* at most; 0: none */
};

/* Starts serving `session`. The device of `mount` must be non-blocking. */
int loop_start(struct fuse_session *session, struct mount *mount, const struct loop_options *options,
	struct loop **out);
/* From a request that turns out slow, before it is: lets another thread listen, if none does. NULL is fine.
 */
void loop_slow(struct loop *loop);
/* Waits until the connection has ended (true) or the time is over (-1: never). Returns early on a signal. */
bool loop_wait(struct loop *loop, int timeout_ms);
/* Lets requests under way finish, ends the threads, and frees. 0, or -errno when the connection broke. */
int loop_stop(struct loop *loop);

#endif
