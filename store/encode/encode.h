/*
 * The write path, as a background service: staged file -> segments -> chunks -> base -> frame -> pack ->
 * recipe.
 *
 * One coordinator takes files from the stage's queue, labels them (store/formats), cuts them, and hands
 * chunks to workers, one a core, through a bounded window; it collects their frames in order, so packs and
 * recipes do not depend on the number of threads. Small files go inline. Files finished together are
 * published together, after one sync of the packs. Memory: window x (raw + payload + bases) a few MiB a core,
 * whatever the file size; and what is known of its tensors and of those of eight files like it.
 *
 * Chains are bounded by what it takes to decode a chunk, each frame below it counted once: 32 frames on one
 * way down, 64 in all, and twice the payload bytes of decoding it alone. One that is a function of f32
 * chunks, their rounding or a step of the optimizer, costs what these do: at most twice their raw bytes.
 * Where a chain ends, the next difference stands on the lowest chunk of it, and begins a new one there. With
 * CODEC_SMALL eight times takes the place of twice.
 *
 * Steps in a row: what the gradients brought is in each of them, so the weights after k steps take the frames
 * of all k. In units of a tensor's raw bytes weights and moments together take 2.5 alone and 0.84 at a step's
 * distance (3.6x), and 2.5 + 0.9 k to read. Where the bound ends a chain, second moment and weights stand on
 * old ones at 0.6 instead of 0.04 each. So the mean of long runs with chains of k steps is 3 / (0.84 + 1.1 /
 * (k + 1)). Twice 3 raw bytes make k 4 at first and 2 later, where the base takes its part; eight times,
 * about 20.
 */
#ifndef MITHRIL_STORE_ENCODE_ENCODE_H
#define MITHRIL_STORE_ENCODE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "store/codec/codec.h"
#include "store/decode/decode.h"
#include "store/stage/stage.h"

#define ENCODE_CHUNK (256u << 10) /* bytes of a tensor chunk, cut from the tensor's start */
#define ENCODE_TENSOR_MIN 512u	  /* smaller tensors are kept in the file's skeleton */

struct encoder;

/* Starts the threads. threads 0: one a core. `level`: of all that is encoded until the stop. */
int encoder_start(struct stage *stage, struct chunks *chunks, struct packs *packs, struct recipes *recipes,
	struct decoder *decoder, struct kv *kv, unsigned threads, enum codec_level level,
	struct encoder **out);
/* Stops after the chunks under way; unfinished files stay staged and queued. */
void encoder_stop(struct encoder *encoder);

/* Waits until the files that are published already hold no pins any more: a moment. */
void encoder_settle(struct encoder *encoder);

struct encoder_counts {
	uint64_t files, raw_bytes; /* encoded since start */
	uint64_t payload_bytes;	   /* appended to packs */
	uint64_t dedup_bytes;	   /* raw bytes that were there already */
	uint64_t delta_bytes;	   /* raw bytes encoded against a base */
	uint64_t zero_bytes;	   /* raw bytes in holes and constant chunks */
	uint64_t busy_ns;	   /* CPU time of the workers */
	uint64_t wasted_bytes;	   /* appended to packs for files that were not published after all */
};
void encoder_counts(struct encoder *encoder, struct encoder_counts *out);

/* How many times the payload bytes of decoding a chunk alone those of all its chain may come to. */
size_t encoder_chain_times(const struct encoder *encoder);

/* Re-encodes one chunk for upkeep: against `base` (NULL: alone), appends the frame, and fills *record.
 * Nothing is committed. -ENOENT: no such chunk or base, or the base is too deep by now; errors of
 * decode_chunk and packs_append. */
int encode_again(struct encoder *encoder, const struct chunk_id *id, const struct chunk_id *base,
	struct chunk_record *record);

#endif
