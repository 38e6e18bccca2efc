// links: m_report
/* Small files of caches in real stores: many to a chunk, behind chunks that are like them, and back. */
#include "tests/unit/upkeep_world.h"

#include <dirent.h>

#include "store/encode/private.h"
#include "store/report/report.h"

#define FILES 40u

struct dir {
	struct world *w;
	uint64_t cache;
};

static int setup(void **state)
{
	struct dir *d = calloc(1, sizeof *d);
	struct inode inode;

	d->w = world_new();
	assert_int_equal(names_make(d->w->store->parts.names, NAMES_ROOT, "cache", S_IFDIR | 0755, 0, &owner,
				 CONTENT_NONE, 0, &inode),
		0);
	d->cache = inode.ino;
	assert_int_equal(names_setxattr(d->w->store->parts.names, d->cache, NAMES_PROFILE, "cache", 5, 0), 0);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct dir *d = *state;

	world_free(d->w);
	free(d);
	return 0;
}

/* What file `i` of kernel family `model` holds: source whose constants differ here and there. */
static size_t source(char *dst, size_t capacity, unsigned i, unsigned model)
{
	uint64_t state = i + 1;
	size_t n = 0;

	for (unsigned line = 0; line < 60 + i; line++) {
		unsigned constant = (unsigned)(world_random(&state) % 1000);
		n += (size_t)snprintf(dst + n, capacity - n, "auto tmp%u = in_ptr%u[%uL + x0 * %uL];\n", line,
			constant % 7, line % 9 ? constant : constant + model, constant * 3 % 101);
	}
	return n;
}

static void put_all(struct dir *d, const char *prefix, unsigned model)
{
	char text[16384], name[64];

	for (unsigned i = 0; i < FILES; i++) {
		size_t n = source(text, sizeof text, i, model);
		snprintf(name, sizeof name, "%s%u.cpp", prefix, i);
		world_put_in(d->w, d->cache, name, text, n);
	}
	world_drain(d->w);
}

static struct inode look(struct dir *d, const char *name)
{
	struct inode inode;

	assert_int_equal(names_lookup(d->w->store->parts.names, d->cache, name, &inode), 0);
	return inode;
}

static void expect(struct dir *d, const char *name, const void *bytes, size_t n)
{
	char *back = malloc(n + 1);

	assert_int_equal(world_read(d->w, look(d, name).ino, back, n + 1), n);
	assert_memory_equal(back, bytes, n);
	free(back);
}

static void expect_all(struct dir *d, const char *prefix, unsigned model)
{
	char text[16384], name[64];

	for (unsigned i = 0; i < FILES; i++) {
		size_t n = source(text, sizeof text, i, model);
		snprintf(name, sizeof name, "%s%u.cpp", prefix, i);
		expect(d, name, text, n);
	}
}

static struct chunk_id first_chunk(struct dir *d, const char *name)
{
	struct recipe_cursor *cursor = recipe_cursor_new(d->w->store->parts.recipes, look(d, name).recipe);
	struct extent extent;

	assert_non_null(cursor);
	assert_int_equal(recipe_cursor_at(cursor, 0, &extent), 0);
	recipe_cursor_free(cursor);
	return extent.chunk;
}

static unsigned codec_of(struct dir *d, const char *name)
{
	struct chunk_id id = first_chunk(d, name);
	struct chunk_record record;

	assert_int_equal(chunks_get(d->w->store->parts.chunks, &id, &record), 0);
	return record.codec;
}

static uint64_t packed(struct dir *d)
{
	struct encoder_counts counts;

	encoder_counts(d->w->store->parts.encoder, &counts);
	return counts.payload_bytes;
}

static void report(void *ctx, const char *line)
{
	(void)ctx;
	fail_msg("%s", line);
}

static void check(struct dir *d)
{
	const struct fsck_options options = {.data = true, .report = report};

	assert_int_equal(fsck_run(&d->w->store->parts, &options), 0);
}

/* Told twice of one chunk, it names it once. */
static void test_likeness_names_a_chunk_once(void **state)
{
	static uint8_t bytes[ENCODE_CHUNK];
	static struct sketch sketch, part;
	struct dir *d = *state;
	struct alike *alike = alike_new();
	struct chunk_id ids[FRAME_BASES_MAX], id;
	uint64_t random = 9;

	put_all(d, "k", 0);
	id = first_chunk(d, "k0.cpp");
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)world_random(&random);
	sketch_take(&sketch, bytes, sizeof bytes);
	sketch_take(&part, bytes, sizeof bytes / 2);
	alike_add(alike, &id, &part);
	alike_add(alike, &id, &sketch);
	assert_int_equal(alike_find(alike, d->w->store->parts.chunks, &sketch, ids, FRAME_BASES_MAX), 1);
	assert_true(chunk_id_equal(&ids[0], &id));
	/* A chunk that is no more is not named. */
	id.b[3] ^= 1;
	sketch_take(&sketch, bytes + sizeof bytes / 2, sizeof bytes / 2);
	alike_add(alike, &id, &sketch);
	assert_int_equal(alike_find(alike, d->w->store->parts.chunks, &sketch, ids, FRAME_BASES_MAX), 0);
	alike_free(alike);
}

static void test_many_to_a_chunk(void **state)
{
	struct dir *d = *state;
	struct chunk_id a, b;

	put_all(d, "k", 0);
	expect_all(d, "k", 0);
	assert_int_equal(look(d, "k0.cpp").content, CONTENT_ENCODED);
	a = first_chunk(d, "k0.cpp");
	b = first_chunk(d, "k1.cpp");
	assert_true(chunk_id_equal(&a, &b));
	assert_int_equal(codec_of(d, "k0.cpp"), CODEC_ZSTD);
	assert_true(packed(d) < FILES * 3000 / 4);
	assert_true(look(d, "k0.cpp").blocks > 0);
	json_t *info;
	assert_int_equal(report_info(d->w->store, look(d, "k7.cpp").ino, &info), 0);
	/* Its part of the chunk that it shares, and no tensors. */
	assert_in_range(json_integer_value(json_object_get(info, "stored_bytes")), 1, 3000 / 2);
	assert_int_equal(json_array_size(json_object_get(info, "segments")), 1);
	json_decref(info);
	check(d);
}

static void test_alike_ones_stand_on_each_other(void **state)
{
	struct dir *d = *state;
	uint64_t first, second;

	put_all(d, "k", 0);
	first = packed(d);
	put_all(d, "m", 1);
	second = packed(d) - first;
	assert_int_equal(codec_of(d, "m0.cpp"), CODEC_ZSTD_BASES);
	assert_in_range(second, 1, first / 2);
	/* What is known of earlier chunks comes back after a start. */
	world_open(d->w, true);
	put_all(d, "n", 2);
	assert_int_equal(codec_of(d, "n0.cpp"), CODEC_ZSTD_BASES);
	assert_in_range(packed(d), 1, first / 2);
	expect_all(d, "k", 0);
	expect_all(d, "m", 1);
	expect_all(d, "n", 2);
	check(d);
}

static void test_same_bytes_are_kept_once(void **state)
{
	struct dir *d = *state;
	char text[16384];
	uint64_t first;
	size_t n = source(text, sizeof text, 3, 0);

	put_all(d, "k", 0);
	world_put_in(d->w, d->cache, "twin1", text, n); /* of one there is, and of each other */
	world_put_in(d->w, d->cache, "twin2", text, n);
	text[7] ^= 1;
	world_put_in(d->w, d->cache, "new1", text, n);
	world_put_in(d->w, d->cache, "new2", text, n);
	first = packed(d);
	world_drain(d->w);
	assert_in_range(packed(d) - first, 1, n / 2); /* new1 */
	first = packed(d);
	world_open(d->w, true);
	put_all(d, "again", 0);
	assert_int_equal(packed(d), 0);
	expect_all(d, "again", 0);
	expect(d, "new2", text, n);
	text[7] ^= 1;
	expect(d, "twin1", text, n);
	expect(d, "twin2", text, n);
	check(d);
}

/* Files that do not fit a chunk's rest, fill several, or are of another kind. */
static void test_all_sizes(void **state)
{
	static const size_t sizes[] = {1, 100, 33000, 100000, 200000, ENCODE_CHUNK, ENCODE_CHUNK + 1, 700000,
		POOL_FILE_MAX, POOL_FILE_MAX + 1, 20};
	enum { COUNT = sizeof sizes / sizeof *sizes };
	struct dir *d = *state;
	uint8_t *bytes[COUNT];
	char name[16];

	for (size_t i = 0; i < COUNT; i++) {
		uint64_t random = i + 99;
		bytes[i] = malloc(sizes[i] + 8);
		for (size_t k = 0; k < sizes[i]; k += 8) {
			uint64_t x = world_random(&random) & (i & 1 ? UINT64_MAX : 0x0303030303030303);
			memcpy(bytes[i] + k, &x, 8);
		}
		if (i % 3 == 0 && sizes[i] > 4)
			memcpy(bytes[i], "\177ELF", 4);
		snprintf(name, sizeof name, "f%zu", i);
		world_put_in(d->w, d->cache, name, bytes[i], sizes[i]);
	}
	world_put_in(d->w, d->cache, "empty", "", 0);
	world_drain(d->w);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < COUNT; i++) {
			snprintf(name, sizeof name, "f%zu", i);
			assert_int_equal(look(d, name).content, CONTENT_ENCODED);
			expect(d, name, bytes[i], sizes[i]);
		}
		world_open(d->w, true);
	}
	assert_int_equal(look(d, "empty").content, CONTENT_NONE);
	check(d);
	for (size_t i = 0; i < COUNT; i++)
		free(bytes[i]);
}

/* Deleting the files that lend bases leaves the others whole, and the space comes back. */
static void test_collecting(void **state)
{
	struct dir *d = *state;
	struct gc_result result;
	struct inode gone;
	char name[64];

	put_all(d, "k", 0);
	put_all(d, "m", 1);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "k%u.cpp", i);
		assert_int_equal(names_unlink(d->w->store->parts.names, d->cache, name, &gone), 0);
		assert_int_equal(content_drop(d->w->store->parts.stage, gone.ino), 0);
	}
	assert_int_equal(gc_run(&d->w->store->parts, 0, NULL, NULL, &result), 0);
	expect_all(d, "m", 1);
	check(d);
	world_open(d->w, true);
	expect_all(d, "m", 1);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(name, sizeof name, "m%u.cpp", i);
		assert_int_equal(names_unlink(d->w->store->parts.names, d->cache, name, &gone), 0);
		assert_int_equal(content_drop(d->w->store->parts.stage, gone.ino), 0);
	}
	assert_int_equal(packs_seal(d->w->store->parts.packs), 0);
	assert_int_equal(gc_run(&d->w->store->parts, 0, NULL, NULL, &result), 0);
	assert_int_equal(result.bytes_after, 0);
	/* And what was known of them is no reason to fail. */
	put_all(d, "k", 0);
	expect_all(d, "k", 0);
	check(d);
}

static void delete (struct dir *d, const char *name)
{
	struct inode gone;

	assert_int_equal(names_unlink(d->w->store->parts.names, d->cache, name, &gone), 0);
	assert_int_equal(content_drop(d->w->store->parts.stage, gone.ino), 0);
}

/* Of many files a few stay, all over the chunks: they are packed anew, and the rest comes back. */
static void test_thin_chunks(void **state)
{
	enum { COUNT = 100, SIZE = 15000 };
	static uint8_t bytes[SIZE];
	struct dir *d = *state;
	struct gc_result result;
	char name[64];

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < COUNT; i++) {
			uint64_t random = i + 1;
			for (size_t k = 0; k < SIZE; k++)
				bytes[k] = (uint8_t)world_random(&random);
			snprintf(name, sizeof name, "f%u", i);
			if (round == 0) {
				world_put_in(d->w, d->cache, name, bytes, SIZE);
			} else if (round == 1 && i % 8) {
				delete (d, name);
			} else if (i % 8 == 0) {
				expect(d, name, bytes, SIZE);
			}
		}
		world_drain(d->w);
		if (round == 0)
			assert_true(packs_bytes(d->w->store->parts.packs) > COUNT * SIZE);
		if (round != 1)
			continue;
		struct timespec before = look(d, "f8").mtime;
		assert_int_equal(gc_run(&d->w->store->parts, 0, NULL, NULL, &result), 0);
		assert_int_equal(result.files_restaged, COUNT / 8 + 1);
		world_drain(d->w);
		assert_int_equal(packs_seal(d->w->store->parts.packs), 0);
		assert_int_equal(gc_run(&d->w->store->parts, 0, NULL, NULL, &result), 0);
		assert_int_equal(result.files_restaged, 0);
		assert_in_range(result.bytes_after, 1, COUNT * SIZE / 4);
		struct timespec after = look(d, "f8").mtime;
		assert_memory_equal(&after, &before, sizeof before);
	}
	check(d);
}

/* Written again while it waited, or gone. */
static void test_changed_while_waiting(void **state)
{
	struct dir *d = *state;
	struct stage *stage = d->w->store->parts.stage;
	struct content *content;
	struct inode gone;
	uint64_t ino = world_put_in(d->w, d->cache, "a", "before", 6);

	world_put_in(d->w, d->cache, "b", "going", 5);
	usleep(20000); /* the pool has both by now, or not: either way is fine */
	assert_int_equal(content_open(stage, ino, O_WRONLY | O_TRUNC, &content), 0);
	assert_int_equal(content_write(content, "after it", 8, 0, false), 8);
	content_release(stage, content, O_WRONLY);
	assert_int_equal(names_unlink(d->w->store->parts.names, d->cache, "b", &gone), 0);
	assert_int_equal(content_drop(stage, gone.ino), 0);
	world_drain(d->w);
	expect(d, "a", "after it", 8);
	check(d);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum small_kind kind;
	} cases[] = {
		{"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\76\0", 20, SMALL_ELF},
		{"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\276\0", 20, SMALL_CUBIN},
		{"\177ELF", 4, SMALL_ELF},
		{"\x80\4\x95", 3, SMALL_PICKLE},
		{"#include <torch>\n", 17, SMALL_SOURCE},
		{"#loc = loc(", 11, SMALL_IR},
		{"module attributes {", 19, SMALL_IR},
		{"; ModuleID = 'LLVM'", 19, SMALL_IR},
		{"//\n.version 8.3\n.target sm_80\n", 30, SMALL_PTX},
		{"{\"a\": 1}", 8, SMALL_JSON},
		{"\0\0\0", 3, SMALL_OTHER},
		{"", 0, SMALL_SOURCE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(small_kind_of((const uint8_t *)cases[i].bytes, cases[i].len), cases[i].kind);
}

/* As long as more comes, up to a minute. */
static void test_waiting(void **state)
{
	static struct pool pool;

	(void)state;
	assert_false(pool_has_waited(&pool, 1000, 1000000));
	pool = (struct pool){.count = 1, .since_ms = 100000, .last_ms = 100000};
	assert_false(pool_has_waited(&pool, 1000, 104999));
	assert_true(pool_has_waited(&pool, 1000, 105000));
	pool.last_ms = 104000;
	assert_false(pool_has_waited(&pool, 1000, 105000));
	assert_false(pool_has_waited(&pool, 100000, 108999));
	assert_true(pool_has_waited(&pool, 100000, 109000));
	assert_true(pool_has_waited(&pool, 10, 104050));
	pool.last_ms = 159999;
	assert_false(pool_has_waited(&pool, 1000, 159999));
	assert_true(pool_has_waited(&pool, 1000, 160000));
}

/* Bytes that moved leave the same marks; other bytes do not. */
static void test_sketches(void **state)
{
	static uint8_t bytes[ENCODE_CHUNK + 100];
	static struct sketch a, b;
	uint64_t random = 5;
	unsigned common = 0;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)world_random(&random);
	sketch_take(&a, bytes, ENCODE_CHUNK);
	sketch_take(&b, bytes + 100, ENCODE_CHUNK);
	assert_in_range(a.count, 180, 340); /* one of 1024 places */
	for (unsigned i = 0; i < a.count; i++)
		for (unsigned k = 0; k < b.count; k++)
			common += a.marks[i] == b.marks[k];
	assert_true(common + 5 >= a.count);
	memset(bytes, 0, sizeof bytes);
	sketch_take(&a, bytes, sizeof bytes);
	assert_true(a.count <= 1);
	sketch_take(&a, bytes, 0);
	assert_int_equal(a.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_sketches),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test_setup_teardown(test_likeness_names_a_chunk_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_to_a_chunk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alike_ones_stand_on_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_bytes_are_kept_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_collecting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thin_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_while_waiting, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
