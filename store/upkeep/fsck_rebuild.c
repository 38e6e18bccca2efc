/*
 * The chunk index from the packs alone.
 *
 * Pass after pass over all packs: a frame whose chunk lacks a record gets one as soon as its bases have one,
 * until a pass finds nothing. So chains have no cycles, and the shallowest of several frames of a chunk wins.
 * What nothing refers to is the next collection's to remove.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/upkeep/fsck.h"

#define BATCH 1024u

struct rebuild {
	struct fsck *fsck;
	struct kv_batch *batch;
	struct marks found;
	uint64_t found_before;
	uint8_t *payload;
};

static bool lacks_record(
	const struct rebuild *rebuild, const struct chunk_id *id, struct chunk_record *record)
{
	if (marks_find(&rebuild->fsck->bad, id) && !marks_find(&rebuild->found, id))
		return true;
	return chunks_get(rebuild->fsck->parts->chunks, id, record) != 0;
}

static int write_out(struct rebuild *rebuild)
{
	int rc = kv_batch_count(rebuild->batch) ? kv_write(rebuild->fsck->parts->kv, rebuild->batch, false)
						: 0;

	kv_batch_clear(rebuild->batch);
	return rc;
}

static int adopt(void *ctx, const struct frame *frame, const struct frame_place *place)
{
	struct rebuild *rebuild = ctx;
	const struct parts *parts = rebuild->fsck->parts;
	struct chunk_record record, bases[FRAME_BASES_MAX];
	struct frame read;
	int rc;

	if (marks_find(&rebuild->found, &frame->id) || !lacks_record(rebuild, &frame->id, &record))
		return 0;
	for (uint32_t i = 0; i < frame->bases.count; i++) {
		if (lacks_record(rebuild, &frame->bases.id[i], &bases[i]))
			return 0;
	}
	record = chunk_record_of(frame, place);
	if (!chunks_stand(parts->chunks, &record, bases))
		return 0;
	rc = packs_read(parts->packs, place, &frame->id, &read, rebuild->payload, FRAME_PAYLOAD_MAX);
	if (rc)
		return rc == -EBADMSG || rc == -EIO ? 0 : rc;
	chunks_put(parts->chunks, rebuild->batch, &frame->id, &record);
	rc = marks_add(&rebuild->found, &frame->id, MARK_BASE, MARK_NOWHERE);
	if (rc < 0)
		return rc;
	/* A base must be readable before the next frame asks for it. */
	return kv_batch_count(rebuild->batch) >= BATCH ? write_out(rebuild) : 0;
}

static int pass(struct rebuild *rebuild, const uint64_t *packs, size_t count)
{
	int rc = 0;

	rebuild->found_before = rebuild->found.count;
	for (size_t i = 0; !rc && i < count; i++) {
		rc = packs_scan(rebuild->fsck->parts->packs, packs[i], adopt, rebuild, NULL);
		if (rc == -EBADMSG || rc == -EIO || rc == -ENOENT)
			rc = 0; /* another store's, or unreadable: nothing to be had there */
		if (!rc)
			rc = write_out(rebuild);
		if (!rc)
			rc = fsck_step(rebuild->fsck, "rebuild", (double)(i + 1) / (double)count);
	}
	return rc;
}

/* What was found is not bad any more. */
static int forget_found(struct rebuild *rebuild)
{
	struct marks *bad = &rebuild->fsck->bad, left = {0};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < bad->capacity; i++) {
		const struct mark *mark = &bad->entries[i];

		if (!chunk_id_is_zero(&mark->id) && !marks_find(&rebuild->found, &mark->id))
			rc = marks_add(&left, &mark->id, mark->recipe, mark->off);
	}
	marks_release(bad);
	*bad = left;
	return rc < 0 ? rc : 0;
}

int fsck_rebuild(struct fsck *fsck, uint64_t *found)
{
	struct rebuild rebuild = {
		.fsck = fsck, .batch = kv_batch_new(), .payload = malloc(FRAME_PAYLOAD_MAX)};
	uint64_t *packs = NULL, append;
	size_t count = 0;
	int rc = rebuild.batch && rebuild.payload ? 0 : -ENOMEM;

	if (!rc)
		rc = packs_list(fsck->parts->packs, &packs, &count, &append);
	while (!rc) {
		rc = pass(&rebuild, packs, count);
		if (rebuild.found.count == rebuild.found_before)
			break;
	}
	if (!rc)
		rc = forget_found(&rebuild);
	if (!rc)
		rc = kv_sync(fsck->parts->kv);
	*found = rebuild.found.count;
	marks_release(&rebuild.found);
	free(rebuild.payload);
	free(packs);
	if (rebuild.batch)
		kv_batch_free(rebuild.batch);
	return rc;
}
