// links: m_store
/* Small files that are written without a staged copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "store/util/bytes.h"
#include "tests/unit/scratch_store.h"

#define ROW 32	   /* small files in a row, after which a directory is known for them */
#define STEPS 1500 /* of the random walk */
#define WALK_MAX (INLINE_MAX + 4096u)

struct fixture {
	char dir[SCRATCH_PATH];
	struct store *store;
	uint64_t cache, plain; /* directories */
};

static const struct names_owner owner = {.umask = 022};

static struct stage *stage_of(struct fixture *f)
{
	return f->store->parts.stage;
}

static void open_again(struct fixture *f)
{
	/* Nothing is encoded but when it is asked for. */
	struct store_options options = {.quiet_ms = 3600 * 1000, .threads = 1};

	scratch_store_open(f->dir, &options, &f->store);
}

static uint64_t make_directory(struct fixture *f, const char *name)
{
	struct inode inode;

	assert_int_equal(names_make(f->store->parts.names, NAMES_ROOT, name, S_IFDIR | 0755, 0, &owner,
				 CONTENT_NONE, 0, &inode),
		0);
	return inode.ino;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	scratch_store_make(f->dir);
	open_again(f);
	f->cache = make_directory(f, "cache");
	f->plain = make_directory(f, "plain");
	assert_int_equal(names_setxattr(f->store->parts.names, f->cache, NAMES_PROFILE, "cache", 5, 0), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static struct content *create(struct fixture *f, uint64_t dir, const char *name, uint64_t *ino)
{
	struct content *content;
	struct inode inode;

	assert_int_equal(
		content_create(stage_of(f), dir, name, S_IFREG | 0644, &owner, O_RDWR, &content, &inode), 0);
	*ino = inode.ino;
	return content;
}

static void write_at(struct content *content, const void *bytes, size_t len, uint64_t off)
{
	assert_int_equal(content_write(content, bytes, len, off, false), len);
}

static uint64_t put_file(struct fixture *f, uint64_t dir, const char *name, const void *bytes, size_t len)
{
	uint64_t ino;
	struct content *content = create(f, dir, name, &ino);

	write_at(content, bytes, len, 0);
	content_release(stage_of(f), content, O_RDWR);
	return ino;
}

static struct content *open_file(struct fixture *f, uint64_t ino, int flags)
{
	struct content *content;

	assert_int_equal(content_open(stage_of(f), ino, flags, &content), 0);
	return content;
}

/* Whether the index says that it awaits encoding. */
static bool awaits(struct fixture *f, uint64_t ino)
{
	uint8_t key[8], when[8];
	size_t len;

	put_be64(key, ino);
	return !kv_get(f->store->parts.kv, KV_STAGED, key, sizeof key, when, sizeof when, &len);
}

static bool has_staged_copy(struct fixture *f, uint64_t ino)
{
	char path[SCRATCH_PATH + 32], name[STAGED_NAME];

	staged_name(ino, name);
	snprintf(path, sizeof path, "%s/staging/%s", f->dir, name);
	return !access(path, F_OK);
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((seed = seed * 1103515245u + 12345u) >> 16);
}

static void file_of_a_cache_is_inline_as_it_is_written(void **state)
{
	struct fixture *f = *state;
	uint64_t ino;
	struct content *content = create(f, f->cache, "a", &ino);

	assert_int_equal(content_fd(content), -1);
	write_at(content, "hello", 5, 0);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	write_at(content, "world", 5, 7);
	scratch_store_expect(f->store, ino, "hello\0\0world", 12);
	assert_int_equal(content_write(content, "!", 1, 0, true), 1);
	content_release(stage_of(f), content, O_RDWR);
	assert_false(has_staged_copy(f, ino));
	assert_true(awaits(f, ino));
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	assert_false(awaits(f, ino));
	scratch_store_expect(f->store, ino, "hello\0\0world!", 13);
}

static void restart_queues_it_again(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, f->cache, "a", "hello", 5);

	open_again(f);
	assert_true(awaits(f, ino));
	scratch_store_expect(f->store, ino, "hello", 5);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	scratch_store_expect(f->store, ino, "hello", 5);
}

static void what_grows_too_large_is_staged(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = malloc(2 * INLINE_MAX);
	uint64_t ino;
	struct content *content = create(f, f->cache, "a", &ino);

	fill(bytes, 2 * INLINE_MAX, 1);
	write_at(content, bytes, INLINE_MAX, 0);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	write_at(content, bytes + INLINE_MAX, 1, INLINE_MAX);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_STAGED);
	write_at(content, bytes + INLINE_MAX + 1, INLINE_MAX - 1, INLINE_MAX + 1);
	content_release(stage_of(f), content, O_RDWR);
	scratch_store_expect(f->store, ino, bytes, 2 * INLINE_MAX);
	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_ENCODED);
	scratch_store_expect(f->store, ino, bytes, 2 * INLINE_MAX);
	free(bytes);
}

/* In each state that it may be in, opened by somebody who has not seen the one before. */
static void emptied_file_awaits_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, f->cache, "a", "hello", 5);

	for (int encoded = 0; encoded < 2; encoded++) {
		open_again(f);
		if (encoded)
			scratch_store_drain(f->store);
		assert_int_equal(
			scratch_store_state(f->store, ino), encoded ? CONTENT_ENCODED : CONTENT_INLINE);
		struct content *content = open_file(f, ino, O_WRONLY | O_TRUNC);
		assert_int_equal(scratch_store_state(f->store, ino), CONTENT_NONE);
		content_release(stage_of(f), content, O_WRONLY);
		assert_false(awaits(f, ino));
		scratch_store_expect(f->store, ino, "", 0);
		content = open_file(f, ino, O_WRONLY);
		write_at(content, "again", 5, 0);
		content_release(stage_of(f), content, O_WRONLY);
		assert_true(awaits(f, ino));
	}
	scratch_store_drain(f->store);
	scratch_store_expect(f->store, ino, "again", 5);
}

static void dropped_file_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, f->cache, "a", "hello", 5);
	uint8_t key[8];
	void *value;
	size_t len;

	assert_int_equal(names_unlink(f->store->parts.names, f->cache, "a", NULL), 0);
	assert_int_equal(content_drop(stage_of(f), ino), 0);
	put_be64(key, ino);
	assert_int_equal(kv_get_alloc(f->store->parts.kv, KV_INLINE, key, sizeof key, &value, &len), -ENOENT);
	assert_false(awaits(f, ino));
	scratch_store_drain(f->store);
}

static void take(struct fixture *f, uint64_t ino, struct stage_job *job)
{
	for (;;) {
		assert_int_equal(stage_take(stage_of(f), job, 60000), 0);
		if (job->ino == ino)
			return;
		stage_giveback(stage_of(f), job, 3600 * 1000, 0);
	}
}

/* The encoder has it by then, and must not take what it finds for damage. */
static void what_changes_meanwhile_is_stale(void **state)
{
	struct fixture *f = *state;
	struct store_options no_encoder = {.quiet_ms = 1, .no_background = true};
	uint8_t bytes[16], *more = calloc(1, 2 * INLINE_MAX);
	struct content *content;
	struct stage_job job;

	scratch_store_open(f->dir, &no_encoder, &f->store);
	uint64_t ino = put_file(f, f->cache, "a", "hello", 5);
	take(f, ino, &job);
	assert_int_equal(stage_read(&job, bytes), 0);
	assert_memory_equal(bytes, "hello", 5);
	content = open_file(f, ino, O_WRONLY);
	write_at(content, "world", 5, 0);
	assert_int_equal(stage_read(&job, bytes), -ESTALE);
	stage_giveback(stage_of(f), &job, 0, -ESTALE);
	content_release(stage_of(f), content, O_WRONLY);

	for (int grown = 0; grown < 2; grown++) {
		ino = put_file(f, f->cache, grown ? "c" : "b", "hello", 5);
		take(f, ino, &job);
		if (grown) {
			content = open_file(f, ino, O_WRONLY);
			write_at(content, more, 2 * INLINE_MAX, 0);
			content_release(stage_of(f), content, O_WRONLY);
		}
		assert_int_equal(names_unlink(f->store->parts.names, f->cache, grown ? "c" : "b", NULL), 0);
		assert_int_equal(content_drop(stage_of(f), ino), 0);
		assert_int_equal(stage_read(&job, bytes), -ESTALE);
		stage_giveback(stage_of(f), &job, 0, -ESTALE);
	}
	free(more);
}

static void evict(struct fixture *f, const char *name, uint64_t ino)
{
	struct names_member member = {.name = name, .ino = ino};
	struct names_group group = {
		.directory = f->cache, .parent = NAMES_ROOT, .members = &member, .count = 1};

	assert_int_equal(names_remove_group(f->store->parts.names, &group), 0);
}

static void evicted_file_is_open_to_who_has_it_alone(void **state)
{
	struct fixture *f = *state;
	uint64_t gone = put_file(f, f->cache, "a", "hello", 5), had = put_file(f, f->cache, "b", "hello", 5);
	struct content *content, *first = open_file(f, had, O_RDONLY);

	evict(f, "a", gone);
	evict(f, "b", had);
	for (int i = 0; i < 2; i++)
		assert_int_equal(content_open(stage_of(f), gone, O_RDONLY, &content), -ESTALE);
	scratch_store_expect(f->store, had, "hello", 5);
	content_release(stage_of(f), first, O_RDONLY);
	assert_int_equal(content_open(stage_of(f), had, O_RDONLY, &content), -ESTALE);
	assert_int_equal(content_drop(stage_of(f), gone), 0);
	assert_int_equal(content_drop(stage_of(f), had), 0);
}

static void directory_of_small_files_is_known_after_some(void **state)
{
	struct fixture *f = *state;
	uint8_t *bytes = calloc(1, 2 * INLINE_MAX);
	char name[32];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ROW + 2; i++) {
			snprintf(name, sizeof name, "%d.%d", round, i);
			uint64_t ino = put_file(f, f->plain, name, "hello", 5);
			assert_int_equal(scratch_store_state(f->store, ino),
				i < ROW ? CONTENT_STAGED : CONTENT_INLINE);
			assert_int_equal(awaits(f, ino), i < ROW);
			assert_int_equal(has_staged_copy(f, ino), i < ROW);
			scratch_store_expect(f->store, ino, "hello", 5);
		}
		snprintf(name, sizeof name, "%d.large", round);
		uint64_t ino = put_file(f, f->plain, name, bytes, 2 * INLINE_MAX);
		scratch_store_expect(f->store, ino, bytes, 2 * INLINE_MAX);
	}
	free(bytes);
}

static void inline_file_is_changed_where_it_is(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put_file(f, f->plain, "a", "hello", 5);
	struct content *content;

	scratch_store_drain(f->store);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	content = open_file(f, ino, O_WRONLY | O_APPEND);
	assert_int_equal(content_write(content, "!", 1, 0, true), 1);
	content_release(stage_of(f), content, O_WRONLY);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	assert_int_equal(content_truncate(stage_of(f), ino, 8), 0);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_INLINE);
	assert_false(awaits(f, ino));
	scratch_store_expect(f->store, ino, "hello!\0\0", 8);
	content = open_file(f, ino, O_WRONLY | O_TRUNC);
	assert_int_equal(scratch_store_state(f->store, ino), CONTENT_STAGED);
	content_release(stage_of(f), content, O_WRONLY);
}

/* A file, and its bytes as they must be. */
struct walk {
	struct fixture *f;
	uint64_t ino;
	struct content *content; /* open for writing, or NULL */
	uint8_t bytes[WALK_MAX], noise[WALK_MAX];
	size_t size;
	unsigned seed;
};

static unsigned draw(struct walk *w, unsigned below)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 8) % below;
}

static void let_go(struct walk *w)
{
	if (w->content)
		content_release(stage_of(w->f), w->content, O_RDWR);
	w->content = NULL;
}

static void walk_write(struct walk *w)
{
	bool append = !draw(w, 4);
	size_t off = append ? w->size : draw(w, draw(w, 8) ? 4096 : INLINE_MAX);
	size_t len = 1 + draw(w, draw(w, 8) ? 2048 : 8192);

	if (off + len > WALK_MAX)
		return;
	if (!w->content)
		w->content = open_file(w->f, w->ino, O_RDWR);
	fill(w->noise, len, w->seed);
	assert_int_equal(content_write(w->content, w->noise, len, append ? 0 : off, append), len);
	if (off > w->size)
		memset(w->bytes + w->size, 0, off - w->size);
	memcpy(w->bytes + off, w->noise, len);
	w->size = off + len > w->size ? off + len : w->size;
}

static void walk_truncate(struct walk *w)
{
	size_t size = draw(w, 3) ? draw(w, 4096) : draw(w, WALK_MAX);

	assert_int_equal(content_truncate(stage_of(w->f), w->ino, size), 0);
	if (size > w->size)
		memset(w->bytes + w->size, 0, size - w->size);
	w->size = size;
}

static void walk_open(struct walk *w)
{
	let_go(w);
	w->content = open_file(w->f, w->ino, draw(w, 2) ? O_RDWR | O_TRUNC : O_RDWR);
	w->size = (size_t)content_size(w->content) ? w->size : 0;
}

static void walk(struct fixture *f, uint64_t dir, unsigned seen[4])
{
	struct walk *w = calloc(1, sizeof *w);

	w->f = f;
	w->seed = 7;
	w->ino = put_file(f, dir, "a", "", 0);
	for (int i = 0; i < STEPS; i++) {
		unsigned what = draw(w, 32);
		if (what < 20)
			walk_write(w);
		else if (what < 24)
			walk_truncate(w);
		else if (what < 28)
			walk_open(w);
		else
			let_go(w);
		if (what == 30)
			scratch_store_drain(w->f->store);
		if (what == 31)
			open_again(w->f);
		scratch_store_expect(w->f->store, w->ino, w->bytes, w->size);
		assert_int_equal(scratch_store_state(w->f->store, w->ino) == CONTENT_STAGED,
			has_staged_copy(w->f, w->ino));
		seen[scratch_store_state(w->f->store, w->ino)]++;
	}
	let_go(w);
	free(w);
}

static void random_changes_give_the_right_bytes(void **state)
{
	struct fixture *f = *state;
	unsigned seen[4] = {0};

	walk(f, f->plain, seen);
	assert_in_range(seen[CONTENT_INLINE], 5, STEPS);
	seen[CONTENT_INLINE] = 0;
	walk(f, f->cache, seen);
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 5, 2 * STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_of_a_cache_is_inline_as_it_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(restart_queues_it_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_grows_too_large_is_staged, setup, teardown),
		cmocka_unit_test_setup_teardown(emptied_file_awaits_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(dropped_file_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(what_changes_meanwhile_is_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(evicted_file_is_open_to_who_has_it_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			directory_of_small_files_is_known_after_some, setup, teardown),
		cmocka_unit_test_setup_teardown(inline_file_is_changed_where_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(random_changes_give_the_right_bytes, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
