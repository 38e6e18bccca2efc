#include <stdlib.h>

#include "store/upkeep/rebase.h"

#define OUTSIDE_MAX 4u /* candidates from outside the group */

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
	if (!mark || !rebase_chain(r, id, &c))
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

	if (!rebase_record(r, &leader->root, &root) && root.bases.count == 1)
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
	size_t times = encoder_chain_times(r->gc->parts->encoder);
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
		if (bytes + c->chain_bytes > times * alone || bytes + bytes / 16 >= member->estimate)
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

int rebase_plan(struct rebase *r, const struct orphan *orphans, size_t count)
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
