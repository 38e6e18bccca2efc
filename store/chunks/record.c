#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "store/chunks/chunks.h"
#include "store/util/bytes.h"

#define BASES_AT 32u

struct chunk_record chunk_record_of(const struct frame *frame, const struct frame_place *place)
{
	return (struct chunk_record){.place = *place,
		.bases = frame->bases,
		.raw_len = frame->raw_len,
		.codec = frame->codec,
		.codec_version = frame->codec_version,
		.dtype = frame->dtype,
		.salt = frame->salt};
}

bool chunk_record_agrees(const struct chunk_record *record, const struct frame *frame)
{
	return chunk_bases_equal(&record->bases, &frame->bases) && record->raw_len == frame->raw_len &&
	       record->codec == frame->codec && record->codec_version == frame->codec_version &&
	       record->dtype == frame->dtype && record->salt == frame->salt;
}

static bool set_standing(struct chunk_record *record, unsigned depth, unsigned frames, uint64_t bytes)
{
	if (depth > CHUNK_DEPTH_MAX || frames > CHUNK_FRAMES_MAX)
		return false;
	record->depth = (uint8_t)depth;
	record->frames = (uint8_t)frames;
	record->chain_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
	return true;
}

bool chunk_record_stand(struct chunk_record *record, const struct chunk_record *base)
{
	if (!record->bases.count)
		return set_standing(record, 1, 1, record->place.payload_len);
	return set_standing(record, base->depth + 1, base->frames + 1,
		(uint64_t)record->place.payload_len + base->chain_bytes);
}

size_t chunk_record_encode(const struct chunk_record *record, uint8_t dst[CHUNK_RECORD_MAX])
{
	size_t sum_at = BASES_AT + 16 * record->bases.count;

	memset(dst, 0, BASES_AT);
	put_le64(dst, record->place.pack);
	put_le32(dst + 8, record->place.offset);
	put_le32(dst + 12, record->place.payload_len);
	put_le32(dst + 16, record->raw_len);
	put_le32(dst + 20, record->chain_bytes);
	dst[24] = record->codec;
	dst[25] = record->codec_version;
	dst[26] = record->dtype;
	dst[27] = record->salt;
	dst[28] = record->depth;
	dst[29] = record->frames;
	dst[30] = (uint8_t)record->bases.count;
	memcpy(dst + BASES_AT, record->bases.id, 16 * record->bases.count);
	put_le64(dst + sum_at, XXH3_64bits(dst, sum_at));
	return sum_at + 8;
}

static bool in_bounds(const struct chunk_record *record)
{
	const struct frame_place *place = &record->place;

	if (!place->pack || place->offset < PACK_HEADER_SIZE || place->offset % 8)
		return false;
	if (place->payload_len > FRAME_PAYLOAD_MAX || record->raw_len < 1 || record->raw_len > FRAME_RAW_MAX)
		return false;
	if (record->depth < 1 || record->depth > CHUNK_DEPTH_MAX)
		return false;
	if (record->frames < record->depth || record->frames > CHUNK_FRAMES_MAX)
		return false;
	return chunk_bases_sound(&record->bases) && !record->bases.count == (record->depth == 1);
}

int chunk_record_decode(struct chunk_record *record, const uint8_t *src, size_t len)
{
	size_t sum_at;

	if (len < BASES_AT || src[30] > FRAME_BASES_MAX)
		return -EBADMSG;
	sum_at = BASES_AT + 16 * (size_t)src[30];
	if (len != sum_at + 8 || get_le64(src + sum_at) != XXH3_64bits(src, sum_at))
		return -EBADMSG;
	record->place.pack = get_le64(src);
	record->place.offset = get_le32(src + 8);
	record->place.payload_len = get_le32(src + 12);
	record->raw_len = get_le32(src + 16);
	record->chain_bytes = get_le32(src + 20);
	record->codec = src[24];
	record->codec_version = src[25];
	record->dtype = src[26];
	record->salt = src[27];
	record->depth = src[28];
	record->frames = src[29];
	record->place.bases = src[30];
	record->bases = (struct chunk_bases){.count = src[30]};
	memcpy(record->bases.id, src + BASES_AT, 16 * (size_t)src[30]);
	return in_bounds(record) ? 0 : -EBADMSG;
}

struct chunk_id chunk_id_of(uint64_t seed, uint8_t salt, const void *src, size_t len)
{
	XXH128_canonical_t canonical;
	struct chunk_id id;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(src, len, seed + salt));
	memcpy(&id, &canonical, sizeof id);
	if (chunk_id_is_zero(&id))
		id.b[15] = 1;
	return id;
}

/* What was met on the way down, each once. */
struct descent {
	struct chunk_id ids[CHUNK_FRAMES_MAX];
	unsigned count;
};

static bool descend(struct descent *descent, const struct chunk_bases *bases)
{
	for (uint32_t i = 0; i < bases->count; i++) {
		unsigned at = 0;

		while (at < descent->count && !chunk_id_equal(&descent->ids[at], &bases->id[i]))
			at++;
		if (at < descent->count)
			continue;
		/* the chunk itself is one more */
		if (descent->count == CHUNK_FRAMES_MAX - 1)
			return false;
		descent->ids[descent->count++] = bases->id[i];
	}
	return true;
}

bool chunks_stand(struct chunks *chunks, struct chunk_record *record, const struct chunk_record *bases)
{
	uint64_t bytes = record->place.payload_len;
	struct descent descent = {.count = 0};
	struct chunk_record below;
	unsigned depth = 0;

	if (record->bases.count <= 1)
		return chunk_record_stand(record, bases);
	if (!descend(&descent, &record->bases))
		return false;
	for (unsigned i = 0; i < descent.count; i++) {
		const struct chunk_record *at = i < record->bases.count ? &bases[i] : &below;

		if (at == &below && chunks_get(chunks, &descent.ids[i], &below))
			return false;
		depth = at->depth > depth ? at->depth : depth;
		bytes += at->place.payload_len;
		if (!descend(&descent, &at->bases))
			return false;
	}
	return set_standing(record, depth + 1, descent.count + 1, bytes);
}

bool chunks_stands_on(struct chunks *chunks, const struct chunk_record *record, const struct chunk_id *id)
{
	struct descent descent = {.count = 0};
	struct chunk_record below;

	if (!descend(&descent, &record->bases))
		return false;
	for (unsigned i = 0; i < descent.count; i++) {
		if (chunk_id_equal(&descent.ids[i], id))
			return true;
		if (chunks_get(chunks, &descent.ids[i], &below) || !descend(&descent, &below.bases))
			return false;
	}
	return false;
}
