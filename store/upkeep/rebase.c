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
#include "store/upkeep/rebase.h"

#include <errno.h>
#include <stdlib.h>

#include "store/upkeep/shared.h"
#include "store/util/log.h"

static int encode_member(struct rebase *r, const struct member *member)
{
	struct pending *pending = &r->pending[r->pending_count];
	struct candidate base = {0};
	int rc;

	/* Its record may still be put, as it was, by an encoder that shares it: next time. */
	if (chunks_announced(r->gc->parts->chunks, &member->orphan->id, &pending->record))
		return -ENOENT;
	if (!chunk_id_is_zero(&member->base) && !rebase_chain(r, &member->base, &base))
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
	rc = rebase_plan(r, orphans, count);
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
		rc = rebase_restate(r);
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
