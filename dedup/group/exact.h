/*
 * Which texts have been seen, by two hashes: 64 bits and 32 more of another function. Texts are taken for one
 * only where both agree: among n different texts the chance of one mistake is n * n / 2^97 (10^-11 at 10^9).
 *
 * Memory: 16 bytes a distinct text in tables that are .8 to .9 full, so 18 to 20 bytes: ordered linear
 * probing (Amble, Knuth, "Ordered hash tables", 1974) lets them be that full. 256 tables, each with a lock.
 */
#ifndef MITHRIL_DEDUP_GROUP_EXACT_H
#define MITHRIL_DEDUP_GROUP_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_exact;
int dedup_exact_new(struct dedup_exact **exact); /* -ENOMEM */
void dedup_exact_free(struct dedup_exact *exact);

/* Notes that line `id` has this text; thread-safe. 1: nobody had it. 0: *first and *again are `id` and the
 * lowest id that had it until now, lower one first. Whatever the order of calls, a text's lowest id never
 * comes back as *again and each of the others does once. -ENOMEM. */
int dedup_exact_put(struct dedup_exact *exact, uint64_t hash, uint32_t check, uint32_t id, uint32_t *first,
	uint32_t *again);
/* From now on the tables take no more than `bytes`, or what they take already: what finds no room there is
 * not kept, and dedup_exact_put says 1 of it each time. Before the first put. */
void dedup_exact_limit(struct dedup_exact *exact, size_t bytes);
/* Whether something found no room. No other call may run. */
bool dedup_exact_lacks(const struct dedup_exact *exact);
/* The lowest id that was put with these hashes; UINT32_MAX: none. Thread-safe while nothing is put. */
uint32_t dedup_exact_get(const struct dedup_exact *exact, uint64_t hash, uint32_t check);
/* Bytes allocated. No other call may run. */
size_t dedup_exact_memory(const struct dedup_exact *exact);

#endif
