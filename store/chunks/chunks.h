/*
 * The chunk index: chunk id -> where its frame is and what it takes to decode it. Records in KV_CHUNKS.
 *
 * Pins keep garbage collection honest: an encoder pins every chunk id that it is going to refer to (as
 * content or as base) before it relies on it, and unpins when the recipe that refers to it is committed or
 * abandoned. Garbage collection never removes a pinned chunk, nor one pinned since it began
 * (chunks_gc_begin), nor the frames of one that was never put (those of a pinned id without a record). So a
 * pin comes before the append of the frame.
 *
 * On disk: key, the 16-byte chunk id; value, the chunk record, little-endian:
 *
 *   offset     size  meaning
 *        0        8  pack
 *        8        4  offset of the frame's header in the pack, a multiple of 8, at least 64
 *       12        4  payload length, 0..FRAME_PAYLOAD_MAX
 *       16       16  base; zero: none
 *       32        4  raw length, 1..FRAME_RAW_MAX
 *       36        4  chain bytes
 *       40        1  codec
 *       41        1  codec version
 *       42        1  dtype
 *       43        1  salt
 *       44        1  depth, 1..CHUNK_DEPTH_MAX; 1 if and only if the base is zero
 *       45        3  zero
 *       48        8  XXH3-64 of bytes 0..47
 *
 * Any thread.
 */
#ifndef MITHRIL_STORE_CHUNKS_CHUNKS_H
#define MITHRIL_STORE_CHUNKS_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/kv/kv.h"
#include "store/packs/packs.h"

#define CHUNK_DEPTH_MAX 32u /* frames to decode for one chunk */

struct chunk_record {
	struct frame_place place;
	struct chunk_id base; /* zero: none */
	uint32_t raw_len;
	uint32_t chain_bytes; /* payload bytes of this frame and of all bases below it */
	uint8_t codec, codec_version, dtype, salt;
	uint8_t depth; /* 1: stands alone */
};

#define CHUNK_RECORD_SIZE 56u
/* Pure. decode: -EBADMSG. */
void chunk_record_encode(const struct chunk_record *record, uint8_t dst[CHUNK_RECORD_SIZE]);
int chunk_record_decode(struct chunk_record *record, const uint8_t *src, size_t len);

/* XXH3-128 of the bytes with seed + salt, canonical (big-endian) form; the all-zero id is never given (it
 * becomes 1). */
struct chunk_id chunk_id_of(uint64_t seed, uint8_t salt, const void *src, size_t len);

struct chunks;

int chunks_open(struct kv *kv, uint64_t seed, struct chunks **out);
void chunks_close(struct chunks *chunks);
uint64_t chunks_seed(const struct chunks *chunks);

/* -ENOENT, -EBADMSG (a damaged record), -EIO. Sees announced chunks too. */
int chunks_get(struct chunks *chunks, const struct chunk_id *id, struct chunk_record *record);

void chunks_put(struct chunks *chunks, struct kv_batch *batch, const struct chunk_id *id,
	const struct chunk_record *record);
void chunks_delete(struct chunks *chunks, struct kv_batch *batch, const struct chunk_id *id);

/* A frame that was appended and whose record is not yet written: chunks_get finds it from now on, so that
 * other files can share it and their batches put its record as well. Keep it pinned until it is retracted,
 * which is after its record was written, or given up. -EEXIST announced already, -ENOMEM. */
int chunks_announce(struct chunks *chunks, const struct chunk_id *id, const struct chunk_record *record);
void chunks_retract(struct chunks *chunks, const struct chunk_id *id);
/* Whether it is announced; *record is then filled. */
bool chunks_announced(struct chunks *chunks, const struct chunk_id *id, struct chunk_record *record);

/* Counted. A pin of a chunk that garbage collection has claimed waits until that is settled: hold no lock
 * that garbage collection needs. */
void chunks_pin(struct chunks *chunks, const struct chunk_id *id);
void chunks_unpin(struct chunks *chunks, const struct chunk_id *id);

/* Garbage collection. From begin on, every pin (those held and those to come) is remembered until end.
 * -EBUSY: another collection is under way (one at a time). chunks_gc_pinned: pinned at begin or since.
 * chunks_gc_claim: true if the chunk may be removed (not pinned at begin or since). From a claim to the
 * settle after it a chunks_pin of that id waits; so claims, the write of the batch that deletes their
 * records, and chunks_gc_settle follow each other closely, a bounded number at a time. An encoder pins first,
 * then gets: it never relies on a chunk that goes, and what it puts anew is not deleted behind its back.
 * chunks_gc_end settles too. */
int chunks_gc_begin(struct chunks *chunks);
bool chunks_gc_pinned(struct chunks *chunks, const struct chunk_id *id);
bool chunks_gc_claim(struct chunks *chunks, const struct chunk_id *id);
void chunks_gc_settle(struct chunks *chunks);
void chunks_gc_end(struct chunks *chunks);

/* Calls `each` for every record, in id order, over a snapshot, until it gives non-zero, which is then
 * returned. Damaged records are logged and passed over; -EBADMSG at the end if there were any. -EIO, -ENOMEM.
 */
int chunks_each(struct chunks *chunks,
	int (*each)(void *ctx, const struct chunk_id *id, const struct chunk_record *record), void *ctx);

#endif
