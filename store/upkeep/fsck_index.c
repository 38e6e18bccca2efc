#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "store/upkeep/fsck.h"
#include "store/upkeep/places.h"
#include "store/util/bytes.h"

static int add_bad(struct fsck *fsck, const struct chunk_id *id)
{
	int rc = marks_add(&fsck->bad, id, MARK_BASE, MARK_NOWHERE);

	return rc < 0 ? rc : 0;
}

/* --- records --- */

static int check_record(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct chunk_record record, base;
	struct chunk_id id;
	int rc = 0;

	(void)ctx;
	if (pair->key_len != sizeof id) {
		fsck_found(fsck, "chunk index: a key of %zu bytes; it is ignored", pair->key_len);
		return 0;
	}
	memcpy(&id, pair->key, sizeof id);
	if (chunk_id_is_zero(&id) || chunk_record_decode(&record, pair->value, pair->value_len))
		return chunk_id_is_zero(&id) ? 0 : add_bad(fsck, &id);
	for (uint32_t i = 0; !rc && i < record.bases.count; i++) {
		rc = chunks_get(fsck->parts->chunks, &record.bases.id[i], &base);
		if (rc == -ENOENT || rc == -EBADMSG)
			rc = add_bad(fsck, &record.bases.id[i]);
		else if (!rc && base.depth >= record.depth)
			rc = add_bad(fsck, &id);
	}
	return rc;
}

static int check_known(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct fsck *fsck = ctx;
	struct chunk_record record;
	int rc;

	if (chunk_id_is_zero(&extent->chunk) || marks_find(&fsck->bad, &extent->chunk))
		return 0;
	rc = chunks_get(fsck->parts->chunks, &extent->chunk, &record);
	if (rc == -ENOENT || rc == -EBADMSG)
		rc = marks_add(&fsck->bad, &extent->chunk, recipe, extent->off);
	return rc < 0 ? rc : 0;
}

/* --- frames --- */

struct match {
	struct fsck *fsck;
	const struct places *places;
	size_t at, end; /* those of this pack not yet met */
};

static bool is_frame_of(const struct fsck *fsck, const struct place *place, const struct frame *frame)
{
	struct chunk_record record;

	return chunk_id_equal(&place->id, &frame->id) && place->place.payload_len == frame->payload_len &&
	       !chunks_get(fsck->parts->chunks, &place->id, &record) && chunk_record_agrees(&record, frame);
}

static int match_frame(void *ctx, const struct frame *frame, const struct frame_place *at)
{
	struct match *match = ctx;
	int rc = 0;

	while (!rc && match->at < match->end && match->places->list[match->at].place.offset <= at->offset) {
		const struct place *place = &match->places->list[match->at++];

		if (place->place.offset < at->offset || !is_frame_of(match->fsck, place, frame))
			rc = add_bad(match->fsck, &place->id);
	}
	return rc;
}

static int check_pack(struct fsck *fsck, const struct places *places, size_t begin, size_t end)
{
	struct match match = {fsck, places, begin, end};
	uint64_t pack = places->list[begin].place.pack;
	int rc = packs_scan(fsck->parts->packs, pack, match_frame, &match, NULL);

	if (rc == -ENOENT)
		fsck_found(fsck,
			"pack %016" PRIx64
			" is missing and %zu chunks with it; put the file back if there is a copy",
			pack, end - begin);
	else if (rc && rc != -ENOMEM)
		fsck_found(fsck,
			"pack %016" PRIx64 " cannot be read (%s); put the file back if there is a copy", pack,
			strerror(-rc));
	if (rc == -ENOMEM)
		return rc;
	for (rc = 0; !rc && match.at < end; match.at++)
		rc = add_bad(fsck, &places->list[match.at].id);
	return rc;
}

static int check_packs(struct fsck *fsck)
{
	struct places places = {0};
	int rc = places_load(fsck->parts->chunks, &places);

	if (rc == -EBADMSG)
		rc = 0;
	for (size_t i = 0; !rc && i < places.count;) {
		uint64_t pack = places.list[i].place.pack;
		size_t end = pack == UINT64_MAX ? places.count : places_from(&places, pack + 1, 0);

		rc = check_pack(fsck, &places, i, end);
		if (!rc)
			rc = fsck_step(fsck, "packs", (double)end / (double)places.count);
		i = end;
	}
	places_release(&places);
	return rc;
}

/* --- */

static int repair(struct fsck *fsck)
{
	uint64_t found = 0;
	int rc = fsck_rebuild(fsck, &found);

	if (found)
		fsck_fixed(fsck, "%" PRIu64 " records of the chunk index, rebuilt from the packs", found);
	return rc;
}

static void tell_bad(struct fsck *fsck)
{
	for (size_t i = 0; i < fsck->bad.capacity; i++) {
		const struct mark *mark = &fsck->bad.entries[i];

		if (chunk_id_is_zero(&mark->id))
			continue;
		fsck_found(fsck, "chunk %016" PRIx64 "%016" PRIx64 ": %s%s", get_be64(mark->id.b),
			get_be64(mark->id.b + 8),
			mark->recipe == MARK_BASE ? "no sound frame where the index says"
						  : "not in the index",
			fsck->options->repair ? ", nor anywhere in the packs"
					      : "; --repair looks for it in the packs");
	}
}

int fsck_index(struct fsck *fsck)
{
	int rc = fsck_step(fsck, "index", 0);

	if (!rc)
		rc = fsck_walk(fsck, KV_CHUNKS, check_record, NULL);
	if (!rc)
		rc = check_packs(fsck);
	if (!rc) {
		rc = recipes_each_extent(fsck->parts->recipes, check_known, fsck);
		if (rc == -EBADMSG)
			rc = 0; /* fsck_content tells which */
	}
	if (!rc && fsck->options->repair && fsck->bad.count)
		rc = repair(fsck);
	if (!rc)
		tell_bad(fsck);
	return rc;
}
