#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "store/chunks/chunks.h"
#include "store/util/bytes.h"

#define SUM_AT 48u

void chunk_record_encode(const struct chunk_record *record, uint8_t dst[CHUNK_RECORD_SIZE])
{
	memset(dst, 0, CHUNK_RECORD_SIZE);
	put_le64(dst, record->place.pack);
	put_le32(dst + 8, record->place.offset);
	put_le32(dst + 12, record->place.payload_len);
	memcpy(dst + 16, &record->base, 16);
	put_le32(dst + 32, record->raw_len);
	put_le32(dst + 36, record->chain_bytes);
	dst[40] = record->codec;
	dst[41] = record->codec_version;
	dst[42] = record->dtype;
	dst[43] = record->salt;
	dst[44] = record->depth;
	put_le64(dst + SUM_AT, XXH3_64bits(dst, SUM_AT));
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
	return chunk_id_is_zero(&record->base) == (record->depth == 1);
}

int chunk_record_decode(struct chunk_record *record, const uint8_t *src, size_t len)
{
	if (len != CHUNK_RECORD_SIZE || get_le64(src + SUM_AT) != XXH3_64bits(src, SUM_AT))
		return -EBADMSG;
	record->place.pack = get_le64(src);
	record->place.offset = get_le32(src + 8);
	record->place.payload_len = get_le32(src + 12);
	memcpy(&record->base, src + 16, 16);
	record->raw_len = get_le32(src + 32);
	record->chain_bytes = get_le32(src + 36);
	record->codec = src[40];
	record->codec_version = src[41];
	record->dtype = src[42];
	record->salt = src[43];
	record->depth = src[44];
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
