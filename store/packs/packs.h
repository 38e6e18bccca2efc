/*
 * Packs: append-only files of frames, STORE/packs/<16 hex digits>.pack. The only code that writes payload.
 *
 * A pack begins with a 64-byte pack header and holds frames back to back, each at a multiple of 8 bytes. At
 * most one pack is open for appending; it is sealed when it passes PACK_TARGET, and at open (a reopened store
 * always starts a new pack, so that a torn tail is never written over). Sealed packs are immutable; they are
 * removed as a whole when garbage collection has moved what lives in them.
 *
 * A frame tells enough (chunk id, lengths, codec, bases, checksums) that the chunk index can be rebuilt from
 * packs alone.
 *
 * Any thread. Appends reserve their place under a lock and write outside it.
 *
 * On disk. Integers are little-endian; checksums are XXH3-64 without a seed.
 *
 *   pack       the file's name is its id, 16 lower-case hex digits (never 0), and ".pack"
 *   offset     size  meaning
 *        0        8  magic "MPACK\r\n\x1a"
 *        8        4  version, 1
 *       12        4  zero
 *       16       16  uuid of the store (superblock)
 *       32        8  the pack's id
 *       40       16  zero
 *       56        8  checksum of bytes 0..55
 *       64           frames
 *
 *   frame      begins at a multiple of 8; up to 7 bytes of any value follow until the next
 *   offset     size  meaning
 *        0        8  magic "MFRAME\r\n"
 *        8        2  version, 1
 *       10        1  codec (store/codec/codec.h)
 *       11        1  codec version
 *       12        1  dtype (store/util/dtype.h)
 *       13        1  salt
 *       14        1  n, number of bases, 0..FRAME_BASES_MAX
 *       15        1  zero
 *       16        4  raw length, 1..FRAME_RAW_MAX
 *       20        4  payload length, 0..FRAME_PAYLOAD_MAX
 *       24       16  chunk id, not zero
 *       40        8  checksum of the payload
 *       48     16 n  chunk ids of the bases, in order; none is zero, and no two are the same
 *   48+16n        8  checksum of all bytes before
 *   56+16n           payload
 *
 * A frame is sound if and only if magic, version and checksums are right, the lengths and the bases are in
 * bounds and the payload ends inside the file. Bytes said to be zero are written as zero and ignored when
 * read. Between frames there may be gaps (failed or torn appends): a scan looks for the next sound header at
 * each multiple of 8.
 */
#ifndef MITHRIL_STORE_PACKS_PACKS_H
#define MITHRIL_STORE_PACKS_PACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACK_TARGET (256u << 20)
#define PACK_HEADER_SIZE 64u
#define FRAME_BASES_MAX 4u
#define FRAME_HEADER_MIN 56u /* without bases */
#define FRAME_HEADER_MAX (FRAME_HEADER_MIN + 16 * FRAME_BASES_MAX)
#define FRAME_ALIGN 8u
#define FRAME_PAYLOAD_MAX (1u << 20)
#define FRAME_RAW_MAX (1u << 20)
#define PACK_MAGIC "MPACK\r\n\x1a"
#define FRAME_MAGIC "MFRAME\r\n"

/* Names a chunk by its content: XXH3-128 of the raw bytes, seeded with the superblock's seed plus `salt` (see
 * frame). */
struct chunk_id {
	uint8_t b[16];
};

static inline bool chunk_id_is_zero(const struct chunk_id *id)
{
	static const struct chunk_id zero;
	return !__builtin_memcmp(id, &zero, sizeof zero);
}

static inline bool chunk_id_equal(const struct chunk_id *a, const struct chunk_id *b)
{
	return !__builtin_memcmp(a, b, sizeof *a);
}

/* What a frame stands on: the chunks whose bytes its payload refers to, in the order that its codec wants. */
struct chunk_bases {
	struct chunk_id id[FRAME_BASES_MAX]; /* [0..count): not zero, all different; the rest is zero */
	uint32_t count;
};

static inline bool chunk_bases_equal(const struct chunk_bases *a, const struct chunk_bases *b)
{
	return a->count == b->count && !__builtin_memcmp(a->id, b->id, a->count * sizeof a->id[0]);
}

/* None, or one. */
static inline struct chunk_bases chunk_bases_of(const struct chunk_id *id)
{
	struct chunk_bases bases = {.count = 0};

	if (id && !chunk_id_is_zero(id))
		bases.id[bases.count++] = *id;
	return bases;
}

struct frame {
	struct chunk_id id;
	struct chunk_bases bases;
	uint32_t raw_len; /* 1..FRAME_RAW_MAX */
	uint32_t payload_len;
	uint8_t codec, codec_version, dtype;
	uint8_t salt; /* 0, or n when n chunks with other bytes but the same id were there before */
};

struct frame_place {
	uint64_t pack;
	uint32_t offset; /* of the frame's header */
	uint32_t payload_len;
	uint32_t bases; /* how many its header names */
};

static inline uint32_t frame_header_size(uint32_t bases)
{
	return FRAME_HEADER_MIN + 16 * bases;
}

/* What a frame takes of its pack: header, payload, and the bytes up to where the next may begin. */
static inline uint64_t frame_span(const struct frame_place *place)
{
	return ((uint64_t)frame_header_size(place->bases) + place->payload_len + FRAME_ALIGN - 1) &
	       ~(uint64_t)(FRAME_ALIGN - 1);
}

/* Pure. count at most FRAME_BASES_MAX, none zero, no two the same. */
bool chunk_bases_sound(const struct chunk_bases *bases);

/* Pure: the bytes before the payload (mithril-format(5)): magic, version, fields, XXH3-64 of the payload,
 * bases, XXH3-64 of the header before it. Gives their number, frame_header_size. */
uint32_t frame_encode(const struct frame *frame, const void *payload, uint8_t dst[FRAME_HEADER_MAX]);
/* Pure. Checks the header's checksum and bounds; *payload_sum is what the payload must hash to. src may be
 * longer than the header. -EBADMSG; -EPROTONOSUPPORT a sound header of a newer version. */
int frame_decode(struct frame *frame, uint64_t *payload_sum, const uint8_t *src, size_t len);

struct packs;

/* `store_uuid` stands in pack headers. -errno. read_only: no appending. */
int packs_open(const char *dir, const uint8_t store_uuid[16], bool read_only, struct packs **out);
void packs_close(struct packs *packs);

/* Appends one frame. Not durable before packs_sync. -EINVAL a field out of bounds; -ENOSPC, -EIO, -EROFS,
 * -errno of pwritev(2): the space is then used by the next append, or left as a gap that scans skip. */
int packs_append(
	struct packs *packs, const struct frame *frame, const void *payload, struct frame_place *place);

/* Copies a frame as it is (header and payload, verified) to the append pack: for garbage collection. Errors
 * of packs_read and packs_append. */
int packs_move(struct packs *packs, const struct frame_place *from, struct frame_place *to);

/* Everything appended before the call becomes durable (data, and the directory for new packs). A failed sync
 * is sticky: appends and syncs give -EIO until the store is reopened. */
int packs_sync(struct packs *packs);

/* Reads and verifies the frame at `place`: header into *frame, payload into `payload` (place->payload_len <=
 * capacity). -EBADMSG any checksum, bound or identity is wrong (`expect`, if not NULL, must equal the frame's
 * id); -ENOENT that pack is gone (it may have been rewritten: look the chunk up again); -ENOBUFS; -errno of
 * pread(2). */
int packs_read(struct packs *packs, const struct frame_place *place, const struct chunk_id *expect,
	struct frame *frame, void *payload, size_t capacity);

/* Calls `each` for every frame with a sound header that ends inside the file, in order, until it gives
 * non-zero, which is then returned. Payloads are not looked at: packs_read does. Gaps, torn tails and a
 * damaged pack header are skipped (*lost_bytes counts them; may be NULL). A sealed pack is complete: the call
 * first waits for appends under way in it. -EBADMSG the file is a pack of another store or another id;
 * -ENOENT; -errno of pread(2). */
int packs_scan(struct packs *packs, uint64_t pack,
	int (*each)(void *ctx, const struct frame *frame, const struct frame_place *place), void *ctx,
	uint64_t *lost_bytes);

/* Ids of all packs, ascending; the caller frees *ids. `append` is set to the one that is open for appending
 * or 0. */
int packs_list(struct packs *packs, uint64_t **ids, size_t *count, uint64_t *append);
/* Bytes on disk (st_blocks) of one pack. */
int packs_size(struct packs *packs, uint64_t pack, uint64_t *bytes);
/* Seals the append pack, so that it can be collected. */
int packs_seal(struct packs *packs);
/* Unlinks a sealed pack. Reads under way go on; later ones get -ENOENT. -EBUSY the append pack, or one with
 * appends under way; -EROFS. */
int packs_remove(struct packs *packs, uint64_t pack);

/* Gives the bytes from..to (UINT64_MAX: to the end) of a sealed pack back to the file system, as far as they
 * are whole blocks; the file keeps its size and reads as zeros there, which scans skip. For garbage
 * collection that has no room to move what lives. -EBUSY the append pack; -EOPNOTSUPP; -ENOENT; -errno of
 * fallocate(2). */
int packs_punch(struct packs *packs, uint64_t pack, uint64_t from, uint64_t to);

/* Bytes on disk of all packs, and bytes read from packs since open. */
uint64_t packs_bytes(struct packs *packs);
uint64_t packs_bytes_read(struct packs *packs);

#endif
