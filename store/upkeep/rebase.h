/*
 * Getting live chunks off dead bases: what the files of rebase share. Not for others.
 *
 * rebase.c          group by group: planned, encoded, committed
 * rebase_plan.c     which base each chunk of a group would get, and whether that shrinks the store
 * rebase_chain.c    what a chunk stands on as it will be
 * rebase_restate.c  records of what stands above, brought up to date
 *
 * One thread, that of the collection.
 */
#ifndef MITHRIL_STORE_UPKEEP_REBASE_H
#define MITHRIL_STORE_UPKEEP_REBASE_H

#include "store/codec/codec.h"
#include "store/upkeep/gc.h"
#include "store/upkeep/orphans.h"
#include "store/upkeep/siblings.h"

#define GROUP_MAX 32u /* a base under more than that many live chunks earns its keep */
#define CANDIDATES 8u
#define PENDING_MAX 256u
#define PENDING_BYTES (64u << 20)

struct candidate {
	struct chunk_id id;
	struct chunk_data *data;
	uint64_t chain_bytes, distance;
	unsigned depth, frames;
};

struct member {
	const struct orphan *orphan;
	struct chunk_record record;
	struct chunk_id base; /* the one chosen; zero: alone */
	uint64_t estimate, chain_bytes;
	unsigned depth, lane;
};

struct group {
	struct member members[GROUP_MAX];
	size_t count;
	struct candidate candidates[CANDIDATES]; /* of the lane at hand */
	size_t candidate_count;
	uint64_t old_bytes, new_bytes;
};

/* Chunks encoded anew that are not committed yet. */
struct pending {
	struct chunk_id id;
	struct chunk_record record;
};

struct rebase {
	struct gc *gc;
	struct codec_workspace *ws;
	struct siblings *siblings;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	uint64_t pending_bytes;
	struct marks changed;
	struct marks shared; /* what lies below chunks of several bases */
	struct kv_batch *batch;
	struct group group;
};

/* The record of a chunk, as it will be once what is pending is committed. -ENOENT, -EIO, -EBADMSG. */
int rebase_record(const struct rebase *r, const struct chunk_id *id, struct chunk_record *record);
/* Fills in what it takes to decode the chunk, as it will be. False: not all of its chain is live, or it is so
 * long that nothing may stand on it. */
bool rebase_chain(const struct rebase *r, const struct chunk_id *id, struct candidate *c);

/* Fills r->group with these orphans and the best base for each: what they take now, with the dead chunks
 * that go if they all leave them, is old_bytes, and what they would take new_bytes. -ENOENT and -EBADMSG: one
 * of them cannot be read; -ENOMEM, -EIO. */
int rebase_plan(struct rebase *r, const struct orphan *orphans, size_t count);

/* Depth, frames and bytes of what stands on chunks in r->changed, level by level, and written. -ENOSPC: those
 * that are left say too much, which does no harm. -EIO, -ENOMEM. */
int rebase_restate(struct rebase *r);

#endif
