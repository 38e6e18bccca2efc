// links: m_decode
/*
 * Reading, with the real index, packs and codec: the bytes that were put in, or -EBADMSG.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/decode_world.h"

#define FLOATS (CHUNK / 4)

static void expect_chunk(struct world *w, const struct chunk_id *id, const void *raw, size_t len)
{
	struct chunk_data *data;
	size_t got;

	assert_int_equal(decode_chunk(w->decoder, id, &data), 0);
	const void *bytes = chunk_data_bytes(data, &got);
	assert_int_equal(got, len);
	assert_memory_equal(bytes, raw, len);
	decode_release(w->decoder, data);
}

static struct decoder_counts counts(struct world *w)
{
	struct decoder_counts c;

	decoder_counts(w->decoder, &c);
	return c;
}

/* A chain of `depth` steps of one tensor; raw[i] and id[i] are step i. */
static void put_chain(struct world *w, unsigned depth, size_t len, float **raw, struct chunk_id *id)
{
	for (unsigned i = 0; i < depth; i++) {
		struct chunk_record record;
		raw[i] = malloc(len);
		if (i)
			memcpy(raw[i], raw[i - 1], len);
		else
			fill_weights(raw[i], len / 4, 99);
		step_weights(raw[i], len / 4, 1000 + i);
		id[i] = put_chunk(w, raw[i], len, DTYPE_F32, i ? &id[i - 1] : NULL, i ? raw[i - 1] : NULL);
		assert_int_equal(chunks_get(w->chunks, &id[i], &record), 0);
		assert_int_equal(record.depth, i + 1);
	}
}

static void free_chain(float **raw, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		free(raw[i]);
}

static void decodes_chains(void **state)
{
	struct world *w = *state;
	float *raw[CHUNK_DEPTH_MAX];
	struct chunk_id id[CHUNK_DEPTH_MAX];
	struct decoder_counts c;

	put_chain(w, CHUNK_DEPTH_MAX, 16384, raw, id);
	expect_chunk(w, &id[CHUNK_DEPTH_MAX - 1], raw[CHUNK_DEPTH_MAX - 1], 16384);
	assert_int_equal(counts(w).chunks_decoded, CHUNK_DEPTH_MAX);
	/* all that lies below is cached now */
	for (unsigned i = 0; i < CHUNK_DEPTH_MAX; i++)
		expect_chunk(w, &id[i], raw[i], 16384);
	c = counts(w);
	assert_int_equal(c.chunks_decoded, CHUNK_DEPTH_MAX);
	assert_int_equal(c.cache_hits, CHUNK_DEPTH_MAX);
	assert_int_equal(c.raw_bytes, CHUNK_DEPTH_MAX * 16384);
	/* a cached base spares the rest of the chain */
	world_reopen(w, 0, 0);
	expect_chunk(w, &id[20], raw[20], 16384);
	expect_chunk(w, &id[21], raw[21], 16384);
	assert_int_equal(counts(w).chunks_decoded, 22);
	free_chain(raw, CHUNK_DEPTH_MAX);
}

static void refuses_what_is_too_deep(void **state)
{
	struct world *w = *state;
	float *raw[CHUNK_DEPTH_MAX], *last = malloc(16384);
	struct chunk_id id[CHUNK_DEPTH_MAX], deep;
	struct chunk_data *data;
	uint8_t payload[16384];
	struct codec_result result;

	put_chain(w, CHUNK_DEPTH_MAX, 16384, raw, id);
	memcpy(last, raw[CHUNK_DEPTH_MAX - 1], 16384);
	step_weights(last, 4096, 5);
	struct codec_input in = {last, 16384, DTYPE_F32, raw[CHUNK_DEPTH_MAX - 1], 16384};
	assert_int_equal(codec_encode(w->ws, payload, sizeof payload, &in, CODEC_DEFAULT, -1, &result), 0);
	assert_true(codec_needs_base(result.codec));
	deep = chunk_id_of(SEED, 0, last, 16384);
	put_payload(w, &deep, 16384, result.codec, DTYPE_F32, &id[CHUNK_DEPTH_MAX - 1], CHUNK_DEPTH_MAX,
		payload, (uint32_t)result.len);
	assert_int_equal(decode_chunk(w->decoder, &deep, &data), -EBADMSG);
	assert_int_equal(counts(w).failures, 1);
	expect_chunk(w, &id[CHUNK_DEPTH_MAX - 1], raw[CHUNK_DEPTH_MAX - 1], 16384);
	free_chain(raw, CHUNK_DEPTH_MAX);
	free(last);
}

struct wanter {
	pthread_t thread;
	struct world *w;
	const struct chunk_id *id;
	const void *raw;
	size_t len;
	int expect, rc;
};

static void *want(void *arg)
{
	struct wanter *wanter = arg;
	struct chunk_data *data;
	size_t len;

	for (int i = 0; i < 20; i++) {
		wanter->rc = decode_chunk(wanter->w->decoder, wanter->id, &data);
		if (wanter->rc)
			continue;
		if (memcmp(chunk_data_bytes(data, &len), wanter->raw, wanter->len) || len != wanter->len)
			wanter->rc = 1;
		decode_release(wanter->w->decoder, data);
	}
	return NULL;
}

static void run_wanters(struct wanter *wanters, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&wanters[i].thread, NULL, want, wanters + i), 0);
	for (unsigned i = 0; i < count; i++)
		pthread_join(wanters[i].thread, NULL);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(wanters[i].rc, wanters[i].expect);
}

/* Two chunks, each a delta against the other: no answer, no hang, from many threads at once. */
static void refuses_loops(void **state)
{
	struct world *w = *state;
	float *a = malloc(CHUNK), *b = malloc(CHUNK);
	uint8_t *payload = malloc(CHUNK);
	struct chunk_id ids[2];
	struct codec_result result;
	struct wanter wanters[8] = {0};

	fill_weights(a, FLOATS, 3);
	memcpy(b, a, CHUNK);
	step_weights(b, FLOATS, 4);
	ids[0] = chunk_id_of(SEED, 0, a, CHUNK);
	ids[1] = chunk_id_of(SEED, 0, b, CHUNK);
	for (int i = 0; i < 2; i++) {
		struct codec_input in = {i ? b : a, CHUNK, DTYPE_F32, i ? a : b, CHUNK};
		assert_int_equal(codec_encode(w->ws, payload, CHUNK, &in, CODEC_DEFAULT, -1, &result), 0);
		put_payload(w, &ids[i], CHUNK, result.codec, DTYPE_F32, &ids[1 - i], 2, payload,
			(uint32_t)result.len);
	}
	for (int i = 0; i < 8; i++) {
		wanters[i] = (struct wanter){.w = w, .id = &ids[i % 2], .expect = -EBADMSG};
	}
	alarm(60);
	run_wanters(wanters, 8);
	alarm(0);
	free(payload);
	free(a);
	free(b);
}

/* --- several bases --- */

#define SMALL 1024u

/* Chunk n of small ones; which differ in all bytes. */
static void fill_small(uint8_t raw[SMALL], unsigned n)
{
	uint64_t seed = 1000003 * (n + 1);

	for (unsigned i = 0; i < SMALL; i++)
		raw[i] = (uint8_t)(next_random(&seed) >> 24);
}

static struct chunk_id small_id(unsigned n)
{
	uint8_t raw[SMALL];

	fill_small(raw, n);
	return chunk_id_of(SEED, 0, raw, SMALL);
}

/* Enters small chunk n, kept as a difference to the first of some others; the rest of them must be decoded,
 * and play no part. */
static void put_small(struct world *w, unsigned n, unsigned count, const unsigned *bases)
{
	uint8_t raw[SMALL], base[SMALL], payload[SMALL + 1] = {0};
	struct chunk_id id = small_id(n);
	struct frame frame = {.id = id, .raw_len = SMALL, .codec_version = CODEC_VERSION, .dtype = DTYPE_U8};
	struct chunk_record record;
	struct frame_place place;

	fill_small(raw, n);
	if (count)
		fill_small(base, bases[0]);
	frame.codec = count ? CODEC_XOR : CODEC_STORED;
	frame.payload_len = SMALL + (count != 0);
	for (unsigned i = 0; i < SMALL; i++)
		payload[i + (count != 0)] = count ? raw[i] ^ base[i] : raw[i];
	for (unsigned i = 0; i < count; i++)
		frame.bases.id[frame.bases.count++] = small_id(bases[i]);
	assert_int_equal(packs_append(w->packs, &frame, payload, &place), 0);
	record = chunk_record_of(&frame, &place);
	record.depth = record.frames = count ? 2 : 1;
	put_record(w, &id, &record);
}

static int decode_small(struct world *w, unsigned n)
{
	struct chunk_id id = small_id(n);
	struct chunk_data *data;
	uint8_t raw[SMALL];
	size_t len;
	int rc = decode_chunk(w->decoder, &id, &data);

	if (rc)
		return rc;
	fill_small(raw, n);
	assert_memory_equal(chunk_data_bytes(data, &len), raw, SMALL);
	assert_int_equal(len, SMALL);
	decode_release(w->decoder, data);
	return 0;
}

/* 0 stands on 1, 2 and 3; those on 4. */
static void a_base_of_several_is_decoded_once(void **state)
{
	struct world *w = *state;

	put_small(w, 0, 3, (unsigned[]){1, 2, 3});
	for (unsigned n = 1; n < 4; n++)
		put_small(w, n, 1, (unsigned[]){4});
	put_small(w, 4, 0, NULL);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(decode_small(w, 0), 0);
		assert_int_equal(counts(w).chunks_decoded, 5);
		/* a cache that keeps nothing changes nothing */
		world_reopen(w, 1, 1);
	}
	assert_int_equal(decode_small(w, 3), 0);
	assert_int_equal(decode_small(w, 0), 0);
}

/* Each of a layer stands on both of the next: as many ways down as there are grains of sand, of 62 chunks. */
static void ways_down_are_not_counted(void **state)
{
	struct world *w = *state;

	for (unsigned layer = 0; layer < 30; layer++)
		for (unsigned i = 0; i < 2; i++)
			put_small(w, 2 * layer + i, 2, (unsigned[]){2 * layer + 2, 2 * layer + 3});
	put_small(w, 60, 0, NULL);
	put_small(w, 61, 0, NULL);
	alarm(60);
	assert_int_equal(decode_small(w, 0), 0);
	alarm(0);
	assert_int_equal(counts(w).chunks_decoded, 61);
}

static void refuses_too_many_bases(void **state)
{
	struct world *w = *state;

	/* a tree of 85 chunks, four deep */
	for (unsigned n = 0; n < 21; n++)
		put_small(w, n, 4, (unsigned[]){4 * n + 1, 4 * n + 2, 4 * n + 3, 4 * n + 4});
	for (unsigned n = 21; n < 85; n++)
		put_small(w, n, 0, NULL);
	assert_int_equal(decode_small(w, 0), -EBADMSG);
	assert_int_equal(counts(w).chunks_decoded, 0);
	for (unsigned n = 1; n < 21; n++)
		assert_int_equal(decode_small(w, n), 0);
	/* what is cached need not be decoded */
	assert_int_equal(decode_small(w, 0), 0);
}

/* 100 stands on 0, which has twenty more below it, and on 200, from where it is fifteen more down to 0. */
static void refuses_a_long_way_round(void **state)
{
	struct world *w = *state;

	for (unsigned n = 0; n < 20; n++)
		put_small(w, n, 1, (unsigned[]){n + 1});
	put_small(w, 20, 0, NULL);
	for (unsigned n = 200; n < 214; n++)
		put_small(w, n, 1, (unsigned[]){n + 1});
	put_small(w, 214, 1, (unsigned[]){0});
	put_small(w, 100, 2, (unsigned[]){0, 200});
	assert_int_equal(decode_small(w, 100), -EBADMSG);
	put_small(w, 100, 2, (unsigned[]){0, 206});
	assert_int_equal(decode_small(w, 100), 0);
}

static void *want_small(void *arg)
{
	struct wanter *wanter = arg;
	struct chunk_data *data;

	for (unsigned i = 0; i < 50; i++) {
		struct chunk_id id = small_id((unsigned)(wanter->len + i) % 6);
		if (decode_chunk(wanter->w->decoder, &id, &data) != -EBADMSG)
			wanter->rc = 1;
	}
	return NULL;
}

/* Loops that only a base that is not the first closes, wanted from all sides at once. */
static void refuses_loops_of_several_bases(void **state)
{
	struct world *w = *state;
	struct wanter wanters[8] = {0};

	for (unsigned n = 0; n < 6; n++)
		put_small(w, n, 3, (unsigned[]){10, (n + 1) % 6, (n + 4) % 6});
	put_small(w, 10, 0, NULL);
	put_small(w, 11, 2, (unsigned[]){10, 11});
	assert_int_equal(decode_small(w, 11), -EBADMSG);
	alarm(60);
	for (unsigned i = 0; i < 8; i++) {
		wanters[i] = (struct wanter){.w = w, .len = i};
		assert_int_equal(pthread_create(&wanters[i].thread, NULL, want_small, &wanters[i]), 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		pthread_join(wanters[i].thread, NULL);
		assert_int_equal(wanters[i].rc, 0);
	}
	alarm(0);
	assert_int_equal(decode_small(w, 10), 0);
}

static void *want_ladder(void *arg)
{
	struct wanter *wanter = arg;

	for (unsigned i = 0; i < 60; i++) {
		unsigned n = (unsigned)(wanter->len * 17 + i * 7) % 30;
		struct chunk_id id = small_id(n);
		struct chunk_data *data;
		uint8_t raw[SMALL];
		size_t len;

		fill_small(raw, n);
		wanter->rc |= decode_chunk(wanter->w->decoder, &id, &data);
		if (wanter->rc)
			break;
		wanter->rc |= memcmp(chunk_data_bytes(data, &len), raw, SMALL);
		decode_release(wanter->w->decoder, data);
	}
	return NULL;
}

static void many_climb_one_graph(void **state)
{
	struct world *w = *state;
	struct wanter wanters[8] = {0};

	for (unsigned n = 0; n < 28; n++)
		put_small(w, n, 3, (unsigned[]){n + 1 + n % 2, n + 2 - n % 2, 31 + n % 3});
	put_small(w, 28, 1, (unsigned[]){29});
	for (unsigned n = 29; n < 34; n++)
		put_small(w, n, 0, NULL);
	alarm(60);
	for (unsigned round = 0; round < 10; round++) {
		world_reopen(w, round % 2 ? 20000 : 0, 2);
		for (unsigned i = 0; i < 8; i++) {
			wanters[i] = (struct wanter){.w = w, .len = i + round};
			assert_int_equal(
				pthread_create(&wanters[i].thread, NULL, want_ladder, &wanters[i]), 0);
		}
		for (unsigned i = 0; i < 8; i++) {
			pthread_join(wanters[i].thread, NULL);
			assert_int_equal(wanters[i].rc, 0);
		}
	}
	alarm(0);
}

static void decodes_once_for_many(void **state)
{
	struct world *w = *state;
	float *raw[3];
	struct chunk_id id[3];
	struct wanter wanters[8];

	put_chain(w, 3, CHUNK, raw, id);
	for (int round = 0; round < 20; round++) {
		world_reopen(w, 0, 2);
		for (unsigned i = 0; i < 8; i++)
			wanters[i] = (struct wanter){.w = w, .id = &id[2], .raw = raw[2], .len = CHUNK};
		run_wanters(wanters, 8);
		assert_int_equal(counts(w).chunks_decoded, 3);
	}
	free_chain(raw, 3);
}

static void cache_is_bounded(void **state)
{
	struct world *w = *state;
	struct chunk_id id[64];
	struct chunk_data *held[64];
	uint8_t *raw = malloc(64 * 1024);
	uint64_t seed = 7, before;
	size_t len;

	for (unsigned i = 0; i < 64; i++) {
		for (unsigned k = 0; k < 65536; k += 8) {
			uint64_t r = next_random(&seed);
			memcpy(raw + k, &r, 8);
		}
		id[i] = put_chunk(w, raw, 65536, DTYPE_OPAQUE, NULL, NULL);
	}
	world_reopen(w, 1 << 20, 1);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(decode_chunk(w->decoder, &id[i], &held[i]), 0);
		decode_release(w->decoder, held[i]);
	}
	assert_int_equal(counts(w).chunks_decoded, 64);
	/* the last 15 are there, the oldest are not */
	for (unsigned i = 63; i > 48; i--) {
		assert_int_equal(decode_chunk(w->decoder, &id[i], &held[i]), 0);
		decode_release(w->decoder, held[i]);
	}
	assert_int_equal(counts(w).cache_hits, 15);
	before = counts(w).chunks_decoded;
	assert_int_equal(decode_chunk(w->decoder, &id[0], &held[0]), 0);
	decode_release(w->decoder, held[0]);
	assert_int_equal(counts(w).chunks_decoded, before + 1);
	/* more held than fits: all good, and what did not fit is not kept */
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(decode_chunk(w->decoder, &id[i], &held[i]), 0);
	for (unsigned i = 0; i < 64; i++) {
		struct chunk_id again = chunk_id_of(SEED, 0, chunk_data_bytes(held[i], &len), 65536);
		assert_memory_equal(&again, &id[i], sizeof again);
		decode_release(w->decoder, held[i]);
	}
	before = counts(w).chunks_decoded;
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(decode_chunk(w->decoder, &id[63 - i], &held[i]), 0);
		decode_release(w->decoder, held[i]);
	}
	assert_true(counts(w).chunks_decoded >= before + 64 - 16);
	free(raw);
}

static void flip(struct world *w, uint64_t pack, off_t at, uint8_t mask)
{
	char path[160];
	uint8_t byte;

	snprintf(path, sizeof path, "%s/%016llx.pack", w->packs_path, (unsigned long long)pack);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static void refuses_damaged_frames(void **state)
{
	struct world *w = *state;
	float *raw[2];
	struct chunk_id id[2];
	struct chunk_record record;
	struct chunk_data *data;

	put_chain(w, 2, 16384, raw, id);
	for (int level = 0; level < 2; level++) {
		assert_int_equal(chunks_get(w->chunks, &id[level], &record), 0);
		uint32_t head = frame_header_size(record.place.bases), span = head + record.place.payload_len;
		for (uint32_t at = 0; at < span; at += at < head ? 9 : 997) {
			flip(w, record.place.pack, record.place.offset + at, 0x10);
			assert_int_equal(decode_chunk(w->decoder, &id[1], &data), -EBADMSG);
			flip(w, record.place.pack, record.place.offset + at, 0x10);
		}
		/* nothing wrong was kept */
		world_reopen(w, 0, 0);
	}
	expect_chunk(w, &id[1], raw[1], 16384);
	free_chain(raw, 2);
}

/* A frame that is sound in itself but whose payload is not the chunk's. */
static void refuses_other_bytes(void **state)
{
	struct world *w = *state;
	uint8_t good[100] = "good", bad[100] = "bad";
	struct chunk_id id = chunk_id_of(SEED, 0, good, 100), base = {{1, 2, 3}}, nobody = {{9}};
	struct chunk_record record;
	struct chunk_data *data;

	put_payload(w, &id, 100, CODEC_STORED, DTYPE_OPAQUE, NULL, 1, bad, 100);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
	/* unknown codec; payload of the wrong length; a base that is not there; none at all */
	put_payload(w, &id, 100, 200, DTYPE_OPAQUE, NULL, 1, good, 100);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
	put_payload(w, &id, 99, CODEC_STORED, DTYPE_OPAQUE, NULL, 1, good, 100);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
	put_payload(w, &id, 100, CODEC_XOR, DTYPE_OPAQUE, &base, 2, good, 100);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
	put_payload(w, &id, 100, CODEC_XOR, DTYPE_OPAQUE, NULL, 1, good, 100);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
	assert_int_equal(decode_chunk(w->decoder, &nobody, &data), -ENOENT);
	/* record and frame that differ */
	record = put_payload(w, &id, 100, CODEC_STORED, DTYPE_OPAQUE, NULL, 1, good, 100);
	expect_chunk(w, &id, good, 100);
	world_reopen(w, 0, 0);
	record.raw_len = 98;
	put_record(w, &id, &record);
	assert_int_equal(decode_chunk(w->decoder, &id, &data), -EBADMSG);
}

/* A file of `count` chunks, each a step from a base, with a hole of `hole` bytes after each; the reference
 * goes to *bytes. */
static uint64_t put_file(struct world *w, unsigned count, size_t hole, uint8_t **bytes, uint64_t *size)
{
	struct kv_batch *batch = kv_batch_new();
	struct recipe_builder *builder = recipe_builder_new(w->recipes, batch);
	float *base = malloc(CHUNK), *next = malloc(CHUNK);

	assert_non_null(builder);
	*size = (uint64_t)count * (CHUNK + hole);
	*bytes = calloc(1, *size);
	for (unsigned i = 0; i < count; i++) {
		struct extent extent = {.off = (uint64_t)i * (CHUNK + hole), .len = CHUNK};
		struct extent gap = {.off = extent.off + CHUNK, .len = hole};
		struct chunk_id base_id;
		fill_weights(base, FLOATS, 50 + i);
		memcpy(next, base, CHUNK);
		step_weights(next, FLOATS, 5000 + i);
		base_id = put_chunk(w, base, CHUNK, DTYPE_F32, NULL, NULL);
		extent.chunk = put_chunk(w, next, CHUNK, DTYPE_F32, &base_id, base);
		memcpy(*bytes + extent.off, next, CHUNK);
		assert_int_equal(recipe_builder_extent(builder, &extent), 0);
		if (hole)
			assert_int_equal(recipe_builder_extent(builder, &gap), 0);
	}
	free(base);
	free(next);
	return finish_recipe(w, builder, batch, *size);
}

static void expect_range(struct reader *reader, const uint8_t *bytes, uint64_t size, uint64_t off, size_t len)
{
	uint8_t *got = malloc(len + 1);
	size_t expected = off >= size ? 0 : off + len > size ? (size_t)(size - off) : len;

	assert_int_equal(reader_read(reader, got, len, off), expected);
	assert_memory_equal(got, bytes + (off < size ? off : 0), expected);
	free(got);
}

static void reader_equals_reference(void **state)
{
	static const size_t sizes[] = {4096, 100000, 131072, 1 << 20, 3000000};
	struct world *w = *state;
	struct reader *reader;
	uint8_t *bytes;
	uint64_t size, seed = 3;
	uint64_t recipe = put_file(w, 24, 70000, &bytes, &size);

	for (unsigned i = 0; i < 5; i++) {
		/* a small cache, so that the window turns over */
		world_reopen(w, i % 2 ? 0 : 4 << 20, i % 3);
		assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
		assert_int_equal(reader_size(reader), size);
		for (uint64_t off = 0; off < size; off += sizes[i])
			expect_range(reader, bytes, size, off, sizes[i]);
		expect_range(reader, bytes, size, size, 10);
		expect_range(reader, bytes, size, size - 1, 10);
		expect_range(reader, bytes, size, UINT64_MAX - 3, 10);
		for (unsigned k = 0; k < 100; k++)
			expect_range(reader, bytes, size, next_random(&seed) % size,
				next_random(&seed) % 9000 + 1);
		reader_close(reader);
	}
	free(bytes);
}

struct reading {
	pthread_t thread;
	struct reader *reader;
	const uint8_t *bytes;
	uint64_t size, first, step;
	_Atomic int *stop;
	unsigned wrong, rounds;
};

static void *read_slices(void *arg)
{
	struct reading *r = arg;
	uint8_t *got = malloc(131072);

	do {
		for (uint64_t off = r->first; off < r->size; off += r->step) {
			size_t len = r->size - off < 131072 ? (size_t)(r->size - off) : 131072;
			if (reader_read(r->reader, got, 131072, off) != (ssize_t)len ||
				memcmp(got, r->bytes + off, len))
				r->wrong++;
		}
		r->rounds++;
	} while (r->stop && !*r->stop);
	free(got);
	return NULL;
}

/* As the kernel's read-ahead does it: neighbouring requests from several threads. */
static void reader_serves_threads(void **state)
{
	struct world *w = *state;
	struct reading r[4];
	struct reader *reader;
	uint8_t *bytes;
	uint64_t size, recipe = put_file(w, 16, 0, &bytes, &size);

	world_reopen(w, 0, 2);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	for (unsigned i = 0; i < 4; i++) {
		r[i] = (struct reading){.reader = reader,
			.bytes = bytes,
			.size = size,
			.first = i * 131072,
			.step = 4 * 131072};
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_slices, r + i), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].wrong, 0);
	}
	assert_int_equal(counts(w).chunks_decoded, 32); /* each chunk and each base once */
	reader_close(reader);
	free(bytes);
}

static void random_reads_cost_one_chunk(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	uint8_t *bytes, got[4096];
	uint64_t size, recipe = put_file(w, 16, 0, &bytes, &size);

	world_reopen(w, 0, 2);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	for (unsigned i = 0; i < 16; i += 3)
		assert_int_equal(
			reader_read(reader, got, 4096, (uint64_t)((i * 7) % 16) * CHUNK + 20000), 4096);
	usleep(100000);
	assert_int_equal(counts(w).chunks_decoded, 2 * 6);
	/* while one from the start goes ahead by half of what it read: of chunks 0 to 11, five were decoded
	 */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(reader_read(reader, got, 4096, 0), 4096);
	uint8_t *big = malloc(1 << 20);
	assert_int_equal(reader_read(reader, big, 1 << 20, 0), 1 << 20);
	assert_int_equal(reader_read(reader, big, 1 << 20, 1 << 20), 1 << 20);
	SCRATCH_WAIT(counts(w).chunks_decoded >= 2 * 14);
	assert_int_equal(counts(w).chunks_decoded, 2 * 14);
	free(big);
	reader_close(reader);
	free(bytes);
}

/* One tensor from the middle of a file: nothing is decoded that was not asked for. */
static void one_tensor_costs_its_chunks(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	uint8_t *bytes, *got = malloc(CHUNK);
	uint64_t size, recipe = put_file(w, 24, 0, &bytes, &size);

	world_reopen(w, 0, 2);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	for (unsigned i = 5; i < 18; i++)
		assert_int_equal(reader_read(reader, got, CHUNK, (uint64_t)i * CHUNK), CHUNK);
	usleep(100000);
	assert_int_equal(counts(w).chunks_decoded, 2 * 13);
	free(got);
	reader_close(reader);
	free(bytes);
}

/* What a stream has left behind makes room for what it meets next, while what is read twice stays. */
static void a_stream_keeps_little(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	uint8_t *bytes, *got = malloc(CHUNK);
	uint64_t size, recipe = put_file(w, 100, 0, &bytes, &size), hits, decoded;

	world_reopen(w, 64 << 20, 1);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_read(reader, got, 4096, 99 * CHUNK), 4096); /* no stream */
	for (unsigned i = 0; i < 95; i++)
		assert_int_equal(reader_read(reader, got, CHUNK, (uint64_t)i * CHUNK), CHUNK);
	reader_close(reader);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	/* A thread may still be decoding ahead, and adds to both counts. */
	hits = counts(w).cache_hits;
	assert_int_equal(reader_read(reader, got, 4096, 99 * CHUNK), 4096);
	assert_true(counts(w).cache_hits > hits);
	decoded = counts(w).chunks_decoded;
	assert_int_equal(reader_read(reader, got, 4096, 10 * CHUNK), 4096);
	assert_true(counts(w).chunks_decoded > decoded);
	free(got);
	reader_close(reader);
	free(bytes);
}

static void pins_equal_reads(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	struct reader_pins pins;
	uint8_t *bytes, *more;
	uint64_t size, recipe = put_file(w, 40, 0, &bytes, &size), seed = 5;

	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_pin(reader, &pins, 1 << 20, size), 0);
	for (unsigned k = 0; k < 200; k++) {
		uint64_t off = next_random(&seed) % size, at = off;
		size_t len = next_random(&seed) % (2 << 20) + 1;
		ssize_t n = reader_pin(reader, &pins, len, off);
		assert_int_equal(n, len < size - off ? len : size - off);
		for (unsigned i = 0; i < pins.count; i++) {
			assert_memory_equal(pins.parts[i].iov_base, bytes + at, pins.parts[i].iov_len);
			at += pins.parts[i].iov_len;
		}
		assert_int_equal(at, off + (uint64_t)n);
		reader_unpin(&pins);
	}
	assert_int_equal(reader_pin(reader, &pins, size, 0), -ENOBUFS);
	reader_close(reader);
	recipe = put_file(w, 3, 5000, &more, &size);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_pin(reader, &pins, CHUNK + 1, 0), -ENOBUFS); /* a hole */
	assert_int_equal(reader_pin(reader, &pins, CHUNK, 0), CHUNK);
	reader_close(reader);
	reader_unpin(&pins);
	free(bytes);
	free(more);
}

static void seeks(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	uint8_t *bytes;
	uint64_t size, recipe = put_file(w, 3, 5000, &bytes, &size);

	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_seek(reader, 0, SEEK_DATA), 0);
	assert_int_equal(reader_seek(reader, 0, SEEK_HOLE), CHUNK);
	assert_int_equal(reader_seek(reader, CHUNK + 7, SEEK_HOLE), CHUNK + 7);
	assert_int_equal(reader_seek(reader, CHUNK + 7, SEEK_DATA), CHUNK + 5000);
	assert_int_equal(reader_seek(reader, size - 1, SEEK_HOLE), size - 1);
	assert_int_equal(reader_seek(reader, size - 1, SEEK_DATA), -ENXIO);
	assert_int_equal(reader_seek(reader, size, SEEK_HOLE), -ENXIO);
	assert_int_equal(reader_seek(reader, 0, SEEK_SET), -EINVAL);
	reader_close(reader);
	free(bytes);
	recipe = put_file(w, 2, 0, &bytes, &size);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_seek(reader, 5, SEEK_HOLE), size);
	reader_close(reader);
	free(bytes);
	assert_int_equal(reader_open(w->decoder, recipe + 1, &reader), -ENOENT);
}

static void reader_refuses_damage(void **state)
{
	struct world *w = *state;
	struct reader *reader;
	struct recipe_cursor *cursor;
	struct extent extent;
	struct kv_batch *batch = kv_batch_new();
	uint8_t *bytes, got[64];
	uint64_t size, recipe = put_file(w, 3, 0, &bytes, &size);

	cursor = recipe_cursor_new(w->recipes, recipe);
	assert_int_equal(recipe_cursor_at(cursor, CHUNK, &extent), 0);
	recipe_cursor_free(cursor);
	chunks_delete(w->chunks, batch, &extent.chunk);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_read(reader, got, 64, 10), 64);
	assert_int_equal(reader_read(reader, got, 64, CHUNK + 10), -EBADMSG);
	assert_int_equal(reader_read(reader, got, 64, CHUNK - 10), -EBADMSG);
	assert_int_equal(reader_read(reader, got, 64, 2 * CHUNK), 64);
	reader_close(reader);
	free(bytes);
	/* an extent that reaches past its chunk */
	batch = kv_batch_new();
	struct recipe_builder *builder = recipe_builder_new(w->recipes, batch);
	uint8_t small[100] = "small";
	extent = (struct extent){.len = 101, .chunk = put_chunk(w, small, 100, DTYPE_OPAQUE, NULL, NULL)};
	assert_int_equal(recipe_builder_extent(builder, &extent), 0);
	recipe = finish_recipe(w, builder, batch, 101);
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	assert_int_equal(reader_read(reader, got, 64, 0), -EBADMSG);
	reader_close(reader);
}

struct mover {
	struct world *w;
	unsigned moved;
};

static int move_frame(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct mover *mover = ctx;
	struct chunk_record next = *record;

	if (packs_move(mover->w->packs, &record->place, &next.place))
		return -EIO;
	put_record(mover->w, id, &next);
	mover->moved++;
	return 0;
}

/* All frames are moved and their packs removed again and again, under readers. */
static void survives_moving_packs(void **state)
{
	struct world *w = *state;
	struct reading r[3];
	struct reader *reader;
	_Atomic int stop = 0;
	uint8_t *bytes;
	uint64_t size, recipe = put_file(w, 6, 0, &bytes, &size);
	struct mover mover = {w, 0};

	world_reopen(w, 64 << 10, 1); /* nothing fits: every read goes to the packs */
	assert_int_equal(reader_open(w->decoder, recipe, &reader), 0);
	for (unsigned i = 0; i < 3; i++) {
		r[i] = (struct reading){.reader = reader,
			.bytes = bytes,
			.size = size,
			.first = i * 1000,
			.step = 200000,
			.stop = &stop};
		assert_int_equal(pthread_create(&r[i].thread, NULL, read_slices, r + i), 0);
	}
	for (int round = 0; round < 30; round++) {
		uint64_t *ids;
		size_t count;
		packs_seal(w->packs);
		assert_int_equal(packs_list(w->packs, &ids, &count, NULL), 0);
		assert_int_equal(chunks_each(w->chunks, move_frame, &mover), 0);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(packs_remove(w->packs, ids[i]), 0);
		free(ids);
	}
	stop = 1;
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].wrong, 0);
		assert_true(r[i].rounds > 0);
	}
	assert_int_equal(mover.moved, 30 * 12);
	/* and when a pack is really lost, that is said */
	struct chunk_data *data;
	struct extent extent;
	struct recipe_cursor *cursor = recipe_cursor_new(w->recipes, recipe);
	struct chunk_record record;
	assert_int_equal(recipe_cursor_at(cursor, 0, &extent), 0);
	recipe_cursor_free(cursor);
	assert_int_equal(chunks_get(w->chunks, &extent.chunk, &record), 0);
	packs_seal(w->packs);
	assert_int_equal(packs_remove(w->packs, record.place.pack), 0);
	assert_int_equal(decode_chunk(w->decoder, &extent.chunk, &data), -EBADMSG);
	reader_close(reader);
	free(bytes);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(decodes_chains),
		T(refuses_what_is_too_deep),
		T(refuses_loops),
		T(a_base_of_several_is_decoded_once),
		T(ways_down_are_not_counted),
		T(refuses_too_many_bases),
		T(refuses_a_long_way_round),
		T(refuses_loops_of_several_bases),
		T(many_climb_one_graph),
		T(decodes_once_for_many),
		T(cache_is_bounded),
		T(refuses_damaged_frames),
		T(refuses_other_bytes),
		T(reader_equals_reference),
		T(reader_serves_threads),
		T(random_reads_cost_one_chunk),
		T(one_tensor_costs_its_chunks),
		T(a_stream_keeps_little),
		T(pins_equal_reads),
		T(seeks),
		T(reader_refuses_damage),
		T(survives_moving_packs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
