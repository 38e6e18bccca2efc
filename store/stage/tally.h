/*
 * How many bytes each staged copy takes, by inode number, and their sum. It outlives the contents in use:
 * what a file that nobody has open takes was last looked at when it was closed.
 *
 * Any thread; one lock inside. 16 bytes a staged file, in a hash table.
 */
#ifndef MITHRIL_STORE_STAGE_TALLY_H
#define MITHRIL_STORE_STAGE_TALLY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct tally_slot {
	uint64_t ino; /* 0: free */
	uint64_t bytes;
};

struct tally {
	pthread_mutex_t lock;
	struct tally_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	uint64_t files, bytes;
};

void tally_init(struct tally *tally);
void tally_release(struct tally *tally);
/* The staged copy of `ino` takes so many bytes now. When memory is out it is not counted. */
void tally_set(struct tally *tally, uint64_t ino, uint64_t bytes);
/* It has none any more. */
void tally_remove(struct tally *tally, uint64_t ino);
void tally_sums(struct tally *tally, uint64_t *files, uint64_t *bytes);

#endif
