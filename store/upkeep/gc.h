/*
 * One garbage collection, shared by its phases. gc.c is its table of contents.
 *
 * One thread runs it from end to end, and only it changes the place or the base of a chunk that has a record;
 * encoders only add records. So what a phase has read of a record is still true when it writes it back.
 *
 * A kill at any moment leaves a sound store: frames are appended and synced before the batch that refers to
 * them, and a pack is removed after that batch is durable. At worst frames are there twice, until the next
 * collection.
 */
#ifndef MITHRIL_STORE_UPKEEP_GC_H
#define MITHRIL_STORE_UPKEEP_GC_H

#include <stdbool.h>
#include <stdint.h>

#include "store/upkeep/marks.h"
#include "store/upkeep/numbers.h"
#include "store/upkeep/upkeep.h"

struct gc {
	const struct parts *parts;
	unsigned dead_percent;
	int (*progress)(void *ctx, const char *phase, double share);
	void *ctx;
	struct gc_result *result;
	struct marks marks;
	struct numbers live; /* of chunks that are used in part: by their first 8 bytes, how many bytes are */
};

/* Tells how far it is. 0, or -EINTR when the caller wants it to end. */
int gc_step(const struct gc *gc, const char *phase, double share);

/* Whether a recipe refers to the chunk; a base that is only kept does not count. */
bool gc_is_live(const struct gc *gc, const struct chunk_id *id);

/* Marks everything below `record` in its chain. A missing base is logged and ends the climb: the chunk is
 * lost already. */
int gc_keep_chain(struct gc *gc, const struct chunk_id *id, const struct chunk_record *record);

/* The phases, in order. 0 or -errno; -EINTR the caller ended it. */
int gc_purge(struct gc *gc);  /* pages of dead recipes go */
int gc_mark(struct gc *gc);   /* what living recipes refer to is marked */
int gc_rebase(struct gc *gc); /* live chunks get off dead bases; -ENOSPC is not an error: the rest stay where
				 they are */
int gc_sweep(struct gc *gc);  /* the bases that remain are marked too; records of what is unmarked go */
int gc_repack(struct gc *gc); /* packs that are mostly dead are written anew and removed */
int gc_thin(struct gc *gc);   /* small files that are left in chunks whose others are gone are staged again */

/* An extent of a living recipe was seen. -ENOMEM. */
int gc_note_part(struct gc *gc, const struct extent *extent);

#endif
