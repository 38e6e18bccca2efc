/*
 * The pins of chunk ids, and what garbage collection has claimed of the rest: a counting hash table.
 *
 * Any thread; one lock inside.
 */
#ifndef MITHRIL_STORE_CHUNKS_PINS_H
#define MITHRIL_STORE_CHUNKS_PINS_H

#include <stdbool.h>

#include "store/packs/packs.h"

struct pins;

struct pins *pins_new(void);
void pins_free(struct pins *pins);

/* Waits while the id is claimed. When memory is out the pin cannot be kept by id: from then on nothing can be
 * claimed. */
void pins_add(struct pins *pins, const struct chunk_id *id);
void pins_drop(struct pins *pins, const struct chunk_id *id);

/* -EBUSY: begun already. */
int pins_begin(struct pins *pins);
/* Pinned now or since begin; true for all when a pin could not be kept. */
bool pins_pinned(struct pins *pins, const struct chunk_id *id);
/* False outside begin..end, if the id is or was pinned since begin, and when memory is out. */
bool pins_claim(struct pins *pins, const struct chunk_id *id);
void pins_settle(struct pins *pins);
void pins_end(struct pins *pins);

#endif
