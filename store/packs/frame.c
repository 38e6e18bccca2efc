#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "store/packs/internal.h"
#include "store/util/bytes.h"

#define FRAME_VERSION 1u
#define FRAME_BASES_AT 48u
#define PACK_VERSION 1u
#define PACK_SUM_AT 56u

static const uint8_t frame_magic[8] = FRAME_MAGIC;
static const uint8_t pack_magic[8] = PACK_MAGIC;

bool chunk_bases_sound(const struct chunk_bases *bases)
{
	if (bases->count > FRAME_BASES_MAX)
		return false;
	for (uint32_t i = 0; i < bases->count; i++) {
		if (chunk_id_is_zero(&bases->id[i]))
			return false;
		for (uint32_t j = 0; j < i; j++) {
			if (chunk_id_equal(&bases->id[i], &bases->id[j]))
				return false;
		}
	}
	return true;
}

uint32_t frame_encode(const struct frame *frame, const void *payload, uint8_t dst[FRAME_HEADER_MAX])
{
	uint32_t size = frame_header_size(frame->bases.count), sum_at = size - 8;

	memset(dst, 0, size);
	memcpy(dst, frame_magic, sizeof frame_magic);
	put_le16(dst + 8, FRAME_VERSION);
	dst[10] = frame->codec;
	dst[11] = frame->codec_version;
	dst[12] = frame->dtype;
	dst[13] = frame->salt;
	dst[14] = (uint8_t)frame->bases.count;
	put_le32(dst + 16, frame->raw_len);
	put_le32(dst + 20, frame->payload_len);
	memcpy(dst + 24, &frame->id, 16);
	put_le64(dst + 40, XXH3_64bits(payload, frame->payload_len));
	memcpy(dst + FRAME_BASES_AT, frame->bases.id, 16 * frame->bases.count);
	put_le64(dst + sum_at, XXH3_64bits(dst, sum_at));
	return size;
}

static bool in_bounds(const struct frame *frame)
{
	return frame->raw_len >= 1 && frame->raw_len <= FRAME_RAW_MAX &&
	       frame->payload_len <= FRAME_PAYLOAD_MAX && !chunk_id_is_zero(&frame->id) &&
	       chunk_bases_sound(&frame->bases);
}

int frame_decode(struct frame *frame, uint64_t *payload_sum, const uint8_t *src, size_t len)
{
	uint32_t count, sum_at;

	if (len < FRAME_HEADER_MIN || memcmp(src, frame_magic, sizeof frame_magic))
		return -EBADMSG;
	count = src[14];
	if (count > FRAME_BASES_MAX || len < frame_header_size(count))
		return -EBADMSG;
	sum_at = frame_header_size(count) - 8;
	if (get_le64(src + sum_at) != XXH3_64bits(src, sum_at))
		return -EBADMSG;
	if (get_le16(src + 8) != FRAME_VERSION)
		return -EPROTONOSUPPORT;
	frame->codec = src[10];
	frame->codec_version = src[11];
	frame->dtype = src[12];
	frame->salt = src[13];
	frame->raw_len = get_le32(src + 16);
	frame->payload_len = get_le32(src + 20);
	memcpy(&frame->id, src + 24, 16);
	*payload_sum = get_le64(src + 40);
	frame->bases = (struct chunk_bases){.count = count};
	memcpy(frame->bases.id, src + FRAME_BASES_AT, 16 * count);
	return in_bounds(frame) ? 0 : -EBADMSG;
}

void pack_header_encode(uint8_t dst[PACK_HEADER_SIZE], const uint8_t uuid[16], uint64_t id)
{
	memset(dst, 0, PACK_HEADER_SIZE);
	memcpy(dst, pack_magic, sizeof pack_magic);
	put_le32(dst + 8, PACK_VERSION);
	memcpy(dst + 16, uuid, 16);
	put_le64(dst + 32, id);
	put_le64(dst + PACK_SUM_AT, XXH3_64bits(dst, PACK_SUM_AT));
}

int pack_header_check(const uint8_t src[PACK_HEADER_SIZE], const uint8_t uuid[16], uint64_t id, bool *foreign)
{
	*foreign = false;
	if (memcmp(src, pack_magic, sizeof pack_magic))
		return -EBADMSG;
	if (get_le64(src + PACK_SUM_AT) != XXH3_64bits(src, PACK_SUM_AT))
		return -EBADMSG;
	*foreign =
		get_le32(src + 8) != PACK_VERSION || memcmp(src + 16, uuid, 16) || get_le64(src + 32) != id;
	return *foreign ? -EBADMSG : 0;
}
