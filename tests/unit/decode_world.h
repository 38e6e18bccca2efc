/*
 * For tests of reading: the real index, packs, recipes and decoder over a fresh directory, and makers of
 * chunks and recipes.
 */
#ifndef MITHRIL_TESTS_DECODE_WORLD_H
#define MITHRIL_TESTS_DECODE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/codec/codec.h"
#include "store/decode/decode.h"
#include "tests/unit/scratch.h"

#define CHUNK (256u << 10)
#define SEED 0x1234u

struct world {
	char path[SCRATCH_PATH], kv_path[SCRATCH_PATH + 8], packs_path[SCRATCH_PATH + 8];
	struct kv *kv;
	struct packs *packs;
	struct chunks *chunks;
	struct recipes *recipes;
	struct decoder *decoder;
	struct codec_workspace *ws;
};

static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void world_open(struct world *w, size_t cache_bytes, unsigned threads)
{
	uint8_t uuid[16] = "decode-world";

	w->kv = scratch_kv(w->kv_path);
	assert_int_equal(packs_open(w->packs_path, uuid, false, &w->packs), 0);
	assert_int_equal(chunks_open(w->kv, SEED, &w->chunks), 0);
	assert_int_equal(recipes_open(w->kv, &w->recipes), 0);
	assert_int_equal(decoder_open(w->chunks, w->packs, w->recipes, cache_bytes, threads, &w->decoder), 0);
}

static inline void world_close(struct world *w)
{
	decoder_close(w->decoder);
	recipes_close(w->recipes);
	chunks_close(w->chunks);
	packs_close(w->packs);
	kv_close(w->kv);
}

static inline void world_reopen(struct world *w, size_t cache_bytes, unsigned threads)
{
	world_close(w);
	world_open(w, cache_bytes, threads);
}

static inline int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	scratch_make(w->path);
	snprintf(w->kv_path, sizeof w->kv_path, "%s/kv", w->path);
	snprintf(w->packs_path, sizeof w->packs_path, "%s/packs", w->path);
	assert_int_equal(mkdir(w->kv_path, 0700) | mkdir(w->packs_path, 0700), 0);
	w->ws = codec_workspace_new();
	assert_non_null(w->ws);
	world_open(w, 0, 0);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;

	world_close(w);
	codec_workspace_free(w->ws);
	scratch_remove(w->path);
	free(w);
	return 0;
}

/* fp32 numbers that look like weights. */
static inline void fill_weights(float *f, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		f[i] = ((float)(next_random(&seed) >> 40) / (float)(1 << 24) - 0.5f) * 0.04f;
}

/* A step of training: most numbers change a little. */
static inline void step_weights(float *f, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		f[i] += ((float)(next_random(&seed) >> 40) / (float)(1 << 24) - 0.5f) * 1e-5f;
}

static inline void put_record(struct world *w, const struct chunk_id *id, const struct chunk_record *record)
{
	struct kv_batch *batch = kv_batch_new();

	chunks_put(w->chunks, batch, id, record);
	scratch_write(w->kv, batch);
}

/* Appends a payload as the frame of `id` and enters it. */
static inline struct chunk_record put_payload(struct world *w, const struct chunk_id *id, uint32_t raw_len,
	uint8_t codec, uint8_t dtype, const struct chunk_id *base, uint8_t depth, const void *payload,
	uint32_t payload_len)
{
	struct chunk_record record = {.raw_len = raw_len,
		.codec = codec,
		.codec_version = CODEC_VERSION,
		.dtype = dtype,
		.depth = depth,
		.frames = depth,
		.chain_bytes = payload_len};
	struct frame frame = {.id = *id,
		.raw_len = raw_len,
		.payload_len = payload_len,
		.codec = codec,
		.codec_version = CODEC_VERSION,
		.dtype = dtype};

	record.bases = frame.bases = chunk_bases_of(base);
	assert_int_equal(packs_append(w->packs, &frame, payload, &record.place), 0);
	put_record(w, id, &record);
	return record;
}

/* Encodes and enters one chunk, against a base (bytes of the same length) if there is one. */
static inline struct chunk_id put_chunk(struct world *w, const void *raw, size_t len, uint8_t dtype,
	const struct chunk_id *base, const void *base_raw)
{
	struct codec_input in = {
		.src = raw, .len = len, .dtype = dtype, .base = base_raw, .base_len = base ? len : 0};
	struct chunk_id id = chunk_id_of(SEED, 0, raw, len);
	uint8_t *payload = malloc(CODEC_BOUND(len));
	struct chunk_record below = {0};
	struct codec_result result;

	assert_int_equal(codec_encode(w->ws, payload, CODEC_BOUND(len), &in, CODEC_DEFAULT, -1, &result), 0);
	if (!codec_needs_base(result.codec))
		base = NULL;
	if (base)
		assert_int_equal(chunks_get(w->chunks, base, &below), 0);
	put_payload(w, &id, (uint32_t)len, result.codec, dtype, base, (uint8_t)(below.depth + 1), payload,
		(uint32_t)result.len);
	free(payload);
	return id;
}

/* Finishes a recipe whose extents are in the builder. */
static inline uint64_t finish_recipe(
	struct world *w, struct recipe_builder *builder, struct kv_batch *batch, uint64_t size)
{
	struct recipe_head head = {.size = size};

	assert_int_equal(recipe_builder_finish(builder, &head), 0);
	recipe_builder_free(builder);
	scratch_write(w->kv, batch);
	return head.recipe;
}

#endif
