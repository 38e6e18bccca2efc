/*
 * Gets live chunks off dead bases, so that the bases can go.
 *
 * A group is what stands on the same dead bases. Each of its chunks, those of the oldest file first, is
 * encoded anew against the best of: the live chunk below the dead one, chunks at the same place of the same
 * tensor in other live files, those of the group that now stand alone, or nothing. Sizes are estimated first:
 * a group that would not shrink the store stays as it is. The bounds on chains are the encoder's.
 *
 * What others stand on together with more may get only a base that it had below it already: so nothing comes
 * to take frames that it did not take before, and those above stay in bounds.
 *
 * What was derived from several bases shares a group with what stands on each of them as a difference. Those
 * are lanes: candidates are looked for once a lane.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/codec/codec.h"
#include "store/upkeep/gc.h"
#include "store/upkeep/orphans.h"
#include "store/upkeep/shared.h"
#include "store/upkeep/siblings.h"
#include "store/util/log.h"

#define GROUP_MAX 32u /* a base under more than that many live chunks earns its keep */
#define CANDIDATES 8u
#define OUTSIDE_MAX 4u /* of which from outside the group, */
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

static const struct chunk_record *pending_find(const struct rebase *r, const struct chunk_id *id)
{
	for (size_t i = 0; i < r->pending_count; i++) {
		if (chunk_id_equal(&r->pending[i].id, id))
			return &r->pending[i].record;
	}
	return NULL;
}

static int record_of(const struct rebase *r, const struct chunk_id *id, struct chunk_record *record)
{
	const struct chunk_record *pending = pending_find(r, id);

	if (!pending)
		return chunks_get(r->gc->parts->chunks, id, record);
	*record = *pending;
	return 0;
}

/* What a chunk stands on, itself too, each once. */
struct below {
	struct chunk_id ids[CHUNK_FRAMES_MAX];
	unsigned depths[CHUNK_FRAMES_MAX], count;
	uint64_t bytes;
};

/* The depth of a chunk, as it is now; 0: not all of its chain is live, or it is longer than `limit`. */
static unsigned weigh(const struct rebase *r, const struct chunk_id *id, unsigned limit, struct below *below)
{
	struct chunk_record record;
	unsigned depth = 0, at;

	for (unsigned i = 0; i < below->count; i++) {
		if (chunk_id_equal(&below->ids[i], id))
			return below->depths[i] > limit ? 0 : below->depths[i];
	}
	if (!limit || below->count == CHUNK_FRAMES_MAX || !gc_is_live(r->gc, id) || record_of(r, id, &record))
		return 0;
	at = below->count++;
	below->ids[at] = *id;
	below->depths[at] = 0; /* a loop is no chain */
	below->bytes += record.place.payload_len;
	for (uint32_t i = 0; i < record.bases.count; i++) {
		unsigned under = weigh(r, &record.bases.id[i], limit - 1, below);

		if (!under)
			return 0;
		depth = under > depth ? under : depth;
	}
	below->depths[at] = depth + 1;
	return depth + 1;
}

/* 1: all of the chain is live; what it costs is as it is now. 0: not. */
static int chain_is_live(const struct rebase *r, const struct chunk_id *id, struct candidate *c)
{
	struct below below = {.count = 0};
	struct chunk_record record;

	if (record_of(r, id, &record))
		return 0;
	c->depth = weigh(r, id, CHUNK_DEPTH_MAX - 1, &below);
	c->frames = below.count;
	c->chain_bytes = below.bytes;
	return c->depth != 0;
}

static int by_distance(const void *a, const void *b)
{
	uint64_t x = ((const struct candidate *)a)->distance, y = ((const struct candidate *)b)->distance;

	return (x > y) - (x < y);
}

static void consider(
	struct rebase *r, const struct chunk_id *id, uint64_t near, struct candidate *found, size_t *count)
{
	const struct mark *mark = marks_find(&r->gc->marks, id);
	struct candidate c = {.id = *id};

	for (size_t i = 0; i < *count; i++) {
		if (chunk_id_equal(&found[i].id, id))
			return;
	}
	if (!mark || !chain_is_live(r, id, &c))
		return;
	c.distance = mark->recipe > near ? mark->recipe - near : near - mark->recipe;
	found[(*count)++] = c;
}

/* The live chunk below the dead run, if there is one, and the leader's siblings; the nearest few are kept and
 * decoded. */
static int find_candidates(struct rebase *r, const struct orphan *leader)
{
	struct group *group = &r->group;
	struct candidate found[SIBLINGS_MAX + 1];
	struct chunk_id ids[SIBLINGS_MAX];
	struct chunk_record root;
	size_t count = 0;
	int n = 0;

	if (!record_of(r, &leader->root, &root) && root.bases.count == 1)
		consider(r, &root.bases.id[0], leader->recipe, found, &count);
	if (leader->off != MARK_NOWHERE)
		n = siblings_find(r->siblings, leader->recipe, leader->off, ids);
	for (int i = 0; i < n; i++)
		consider(r, &ids[i], leader->recipe, found, &count);
	qsort(found, count, sizeof *found, by_distance);
	for (size_t i = 0; i < count && group->candidate_count < OUTSIDE_MAX; i++) {
		if (!decode_chunk(r->gc->parts->decoder, &found[i].id, &found[i].data))
			group->candidates[group->candidate_count++] = found[i];
	}
	return n < 0 ? n : 0;
}

static uint64_t estimate(struct rebase *r, const struct member *member, const struct chunk_data *data,
	const struct candidate *base)
{
	struct codec_input in = {.dtype = (enum dtype)member->record.dtype};

	in.src = chunk_data_bytes(data, &in.len);
	if (base)
		in.base = chunk_data_bytes(base->data, &in.base_len);
	return codec_estimate(r->ws, &in);
}

static void choose_base(struct rebase *r, struct member *member, const struct chunk_data *data)
{
	struct group *group = &r->group;
	uint64_t alone = estimate(r, member, data, NULL);
	bool shared = marks_find(&r->shared, &member->orphan->id) != NULL;

	member->estimate = alone;
	member->chain_bytes = alone;
	member->depth = 1;
	for (size_t i = 0; i < group->candidate_count; i++) {
		const struct candidate *c = &group->candidates[i];
		uint64_t bytes;

		/* Not deeper than it was, so that what stands on it stays in bounds. */
		if (c->depth + 1 > member->record.depth || c->frames + 1 > member->record.frames)
			continue;
		if (shared && !chunks_stands_on(r->gc->parts->chunks, &member->record, &c->id))
			continue;
		bytes = estimate(r, member, data, c);
		if (bytes + c->chain_bytes > 2 * alone || bytes + bytes / 16 >= member->estimate)
			continue;
		member->estimate = bytes;
		member->base = c->id;
		member->chain_bytes = bytes + c->chain_bytes;
		member->depth = c->depth + 1;
	}
}

static int plan_member(struct rebase *r, struct member *member)
{
	struct group *group = &r->group;
	struct chunk_data *data;
	int rc = decode_chunk(r->gc->parts->decoder, &member->orphan->id, &data);

	if (rc)
		return rc;
	choose_base(r, member, data);
	group->new_bytes += member->estimate;
	group->old_bytes += member->record.place.payload_len;
	if (member->depth == 1 && group->candidate_count < CANDIDATES) {
		struct candidate *c = &group->candidates[group->candidate_count++];

		*c = (struct candidate){.id = member->orphan->id,
			.data = data,
			.chain_bytes = member->estimate,
			.depth = 1,
			.frames = 1};
		return 0;
	}
	decode_release(r->gc->parts->decoder, data);
	return 0;
}

/* What goes when nothing stands on the dead ones any more. Each is counted once. */
static int count_dead_below(struct rebase *r)
{
	struct marks seen = {0};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < r->group.count; i++) {
		struct chunk_id dead[CHUNK_FRAMES_MAX];
		size_t count = 0;

		rc = orphans_dead_below(r->gc, &r->group.members[i].record, dead, &count);
		for (size_t d = 0; rc > 0 && d < count; d++) {
			struct chunk_record record;

			rc = marks_add(&seen, &dead[d], MARK_BASE, MARK_NOWHERE);
			if (rc > 0 && !chunks_get(r->gc->parts->chunks, &dead[d], &record))
				r->group.old_bytes += record.place.payload_len;
			rc = rc < 0 ? rc : 1;
		}
	}
	marks_release(&seen);
	return rc < 0 ? rc : 0;
}

static int encode_member(struct rebase *r, const struct member *member)
{
	struct pending *pending = &r->pending[r->pending_count];
	struct candidate base = {0};
	int rc;

	/* Its record may still be put, as it was, by an encoder that shares it: next time. */
	if (chunks_announced(r->gc->parts->chunks, &member->orphan->id, &pending->record))
		return -ENOENT;
	if (!chunk_id_is_zero(&member->base) && !chain_is_live(r, &member->base, &base))
		return -ENOENT; /* its base could not be encoded */
	rc = encode_again(r->gc->parts->encoder, &member->orphan->id,
		chunk_id_is_zero(&member->base) ? NULL : &member->base, &pending->record);
	if (rc)
		return rc;
	/* What encode_again says of the chain may be of a record that is pending here. */
	if (!pending->record.bases.count)
		base = (struct candidate){0};
	pending->record.depth = (uint8_t)(base.depth + 1);
	pending->record.frames = (uint8_t)(base.frames + 1);
	pending->record.chain_bytes = (uint32_t)(base.chain_bytes + pending->record.place.payload_len);
	pending->id = member->orphan->id;
	r->pending_bytes += pending->record.place.payload_len;
	r->pending_count++;
	return 0;
}

static int commit(struct rebase *r)
{
	const struct parts *parts = r->gc->parts;
	int rc;

	if (!r->pending_count)
		return 0;
	kv_batch_clear(r->batch);
	kv_batch_frees(r->batch); /* bases go after it */
	for (size_t i = 0; i < r->pending_count; i++) {
		if (marks_add(&r->changed, &r->pending[i].id, MARK_BASE, MARK_NOWHERE) < 0)
			return -ENOMEM;
		chunks_put(parts->chunks, r->batch, &r->pending[i].id, &r->pending[i].record);
	}
	rc = packs_sync(parts->packs);
	if (!rc)
		rc = kv_write(parts->kv, r->batch, true);
	if (rc)
		return rc;
	r->gc->result->chunks_rebased += r->pending_count;
	r->pending_count = 0;
	r->pending_bytes = 0;
	return 0;
}

static void release_candidates(struct rebase *r)
{
	for (size_t i = 0; i < r->group.candidate_count; i++)
		decode_release(r->gc->parts->decoder, r->group.candidates[i].data);
	r->group.candidate_count = 0;
}

/* Members of one root and dtype are of one lane if they are the n-th of them in their recipes: two f32 chunks
 * may stand on one bf16 chunk. Gives the number of lanes. */
static unsigned set_lanes(struct group *group)
{
	unsigned first = 0, count = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct member *member = &group->members[i];
		const struct orphan *orphan = member->orphan, *before = i ? member[-1].orphan : NULL;

		if (!before || orphan->dtype != before->dtype ||
			!chunk_id_equal(&orphan->root, &before->root))
			first = member->lane = count;
		else
			member->lane = orphan->recipe == before->recipe ? member[-1].lane + 1 : first;
		count = member->lane >= count ? member->lane + 1 : count;
	}
	return count;
}

static int plan_lane(struct rebase *r, unsigned lane)
{
	struct group *group = &r->group;
	const struct orphan *leader = NULL;
	int rc = 0;

	for (size_t i = 0; !rc && i < group->count; i++) {
		if (group->members[i].lane != lane)
			continue;
		if (!leader) {
			leader = group->members[i].orphan;
			rc = find_candidates(r, leader);
		}
		if (!rc)
			rc = plan_member(r, &group->members[i]);
	}
	release_candidates(r);
	return rc;
}

static int plan_group(struct rebase *r, const struct orphan *orphans, size_t count)
{
	struct group *group = &r->group;
	int rc = 0;

	group->count = 0;
	group->old_bytes = group->new_bytes = 0;
	for (size_t i = 0; !rc && i < count; i++) {
		group->members[i] = (struct member){.orphan = &orphans[i]};
		rc = chunks_get(r->gc->parts->chunks, &orphans[i].id, &group->members[i].record);
		group->count++;
	}
	if (!rc)
		rc = count_dead_below(r);
	for (unsigned lane = 0, lanes = set_lanes(group); !rc && lane < lanes; lane++)
		rc = plan_lane(r, lane);
	return rc;
}

static bool is_damage(int rc)
{
	return rc == -ENOENT || rc == -EBADMSG;
}

static int rebase_group(struct rebase *r, const struct orphan *orphans, size_t count)
{
	struct group *group = &r->group;
	int rc;

	if (count > GROUP_MAX)
		return 0;
	rc = plan_group(r, orphans, count);
	if (rc || group->new_bytes >= group->old_bytes) {
		if (is_damage(rc))
			log_warning("gc: a chunk cannot be read and keeps its base; run scrub");
		return is_damage(rc) ? 0 : rc;
	}
	if (r->pending_count + count > PENDING_MAX || r->pending_bytes > PENDING_BYTES)
		rc = commit(r);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = encode_member(r, &group->members[i]);
		if (is_damage(rc))
			rc = 0;
	}
	return rc;
}

static int rebase_all(struct rebase *r, const struct orphans *orphans)
{
	int rc = gc_step(r->gc, "rebase", 0);

	for (size_t i = 0; !rc && i < orphans->count;) {
		size_t end = i + 1;

		while (end < orphans->count && orphans->list[end].group == orphans->list[i].group)
			end++;
		rc = rebase_group(r, &orphans->list[i], end - i);
		if (!rc)
			rc = gc_step(r->gc, "rebase", (double)end / (double)orphans->count);
		i = end;
	}
	if (!rc || rc == -ENOSPC)
		rc = commit(r);
	if (rc != -ENOSPC)
		return rc;
	log_warning("gc: no room to give up all bases; the next collection goes on");
	return 0;
}

/* What stands on a changed chunk has another chain now; what stands on that has, too. */
struct restate {
	struct rebase *r;
	uint64_t changes;
};

static int restate_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct restate *restate = ctx;
	struct rebase *r = restate->r;
	struct chunk_record now = *record, bases[FRAME_BASES_MAX];
	bool changed = false;
	int rc;

	for (uint32_t i = 0; i < record->bases.count; i++)
		changed |= marks_find(&r->changed, &record->bases.id[i]) != NULL;
	for (uint32_t i = 0; changed && i < record->bases.count; i++) {
		if (chunks_get(r->gc->parts->chunks, &record->bases.id[i], &bases[i]))
			return 0;
	}
	if (!changed || !chunks_stand(r->gc->parts->chunks, &now, bases))
		return 0;
	if (now.depth == record->depth && now.frames == record->frames &&
		now.chain_bytes == record->chain_bytes)
		return 0;
	chunks_put(r->gc->parts->chunks, r->batch, id, &now);
	restate->changes++;
	rc = marks_add(&r->changed, id, MARK_BASE, MARK_NOWHERE);
	if (rc < 0)
		return rc;
	if (kv_batch_count(r->batch) < 4096)
		return 0;
	rc = kv_write(r->gc->parts->kv, r->batch, false);
	kv_batch_clear(r->batch);
	return rc;
}

static int restate_all(struct rebase *r)
{
	struct restate restate = {r, r->changed.count};
	int rc = 0;

	/* A level of the chains each time; what was changed is written before the next. */
	for (unsigned n = 0; !rc && n < CHUNK_DEPTH_MAX && restate.changes; n++) {
		restate.changes = 0;
		kv_batch_clear(r->batch);
		rc = chunks_each(r->gc->parts->chunks, restate_chunk, &restate);
		if (!rc && kv_batch_count(r->batch))
			rc = kv_write(r->gc->parts->kv, r->batch, false);
	}
	return rc;
}

int gc_rebase(struct gc *gc)
{
	struct orphans orphans = {0};
	struct rebase *r = NULL;
	int rc = 0;

	if (!gc->parts->encoder)
		return 0;
	rc = orphans_find(gc, &orphans);
	if (rc || !orphans.count)
		goto out;
	rc = -ENOMEM;
	r = calloc(1, sizeof *r);
	if (!r)
		goto out;
	r->gc = gc;
	r->ws = codec_workspace_new();
	r->siblings = siblings_new(gc->parts->recipes);
	r->batch = kv_batch_new();
	if (!r->ws || !r->siblings || !r->batch)
		goto out;
	rc = shared_find(gc, &r->shared);
	if (!rc)
		rc = rebase_all(r, &orphans);
	if (!rc)
		rc = restate_all(r);
	/* Depths that are told too great do no harm. */
	if (rc == -ENOSPC)
		rc = 0;
out:
	if (r) {
		codec_workspace_free(r->ws);
		siblings_free(r->siblings);
		kv_batch_free(r->batch);
		marks_release(&r->changed);
		marks_release(&r->shared);
	}
	free(r);
	free(orphans.list);
	return rc;
}
