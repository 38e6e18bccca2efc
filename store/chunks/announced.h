/*
 * Chunks whose frames are in a pack and whose records are not yet in the key-value store: counted
 * announcements, so that two files encoded side by side can share a chunk before either is published.
 *
 * Any thread; one lock inside.
 */
#ifndef MITHRIL_STORE_CHUNKS_ANNOUNCED_H
#define MITHRIL_STORE_CHUNKS_ANNOUNCED_H

#include <pthread.h>
#include <stdbool.h>

#include "store/chunks/chunks.h"

struct announced_entry;

struct announced {
	pthread_mutex_t lock;
	struct announced_entry **buckets;
	size_t capacity, count; /* capacity: a power of two, or 0 */
};

void announced_init(struct announced *announced);
void announced_release(struct announced *announced);
/* -EEXIST it is announced already (nothing changed), -ENOMEM. */
int announced_add(struct announced *announced, const struct chunk_id *id, const struct chunk_record *record);
void announced_remove(struct announced *announced, const struct chunk_id *id);
bool announced_find(struct announced *announced, const struct chunk_id *id, struct chunk_record *record);

#endif
