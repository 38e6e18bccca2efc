/*
 * The same function on several threads.
 */
#ifndef MITHRIL_DEDUP_GROUP_PARALLEL_H
#define MITHRIL_DEDUP_GROUP_PARALLEL_H

#define DEDUP_THREADS_MAX 256u

/* Calls work(ctx, 0..threads-1), each on a thread of its own (the last one on the caller's), and returns when
 * all have: the first error that they return, by number, or 0. Work must not depend on how many run at once.
 * Where the system gives no more threads, the caller does what is left, one after the other. */
int dedup_parallel(unsigned threads, int (*work)(void *ctx, unsigned thread), void *ctx);

#endif
