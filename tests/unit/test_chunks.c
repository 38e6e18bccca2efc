// links: m_chunks
/*
 * The chunk index over the real key-value side; pins against claims, with threads.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/chunks/chunks.h"
#include "tests/unit/scratch.h"

struct world {
	char path[SCRATCH_PATH];
	struct kv *kv;
	struct chunks *chunks;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	scratch_make(w->path);
	w->kv = scratch_kv(w->path);
	assert_int_equal(chunks_open(w->kv, 77, &w->chunks), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	chunks_close(w->chunks);
	kv_close(w->kv);
	scratch_remove(w->path);
	free(w);
	return 0;
}

static struct chunk_id id_of(unsigned n)
{
	return chunk_id_of(77, 0, &n, sizeof n);
}

static struct chunk_record record_of(unsigned n)
{
	struct chunk_record record = {.place = {.pack = n + 1, .offset = 64 + 8 * n, .payload_len = n % 1000},
		.raw_len = n + 1,
		.chain_bytes = 3 * n,
		.codec = 6,
		.codec_version = 1,
		.dtype = 12,
		.salt = 2,
		.depth = 1};

	record.frames = 1;
	for (unsigned i = 0; i < n % (FRAME_BASES_MAX + 1); i++)
		record.bases.id[record.bases.count++] = id_of(1000 + i);
	record.place.bases = record.bases.count;
	record.depth = record.bases.count ? 2 : 1;
	record.frames += record.bases.count;
	return record;
}

static void put(struct world *w, unsigned n)
{
	struct kv_batch *batch = kv_batch_new();
	struct chunk_record record = record_of(n);
	struct chunk_id id = id_of(n);

	chunks_put(w->chunks, batch, &id, &record);
	scratch_write(w->kv, batch);
}

static int drop(struct world *w, const struct chunk_id *id)
{
	struct kv_batch *batch = kv_batch_new();
	int rc;

	chunks_delete(w->chunks, batch, id);
	rc = kv_write(w->kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

static int get(struct world *w, unsigned n)
{
	struct chunk_id id = id_of(n);
	struct chunk_record record, expected = record_of(n);
	int rc = chunks_get(w->chunks, &id, &record);

	if (!rc)
		assert_int_equal(record.place.offset, expected.place.offset);
	return rc;
}

/* Field by field: what lies between them is anything. */
static void check_same(const struct chunk_record *a, const struct chunk_record *b)
{
	assert_int_equal(a->place.pack, b->place.pack);
	assert_int_equal(a->place.offset, b->place.offset);
	assert_int_equal(a->place.payload_len, b->place.payload_len);
	assert_int_equal(a->place.bases, b->place.bases);
	assert_int_equal(a->bases.count, b->bases.count);
	assert_memory_equal(a->bases.id, b->bases.id, sizeof a->bases.id);
	assert_int_equal(a->raw_len, b->raw_len);
	assert_int_equal(a->chain_bytes, b->chain_bytes);
	assert_int_equal(a->codec, b->codec);
	assert_int_equal(a->codec_version, b->codec_version);
	assert_int_equal(a->dtype, b->dtype);
	assert_int_equal(a->salt, b->salt);
	assert_int_equal(a->depth, b->depth);
	assert_int_equal(a->frames, b->frames);
}

static void records_round_trip(void **state)
{
	uint8_t bytes[CHUNK_RECORD_MAX];

	(void)state;
	for (unsigned n = 0; n < 100; n++) {
		struct chunk_record record = record_of(n), got = {0};
		size_t len = chunk_record_encode(&record, bytes);
		assert_int_equal(len, 40 + 16 * record.bases.count);
		assert_int_equal(chunk_record_decode(&got, bytes, len), 0);
		check_same(&got, &record);
		assert_int_equal(chunk_record_decode(&got, bytes, len - 1), -EBADMSG);
		for (size_t bit = 0; bit < 8 * len; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(chunk_record_decode(&got, bytes, len), -EBADMSG);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void records_are_bounded(void **state)
{
	uint8_t bytes[CHUNK_RECORD_MAX];
	struct chunk_record got;

	(void)state;
#define REFUSED(field, value)                                                                                \
	do {                                                                                                 \
		struct chunk_record record = record_of(1);                                                   \
		record.field = (value);                                                                      \
		size_t len = chunk_record_encode(&record, bytes);                                            \
		assert_int_equal(chunk_record_decode(&got, bytes, len), -EBADMSG);                           \
	} while (0)
	REFUSED(place.pack, 0);
	REFUSED(place.offset, 0);
	REFUSED(place.offset, 100);
	REFUSED(place.payload_len, FRAME_PAYLOAD_MAX + 1);
	REFUSED(raw_len, 0);
	REFUSED(raw_len, FRAME_RAW_MAX + 1);
	REFUSED(depth, 0);
	REFUSED(depth, 1);
	REFUSED(depth, CHUNK_DEPTH_MAX + 1);
	REFUSED(frames, 1);
	REFUSED(frames, CHUNK_FRAMES_MAX + 1);
	REFUSED(bases.id[0], (struct chunk_id){0});
	REFUSED(bases.count, 0);
	/* the same base twice */
	struct chunk_record twice = record_of(2);
	twice.bases.id[1] = twice.bases.id[0];
	assert_int_equal(chunk_record_decode(&got, bytes, chunk_record_encode(&twice, bytes)), -EBADMSG);
	/* more bases than there may be, with a checksum that is right */
	memset(bytes, 0, sizeof bytes);
	chunk_record_encode(&twice, bytes);
	bytes[30] = FRAME_BASES_MAX + 1;
	assert_int_equal(chunk_record_decode(&got, bytes, sizeof bytes), -EBADMSG);
}

static void what_a_chunk_costs(void **state)
{
	struct chunk_record record = {.place.payload_len = 5, .bases.count = 1};
	struct chunk_record base = {.depth = 3, .frames = 9, .chain_bytes = 100};

	(void)state;
	assert_true(chunk_record_stand(&record, &base));
	assert_int_equal(record.depth, 4);
	assert_int_equal(record.frames, 10);
	assert_int_equal(record.chain_bytes, 105);
	base.depth = CHUNK_DEPTH_MAX;
	assert_false(chunk_record_stand(&record, &base));
	assert_int_equal(record.depth, 4);
	base.depth = CHUNK_DEPTH_MAX - 1;
	base.frames = CHUNK_FRAMES_MAX;
	assert_false(chunk_record_stand(&record, &base));
	base.frames--;
	base.chain_bytes = UINT32_MAX;
	assert_true(chunk_record_stand(&record, &base));
	assert_int_equal(record.frames, CHUNK_FRAMES_MAX);
	assert_int_equal(record.chain_bytes, UINT32_MAX);
	record.bases.count = 0;
	assert_true(chunk_record_stand(&record, NULL));
	assert_int_equal(record.depth, 1);
}

/* 1 stands on 2 and 3, those on 4: what they have in common counts once. */
static void what_is_below_counts_once(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch = kv_batch_new();
	struct chunk_record records[5], top = {.place.payload_len = 1, .bases = {.count = 2}};

	for (unsigned n = 2; n < 5; n++) {
		struct chunk_id id = id_of(n), below = id_of(4);
		records[n] = record_of(0);
		records[n].place.payload_len = 10 * n;
		records[n].bases = n < 4 ? chunk_bases_of(&below) : (struct chunk_bases){.count = 0};
		records[n].place.bases = records[n].bases.count;
		records[n].depth = records[n].frames = n < 4 ? 2 : 1;
		records[n].chain_bytes = n < 4 ? 10 * n + 40 : 40;
		chunks_put(w->chunks, batch, &id, &records[n]);
	}
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	top.bases.id[0] = id_of(2);
	top.bases.id[1] = id_of(3);
	assert_true(chunks_stand(w->chunks, &top, &records[2]));
	assert_int_equal(top.depth, 3);
	assert_int_equal(top.frames, 4);
	assert_int_equal(top.chain_bytes, 1 + 20 + 30 + 40);
	struct chunk_id lost = id_of(4), other = id_of(5);
	assert_true(chunks_stands_on(w->chunks, &top, &lost));
	assert_false(chunks_stands_on(w->chunks, &top, &other));
	assert_int_equal(drop(w, &lost), 0);
	assert_false(chunks_stand(w->chunks, &top, &records[2]));
}

/* Pinned: ids are on disk. */
static void ids_are_what_they_were(void **state)
{
	static const uint8_t empty_seed_0[16] = {0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8, 0x60, 0x01,
		0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f};
	struct chunk_id a = chunk_id_of(0, 0, "", 0), b;

	(void)state;
	assert_memory_equal(a.b, empty_seed_0, 16);
	a = chunk_id_of(5, 1, "abc", 3);
	b = chunk_id_of(6, 0, "abc", 3);
	assert_true(chunk_id_equal(&a, &b));
	b = chunk_id_of(5, 0, "abc", 3);
	assert_false(chunk_id_equal(&a, &b));
}

static int count_record(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	unsigned *seen = ctx;

	(void)id;
	seen[record->place.pack - 1]++;
	return 0;
}

static int stop_at_once(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	(void)id;
	(void)record;
	++*(unsigned *)ctx;
	return -ECANCELED;
}

static void puts_gets_deletes_walks(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch;
	unsigned seen[300] = {0}, calls = 0;
	struct chunk_id id;

	assert_int_equal(get(w, 0), -ENOENT);
	for (unsigned n = 0; n < 300; n++)
		put(w, n);
	for (unsigned n = 0; n < 300; n++)
		assert_int_equal(get(w, n), 0);
	assert_int_equal(chunks_each(w->chunks, count_record, seen), 0);
	for (unsigned n = 0; n < 300; n++)
		assert_int_equal(seen[n], 1);
	assert_int_equal(chunks_each(w->chunks, stop_at_once, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	id = id_of(7);
	assert_int_equal(drop(w, &id), 0);
	assert_int_equal(get(w, 7), -ENOENT);
	/* a damaged record is passed over and said */
	id = id_of(8);
	batch = kv_batch_new();
	kv_batch_put(w->kv, batch, KV_CHUNKS, id.b, sizeof id.b, "junk", 4);
	kv_batch_put(w->kv, batch, KV_CHUNKS, "short", 5, "junk", 4);
	scratch_write(w->kv, batch);
	assert_int_equal(get(w, 8), -EBADMSG);
	memset(seen, 0, sizeof seen);
	assert_int_equal(chunks_each(w->chunks, count_record, seen), -EBADMSG);
	for (unsigned n = 0; n < 300; n++)
		assert_int_equal(seen[n], n != 7 && n != 8);
}

static void pins_keep_from_claims(void **state)
{
	struct world *w = *state;
	struct chunks *c = w->chunks;
	struct chunk_id held = id_of(1), before = id_of(2), during = id_of(3), free_id = id_of(4),
			twice = id_of(5);

	assert_false(chunks_gc_claim(c, &free_id)); /* no collection */
	chunks_pin(c, &held);
	chunks_pin(c, &before);
	chunks_unpin(c, &before);
	chunks_pin(c, &twice);
	chunks_pin(c, &twice);
	chunks_unpin(c, &twice);
	assert_int_equal(chunks_gc_begin(c), 0);
	assert_int_equal(chunks_gc_begin(c), -EBUSY);
	chunks_pin(c, &during);
	chunks_unpin(c, &during);
	chunks_unpin(c, &twice);
	assert_true(chunks_gc_pinned(c, &held));
	assert_true(chunks_gc_pinned(c, &during));
	assert_true(chunks_gc_pinned(c, &twice));
	assert_false(chunks_gc_pinned(c, &before));
	assert_false(chunks_gc_claim(c, &held));
	assert_false(chunks_gc_claim(c, &during));
	assert_false(chunks_gc_claim(c, &twice));
	assert_true(chunks_gc_claim(c, &before));
	assert_true(chunks_gc_claim(c, &free_id));
	chunks_gc_settle(c);
	chunks_pin(c, &free_id); /* does not wait any more */
	assert_false(chunks_gc_claim(c, &free_id));
	assert_false(chunks_gc_claim(c, &during)); /* still remembered */
	chunks_unpin(c, &free_id);
	chunks_gc_end(c);
	assert_int_equal(chunks_gc_begin(c), 0);
	assert_false(chunks_gc_claim(c, &held));
	assert_true(chunks_gc_claim(c, &during));
	assert_true(chunks_gc_claim(c, &twice));
	chunks_gc_end(c);
	chunks_unpin(c, &held);
}

/* Many ids come and go in one table; none is lost, none is left. */
static void pins_are_counted(void **state)
{
	struct world *w = *state;
	unsigned counts[2000] = {0};
	unsigned seed = 1;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned n = (seed >> 8) % 2000;
		struct chunk_id id = id_of(n);
		if (counts[n] && seed >> 31) {
			chunks_unpin(w->chunks, &id);
			counts[n]--;
		} else if (counts[n] < 3) {
			chunks_pin(w->chunks, &id);
			counts[n]++;
		}
		if (i % 20000 == 777) {
			assert_int_equal(chunks_gc_begin(w->chunks), 0);
			for (unsigned k = 0; k < 2000; k++) {
				struct chunk_id other = id_of(k);
				assert_int_equal(chunks_gc_pinned(w->chunks, &other), counts[k] > 0);
			}
			chunks_gc_end(w->chunks);
		}
	}
}

static void *pin_and_put(void *arg)
{
	struct world *w = arg;
	struct chunk_id id = id_of(1);

	chunks_pin(w->chunks, &id);
	if (get(w, 1) == -ENOENT)
		put(w, 1);
	return NULL;
}

/* The deletion of a claimed chunk comes later than a pin of it: what the pinner then finds or puts is not
 * deleted. */
static void pins_wait_for_deletions(void **state)
{
	struct world *w = *state;
	struct chunk_id id = id_of(1);

	put(w, 1);
	for (int by_end = 0; by_end < 2; by_end++) {
		pthread_t thread;
		assert_int_equal(chunks_gc_begin(w->chunks), 0);
		assert_true(chunks_gc_claim(w->chunks, &id));
		assert_int_equal(pthread_create(&thread, NULL, pin_and_put, w), 0);
		usleep(50000);
		assert_int_equal(drop(w, &id), 0);
		if (by_end)
			chunks_gc_end(w->chunks);
		else
			chunks_gc_settle(w->chunks);
		pthread_join(thread, NULL);
		assert_int_equal(get(w, 1), 0);
		chunks_unpin(w->chunks, &id);
		if (!by_end)
			chunks_gc_end(w->chunks);
	}
}

#define IDS 64u
#define WORKERS 3

struct race {
	struct world *w;
	_Atomic int stop;
	_Atomic unsigned rounds, lost;
};

/* As the encoder does: pin, look, put if it is not there, rely on it, unpin. */
static void *rely(void *arg)
{
	struct race *race = arg;
	unsigned seed = (unsigned)(uintptr_t)&seed;

	while (!race->stop) {
		seed = seed * 1103515245 + 12345;
		unsigned n = (seed >> 10) % IDS;
		struct chunk_id id = id_of(n);
		chunks_pin(race->w->chunks, &id);
		if (get(race->w, n) == -ENOENT)
			put(race->w, n);
		for (int i = 0; i < 3; i++) {
			if (get(race->w, n))
				race->lost++;
		}
		chunks_unpin(race->w->chunks, &id);
		race->rounds++;
	}
	return NULL;
}

/* What is pinned and found, or put, is there for as long as it is pinned, whatever is collected meanwhile. */
static void collection_never_takes_what_is_relied_on(void **state)
{
	struct world *w = *state;
	struct race race = {.w = w};
	pthread_t thread[WORKERS];
	unsigned removed = 0;

	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, rely, &race), 0);
	for (int round = 0; round < 1500 || race.rounds < 5000; round++) {
		assert_int_equal(chunks_gc_begin(w->chunks), 0);
		for (unsigned n = 0; n < IDS; n++) {
			struct chunk_id id = id_of(n);
			if (!chunks_gc_claim(w->chunks, &id))
				continue;
			assert_int_equal(drop(w, &id), 0);
			removed++;
			if (n % 7 == 0)
				chunks_gc_settle(w->chunks);
		}
		chunks_gc_end(w->chunks);
	}
	race.stop = 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(race.lost, 0);
	assert_true(removed > 1000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_round_trip),
		cmocka_unit_test(records_are_bounded),
		cmocka_unit_test(what_a_chunk_costs),
		cmocka_unit_test_setup_teardown(what_is_below_counts_once, setup, teardown),
		cmocka_unit_test(ids_are_what_they_were),
		T(puts_gets_deletes_walks),
		T(pins_keep_from_claims),
		T(pins_are_counted),
		T(pins_wait_for_deletions),
		T(collection_never_takes_what_is_relied_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
