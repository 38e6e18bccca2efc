/*
 * When files of caches were last used: in memory, and now and then as access times of their records, so that
 * a read costs no write. What a crash loses is the use of the last minute.
 *
 * Times are milliseconds since 1970. Any thread.
 */
#ifndef MITHRIL_STORE_CACHE_USAGE_H
#define MITHRIL_STORE_CACHE_USAGE_H

#include <stdint.h>

#include "store/names/names.h"

struct usage;

struct usage *usage_new(void); /* NULL: no memory */
void usage_free(struct usage *usage);
uint64_t usage_now(void);
uint64_t usage_ms(const struct timespec *t);

/* It is used now. Without memory it is forgotten. */
void usage_note(struct usage *usage, uint64_t ino);
/* 0: not since the last flush. */
uint64_t usage_last(struct usage *usage, uint64_t ino);
/* Writes what was used before `before` into the records, and forgets it. Inodes that are gone are passed
 * over. The first -errno of names_used, after all were tried. One thread at a time. */
int usage_flush(struct usage *usage, struct names *names, uint64_t before);

#endif
