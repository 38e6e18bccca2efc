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
 *       16        4  raw length, 1..FRAME_RAW_MAX
 *       20        4  chain bytes
 *       24        1  codec
 *       25        1  codec version
 *       26        1  dtype
 *       27        1  salt
 *       28        1  depth, 1..CHUNK_DEPTH_MAX; 1 if and only if there are no bases
 *       29        1  frames, depth..CHUNK_FRAMES_MAX
 *       30        1  n, number of bases, 0..FRAME_BASES_MAX
 *       31        1  zero
 *       32     16 n  bases, in order; none is zero, and no two are the same
 *   32+16n        8  XXH3-64 of all bytes before
 *
 * Bases and what they stand on make a graph without cycles. Depth, frames and chain bytes bound what it takes
 * to decode a chunk: the longest way down; the frames below, itself among them, each once; their payload.
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

#define CHUNK_DEPTH_MAX 32u  /* frames on the longest way down from a chunk */
#define CHUNK_FRAMES_MAX 64u /* frames to decode for one chunk */

struct chunk_record {
	struct frame_place place;
	struct chunk_bases bases;
	uint32_t raw_len;
	uint32_t chain_bytes; /* payload bytes of this frame and of all bases below it; UINT32_MAX: or more */
	uint8_t codec, codec_version, dtype, salt;
	uint8_t depth;	/* 1: stands alone */
	uint8_t frames; /* how many must be decoded for it, itself among them; 1: stands alone */
};

/* The record of a frame that was appended at `place`; the caller gives it its bounds with
 * chunk_record_stand. */
struct chunk_record chunk_record_of(const struct frame *frame, const struct frame_place *place);
/* Whether the record says of the chunk what the frame says. */
bool chunk_record_agrees(const struct chunk_record *record, const struct frame *frame);
/* Fills in depth, frames and chain_bytes of what stands on one base at most, given the record of that. False:
 * it is out of bounds, and the record is as it was. */
bool chunk_record_stand(struct chunk_record *record, const struct chunk_record *base);

#define CHUNK_RECORD_MAX (40u + 16 * FRAME_BASES_MAX)
/* Pure. encode: the bytes written. decode: -EBADMSG. */
size_t chunk_record_encode(const struct chunk_record *record, uint8_t dst[CHUNK_RECORD_MAX]);
int chunk_record_decode(struct chunk_record *record, const uint8_t *src, size_t len);

/* XXH3-128 of the bytes with seed + salt, canonical (big-endian) form; the all-zero id is never given (it
 * becomes 1). */
struct chunk_id chunk_id_of(uint64_t seed, uint8_t salt, const void *src, size_t len);

struct chunks;

/* chunk_record_stand of any number of bases, given their records; what lies below them is looked up, and what
 * several have in common counted once. False also when a record that it takes is missing. */
bool chunks_stand(struct chunks *chunks, struct chunk_record *record, const struct chunk_record *bases);
/* Whether the chunk must be decoded for what `record` is of. Also false when the way there is broken. */
bool chunks_stands_on(struct chunks *chunks, const struct chunk_record *record, const struct chunk_id *id);

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
