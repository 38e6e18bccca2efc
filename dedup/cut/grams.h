/*
 * Which grams a corpus has more than once: two bits a place, seen and seen again.
 */
#ifndef MITHRIL_DEDUP_CUT_GRAMS_H
#define MITHRIL_DEDUP_CUT_GRAMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dedup_grams {
	_Atomic uint64_t *words; /* 32 places each */
	uint64_t mask;		 /* of places */
};

/* For about `count` grams, in at most `bytes` (0: a quarter of a byte times eight a gram). -ENOMEM. */
int dedup_grams_init(struct dedup_grams *grams, uint64_t count, uint64_t bytes);
void dedup_grams_release(struct dedup_grams *grams);
/* Thread-safe. */
void dedup_grams_note(struct dedup_grams *grams, uint64_t key);
/* Brings the place of a gram that is to be asked about soon near to the processor. */
void dedup_grams_prefetch(const struct dedup_grams *grams, uint64_t key);
/* Always for one that was noted twice, and for a few others. */
bool dedup_grams_is_shared(const struct dedup_grams *grams, uint64_t key);

static inline uint64_t dedup_grams_memory(const struct dedup_grams *grams)
{
	return (grams->mask + 1) / 4;
}

#endif
