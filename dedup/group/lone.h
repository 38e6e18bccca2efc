/*
 * Strikes out the band keys that only one text has: they lead to nobody, and are most of all keys.
 */
#ifndef MITHRIL_DEDUP_GROUP_LONE_H
#define MITHRIL_DEDUP_GROUP_LONE_H

#include <stddef.h>

#include "dedup/group/near.h"

/* Sets lone keys to 0, and a few of the others never. *left keys remain, *memory bytes were used meanwhile.
 * -ENOMEM. */
int dedup_lone_strike(struct dedup_text *texts, size_t count, unsigned bands, unsigned threads, size_t *left,
	size_t *memory);

#endif
