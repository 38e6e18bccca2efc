// links: m_store
/* Space comes back: rotation, sharing, readers and deaths during a collection. */
#include "tests/unit/upkeep_world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define TENSORS 2u
#define ELEMENTS 300000u
#define NAME 32

static int setup(void **state)
{
	*state = world_new();
	return 0;
}

static int teardown(void **state)
{
	world_free(*state);
	return 0;
}

static struct gc_result collect(struct world *w)
{
	struct gc_result result;

	assert_int_equal(gc_run(&w->store->parts, 0, NULL, NULL, &result), 0);
	return result;
}

static void tell(void *ctx, const char *line)
{
	(void)ctx;
	print_message("%s\n", line);
}

static void expect_clean(struct world *w)
{
	struct fsck_options options = {.data = true, .report = tell};

	assert_int_equal(fsck_run(&w->store->parts, &options), 0);
}

static const char *name_of(unsigned step, char name[NAME])
{
	snprintf(name, NAME, "checkpoint-%u", step);
	return name;
}

/* Does not wait for the encoder. */
static void save(struct world *w, unsigned step, unsigned tensors, size_t elements)
{
	char name[NAME];
	size_t len;
	uint8_t *bytes = checkpoint(step, tensors, elements, &len);

	world_put(w, name_of(step, name), bytes, len);
	free(bytes);
}

static void expect_saved(struct world *w, unsigned step, unsigned tensors, size_t elements)
{
	char name[NAME];
	size_t len;
	uint8_t *bytes = checkpoint(step, tensors, elements, &len);

	world_expect(w, name_of(step, name), bytes, len);
	free(bytes);
}

static void put_step(struct world *w, unsigned step)
{
	save(w, step, TENSORS, ELEMENTS);
	world_drain(w);
}

static void delete_step(struct world *w, unsigned step)
{
	char name[NAME];

	world_delete(w, name_of(step, name));
}

static void expect_step(struct world *w, unsigned step)
{
	expect_saved(w, step, TENSORS, ELEMENTS);
}

static void expect_steps(struct world *w, unsigned first, unsigned last)
{
	for (unsigned step = first; step <= last; step++)
		expect_step(w, step);
}

/* The second stands on the first. */
static void put_and_delete_two(struct world *w)
{
	put_step(w, 1);
	put_step(w, 2);
	delete_step(w, 1);
	delete_step(w, 2);
}

static uint64_t pack_bytes(struct world *w)
{
	return packs_bytes(w->store->parts.packs);
}

static uint64_t bytes_of_last_three(unsigned last)
{
	struct world *w = world_new();
	uint64_t bytes;

	for (unsigned step = last - 2; step <= last; step++)
		put_step(w, step);
	bytes = pack_bytes(w);
	world_free(w);
	return bytes;
}

/* Leaves the last three, and little more than they would take alone. */
static void rotate(struct world *w, unsigned last, bool collect_each)
{
	uint64_t bytes, alone = bytes_of_last_three(last);

	for (unsigned step = 1; step <= last; step++) {
		put_step(w, step);
		if (step > 3)
			delete_step(w, step - 3);
		if (collect_each || step == last)
			collect(w);
	}
	bytes = pack_bytes(w);
	print_message(
		"rotated: %zu KiB; only the last three: %zu KiB\n", (size_t)bytes >> 10, (size_t)alone >> 10);
	assert_true(bytes * 100 <= alone * 110);
}

static void rotation_gives_space_back(void **state)
{
	struct world *w = *state;
	unsigned last = 12;

	rotate(w, last, false);
	for (int again = 0; again < 2; again++) {
		expect_steps(w, last - 2, last);
		world_open(w, true);
	}
	expect_clean(w);
}

static void rotation_with_a_collection_each_time(void **state)
{
	struct world *w = *state;
	unsigned last = 9;

	rotate(w, last, true);
	expect_steps(w, last - 2, last);
	expect_clean(w);
}

static void nothing_remains_of_nothing(void **state)
{
	struct world *w = *state;
	struct gc_result result;

	put_and_delete_two(w);
	result = collect(w);
	assert_int_equal(result.recipes_purged, 2);
	assert_true(result.chunks_removed > 0);
	assert_true(result.bytes_before > 0);
	assert_int_equal(result.bytes_after, 0);
	assert_int_equal(pack_bytes(w), 0);
	expect_clean(w);
}

static void what_is_shared_stays(void **state)
{
	struct world *w = *state;
	size_t len;
	uint8_t *bytes = checkpoint(1, TENSORS, ELEMENTS, &len);

	world_put(w, "one", bytes, len);
	world_put(w, "two", bytes, len);
	world_drain(w);
	world_delete(w, "one");
	collect(w);
	world_open(w, true);
	world_expect(w, "two", bytes, len);
	free(bytes);
}

/* What the decoder still has in its cache is not what the store has. */
static void what_was_collected_is_stored_anew(void **state)
{
	struct world *w = *state;

	put_step(w, 1);
	delete_step(w, 1);
	collect(w);
	put_step(w, 1);
	world_open(w, true);
	expect_step(w, 1);
	expect_clean(w);
}

static void a_collection_of_nothing_moves_nothing(void **state)
{
	struct world *w = *state;
	struct gc_result result;

	put_step(w, 1);
	put_step(w, 2);
	collect(w);
	result = collect(w);
	assert_int_equal(result.chunks_removed, 0);
	assert_int_equal(result.chunks_rebased, 0);
	assert_int_equal(result.frames_moved, 0);
	expect_steps(w, 1, 2);
}

/* Too many stand on one base: it stays, and all of them. */
static void a_base_of_many_stays(void **state)
{
	struct world *w = *state;
	struct gc_result result;
	unsigned last = 36;

	for (unsigned step = 1; step <= last; step++) {
		save(w, step, 1, 40000);
		world_drain(w);
	}
	delete_step(w, 1);
	result = collect(w);
	assert_int_equal(result.chunks_rebased, 0);
	world_open(w, true);
	for (unsigned step = 2; step <= last; step++)
		expect_saved(w, step, 1, 40000);
	expect_clean(w);
}

/* --- pins, as an encoder holds them --- */

static int note_based(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	if (!record->bases.count)
		return 0;
	*(struct chunk_id *)ctx = *id;
	return 1;
}

/* A chunk that nothing refers to any more, and that stands on another. */
static struct chunk_id make_dead_based(struct world *w)
{
	struct chunk_id id;

	put_and_delete_two(w);
	world_open(w, false);
	assert_int_equal(chunks_each(w->store->parts.chunks, note_based, &id), 1);
	return id;
}

static bool is_readable(struct world *w, const struct chunk_id *id)
{
	struct chunk_data *data;

	if (decode_chunk(w->store->parts.decoder, id, &data))
		return false;
	decode_release(w->store->parts.decoder, data);
	return true;
}

static void a_pinned_chunk_stays_with_what_it_stands_on(void **state)
{
	struct world *w = *state;
	struct chunk_record record;
	struct chunk_id id = make_dead_based(w), base;

	assert_int_equal(chunks_get(w->store->parts.chunks, &id, &record), 0);
	base = record.bases.id[0];
	chunks_pin(w->store->parts.chunks, &id);
	collect(w);
	assert_int_equal(chunks_get(w->store->parts.chunks, &base, &record), 0);
	assert_true(is_readable(w, &id));
	assert_true(pack_bytes(w) < 1 << 20);
	chunks_unpin(w->store->parts.chunks, &id);
	collect(w);
	assert_int_equal(pack_bytes(w), 0);
}

struct late_pin {
	struct world *w;
	const struct chunk_id *id;
};

static int pin_before_removal(void *ctx, const char *phase, double share)
{
	struct late_pin *pin = ctx;

	if (!strcmp(phase, "remove") && share == 0) {
		chunks_pin(pin->w->store->parts.chunks, pin->id);
		chunks_unpin(pin->w->store->parts.chunks, pin->id);
	}
	return 0;
}

static void a_pin_during_a_collection_counts(void **state)
{
	struct world *w = *state;
	struct chunk_id id = make_dead_based(w);
	struct late_pin pin = {w, &id};
	struct gc_result result;

	assert_int_equal(gc_run(&w->store->parts, 0, pin_before_removal, &pin, &result), 0);
	assert_true(is_readable(w, &id));
	expect_clean(w);
}

/* Something else writes the same store while it is collected. */
struct reader_of {
	struct world *w;
	_Atomic bool stop;
	_Atomic unsigned rounds, wrong;
	uint8_t *bytes;
	size_t len;
	uint64_t ino;
};

static void *read_on(void *arg)
{
	struct reader_of *r = arg;
	uint8_t *read = malloc(r->len);

	while (!r->stop) {
		if (world_read(r->w, r->ino, read, r->len) != (ssize_t)r->len ||
			memcmp(read, r->bytes, r->len))
			r->wrong++;
		r->rounds++;
	}
	free(read);
	return NULL;
}

static void readers_and_writers_go_on(void **state)
{
	struct world *w = *state;
	struct store_options options = {.quiet_ms = 1, .threads = 2, .cache_bytes = 1 << 20};
	struct store_error error;
	struct reader_of r = {.w = w};
	struct inode inode;
	pthread_t thread;

	put_step(w, 1);
	put_step(w, 2);
	/* Hardly a cache, so that readers go to the packs. */
	world_shut(w);
	assert_int_equal(store_open(w->dir, &options, &w->store, &error), 0);
	r.bytes = checkpoint(2, TENSORS, ELEMENTS, &r.len);
	assert_int_equal(names_lookup(w->store->parts.names, NAMES_ROOT, "checkpoint-2", &inode), 0);
	r.ino = inode.ino;
	assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
	for (unsigned step = 3; step < 9; step++) {
		/* The encoder is at work on this one while the one before it goes. */
		save(w, step, TENSORS, ELEMENTS);
		delete_step(w, step == 3 ? 1 : step - 1);
		collect(w);
	}
	world_drain(w);
	collect(w);
	r.stop = true;
	pthread_join(thread, NULL);
	free(r.bytes);
	assert_true(r.rounds > 0);
	assert_int_equal(r.wrong, 0);
	expect_step(w, 2);
	expect_step(w, 8);
	expect_clean(w);
}

/* --- no room to move what lives --- */

static void dead_ranges_of_a_pack_can_be_given_back(void **state)
{
	struct world *w = *state;
	struct packs *packs = w->store->parts.packs;
	struct frame frame = {.raw_len = 100000, .payload_len = 100000, .codec_version = 1}, read;
	uint8_t *payload = malloc(100000);
	struct frame_place places[3];
	uint64_t before, after;

	memset(payload, 7, 100000);
	for (unsigned i = 0; i < 3; i++) {
		memset(frame.id.b, (int)i + 1, sizeof frame.id.b);
		assert_int_equal(packs_append(packs, &frame, payload, &places[i]), 0);
	}
	assert_int_equal(packs_punch(packs, places[0].pack, places[1].offset, places[2].offset), -EBUSY);
	assert_int_equal(packs_sync(packs), 0);
	assert_int_equal(packs_seal(packs), 0);
	assert_int_equal(packs_size(packs, places[0].pack, &before), 0);
	assert_int_equal(packs_punch(packs, places[0].pack, places[1].offset, places[2].offset), 0);
	assert_int_equal(packs_size(packs, places[0].pack, &after), 0);
	assert_true(after + 90000 <= before);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			packs_read(packs, &places[i], NULL, &read, payload, 100000), i == 1 ? -EBADMSG : 0);
	assert_int_equal(packs_punch(packs, places[0].pack, places[2].offset, UINT64_MAX), 0);
	assert_int_equal(packs_read(packs, &places[0], NULL, &read, payload, 100000), 0);
	assert_int_equal(packs_read(packs, &places[2], NULL, &read, payload, 100000), -EBADMSG);
	free(payload);
}

/* --- death in the middle --- */

struct stop_at {
	unsigned calls, at;
};

static int die(void *ctx, const char *phase, double share)
{
	struct stop_at *stop = ctx;

	(void)phase;
	(void)share;
	if (++stop->calls == stop->at)
		_exit(99);
	return 0;
}

static int leave(void *ctx, const char *phase, double share)
{
	struct stop_at *stop = ctx;

	(void)phase;
	(void)share;
	return ++stop->calls == stop->at;
}

static void rotate_some(struct world *w)
{
	for (unsigned step = 1; step <= 5; step++)
		put_step(w, step);
	for (unsigned step = 1; step <= 3; step++)
		delete_step(w, step);
	world_shut(w);
}

static int collect_as_main(const char *dir, unsigned at)
{
	struct stop_at stop = {.at = at};
	struct store_options options = {.no_background = true, .threads = 1};
	struct store_error error;
	struct store *store;
	struct gc_result result;

	if (store_open(dir, &options, &store, &error))
		return 1;
	return gc_run(&store->parts, 0, die, &stop, &result) ? 2 : 0;
}

/* Collects in a process of its own that dies at the n-th step. True: it lived to the end. That is this
 * program again, for a store starts threads, which a mere fork of a process with threads may not. */
static bool collect_and_die(struct world *w, unsigned at)
{
	char step[16];
	pid_t pid;
	int status;

	snprintf(step, sizeof step, "%u", at);
	pid = fork();
	if (!pid) {
		execl("/proc/self/exe", "test_gc", w->dir, step, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 99 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 0;
}

static void death_at_any_step_loses_nothing(void **state)
{
	struct world *w = *state;
	uint64_t bytes;

	rotate_some(w);
	for (unsigned at = 1;; at++) {
		bool ended = collect_and_die(w, at);

		world_open(w, false);
		expect_steps(w, 4, 5);
		expect_clean(w);
		world_shut(w);
		if (ended)
			break;
	}
	world_open(w, false);
	collect(w);
	bytes = pack_bytes(w);
	/* Frames of the dead runs are gone, too. */
	world_shut(w);
	struct world *fresh = world_new();
	put_step(fresh, 4);
	put_step(fresh, 5);
	assert_true(bytes * 100 <= pack_bytes(fresh) * 110);
	world_free(fresh);
}

static void early_end_leaves_a_sound_store(void **state)
{
	struct world *w = *state;
	int rc = -EINTR;

	rotate_some(w);
	world_open(w, true);
	for (unsigned at = 1; rc == -EINTR; at++) {
		struct stop_at stop = {.at = at};
		struct gc_result result;

		rc = gc_run(&w->store->parts, 0, leave, &stop, &result);
		assert_true(!rc || rc == -EINTR);
		expect_steps(w, 4, 5);
	}
	expect_clean(w);
}

static int collect_inside(void *ctx, const char *phase, double share)
{
	struct gc_result result;

	(void)phase;
	(void)share;
	assert_int_equal(gc_run(ctx, 0, NULL, NULL, &result), -EBUSY);
	return 0;
}

static void one_collection_at_a_time(void **state)
{
	struct world *w = *state;
	struct gc_result result;

	put_step(w, 1);
	assert_int_equal(gc_run(&w->store->parts, 0, collect_inside, &w->store->parts, &result), 0);
}

/* --- the background thread --- */

static void much_is_collected_unasked(void **state)
{
	struct world *w = *state;
	size_t len = 66u << 20;
	uint8_t *bytes = malloc(len);
	uint64_t seed = 1;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t x = world_random(&seed);

		memcpy(bytes + i, &x, 8);
	}
	world_put(w, "random", bytes, len);
	world_drain(w);
	assert_true(pack_bytes(w) >= len);
	world_delete(w, "random");
	SCRATCH_WAIT(!pack_bytes(w));
	assert_int_equal(pack_bytes(w), 0);
	free(bytes);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		int status = collect_as_main(argv[1], (unsigned)atoi(argv[2]));

		_exit(status); /* with the store as it is */
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rotation_gives_space_back, setup, teardown),
		cmocka_unit_test_setup_teardown(rotation_with_a_collection_each_time, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_remains_of_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_shared_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_collected_is_stored_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(a_collection_of_nothing_moves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_base_of_many_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pinned_chunk_stays_with_what_it_stands_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pin_during_a_collection_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_and_writers_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(dead_ranges_of_a_pack_can_be_given_back, setup, teardown),
		cmocka_unit_test_setup_teardown(death_at_any_step_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(early_end_leaves_a_sound_store, setup, teardown),
		cmocka_unit_test_setup_teardown(one_collection_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(much_is_collected_unasked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
