/*
 * Time that only goes forward: CLOCK_MONOTONIC.
 */
#ifndef MITHRIL_STORE_UTIL_CLOCK_H
#define MITHRIL_STORE_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_now_ms(void)
{
	return clock_now_ns() / 1000000u;
}

/* `ms` from now, for pthread_cond_timedwait on a condition of this clock. */
static inline struct timespec clock_deadline(uint64_t ms)
{
	uint64_t ns = clock_now_ns() + ms * 1000000u;

	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

#endif
