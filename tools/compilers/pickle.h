/*
 * What torch writes about itself into the entries of its compile caches, found in the bytes of the pickle.
 * Nothing is unpickled, for that would run what the pickle says: strings and the numbers behind them are
 * looked for, by the opcodes of protocol 4 (pickletools). Entries are hostile: bounded and checked.
 *
 * An AOTAutograd entry holds, for each of its graphs, the FX graph cache's key and the lines that the key is
 * the digest of: "[DIGEST] NAME: VALUE". Both kinds of entry hold how long compiling took.
 */
#ifndef MITHRIL_COMPILERS_PICKLE_H
#define MITHRIL_COMPILERS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line that a key is made of; points into the entry. */
struct pickle_component {
	const char *digest, *name, *value;
	size_t digest_len, name_len, value_len;
	bool starts; /* the first of a graph's */
};

/* The next one at or after *at, which moves behind it. False: there is none. */
bool pickle_component(const uint8_t *entry, size_t len, size_t *at, struct pickle_component *out);

/* The sum of the numbers behind the strings forward_time_taken_ns and backward_time_taken_ns (an AOTAutograd
 * entry), or else behind _time_taken_ns (an FX graph); 0: it says none. */
uint64_t pickle_time_taken_ns(const uint8_t *entry, size_t len);

#endif
