/*
 * Work that is done in parallel and put together in order: each piece waits for its turn.
 */
#ifndef MITHRIL_DEDUP_TURNS_H
#define MITHRIL_DEDUP_TURNS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct dedup_turns {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint32_t next; /* the number whose turn it is */
	bool ended;
};

void dedup_turns_init(struct dedup_turns *turns);
void dedup_turns_release(struct dedup_turns *turns);

/* Waits for the turn of `number`: true, and nobody else has it until dedup_turns_pass. False: it will not
 * come. */
bool dedup_turns_wait(struct dedup_turns *turns, uint32_t number);
/* It is the turn of `next` now. */
void dedup_turns_pass(struct dedup_turns *turns, uint32_t next);
/* No turn comes any more. */
void dedup_turns_end(struct dedup_turns *turns);

#endif
