// links: m_store
/* Raw copies from run to run: used where they are proven to be the bytes of their file, and gone where not.
 */
#include "tests/unit/kept_world.h"

#include "store/stage/kept_record.h"
#include "store/upkeep/upkeep.h"

static void copy_path(const struct fixture *f, uint64_t ino, char path[SCRATCH_PATH + 40])
{
	snprintf(path, SCRATCH_PATH + 40, "%s/%016llx", f->kept, (unsigned long long)ino);
}

static bool has_record(struct fixture *f, uint64_t ino)
{
	struct kept_record record;
	int rc = kept_record_get(f->store->parts.kv, ino, &record);

	assert_true(!rc || rc == -ENOENT);
	return !rc;
}

static void open_as(struct fixture *f, struct store_options options)
{
	options.quiet_ms = options.threads = 1;
	scratch_store_open(f->dir, &options, &f->store);
}

static void copies_outlive_the_run(void **state)
{
	struct fixture *f = *state;
	uint64_t one = put(f, 1), two = put(f, 2);

	for (int i = 0; i < 2; i++) {
		assert_true(has_record(f, one) && has_record(f, two));
		open_with(f, ROOM);
		expect_kept(f, 2);
		assert_true(reads_raw(f, one, 1) && reads_raw(f, two, 2));
	}
	put(f, 3); /* and the oldest still goes first */
	expect_kept(f, 2);
	assert_false(has_record(f, one) || reads_raw(f, one, 1));
}

static void smaller_budget_keeps_the_newest(void **state)
{
	struct fixture *f = *state;
	uint64_t one = put(f, 1), two = put(f, 2);

	open_with(f, SIZE + SIZE / 2);
	expect_kept(f, 1);
	assert_true(reads_raw(f, two, 2));
	assert_false(reads_raw(f, one, 1));
	open_with(f, 0);
	assert_int_equal(access(f->kept, F_OK), -1);
	assert_false(has_record(f, one) || has_record(f, two));
	assert_false(reads_raw(f, two, 2));
}

static void as_is_they_serve_and_stay(void **state)
{
	static const struct store_options how[] = {
		{.keep_as_is = true}, {.read_only = true}, {.no_background = true}};
	struct fixture *f = *state;
	uint64_t one = put(f, 1), two = put(f, 2);

	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		open_as(f, how[i]);
		expect_kept(f, 2);
		assert_true(reads_raw(f, one, 1) && reads_raw(f, two, 2));
	}
	open_with(f, ROOM);
	expect_kept(f, 2);
}

static void copy_without_record_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put(f, 1);
	char name[SCRATCH_PATH + 40];

	open_with(f, 0);
	assert_int_equal(mkdir(f->kept, 0700), 0);
	copy_path(f, ino, name);
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(pattern(f, 9), SIZE, 1, file), 1);
	fclose(file);
	open_with(f, ROOM);
	expect_kept(f, 0);
	assert_false(reads_raw(f, ino, 1));
}

/* --- what may happen to a copy while the store is closed --- */

static void set_times(const char *path, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void write_at(const char *path, const struct stat *st)
{
	FILE *file = fopen(path, "r+");

	assert_int_equal(fseek(file, 1000000, SEEK_SET), 0);
	fputc('!', file);
	fclose(file);
	set_times(path, st);
}

static void cut_and_grow(const char *path, const struct stat *st)
{
	assert_int_equal(truncate(path, SIZE - 4096), 0);
	assert_int_equal(truncate(path, SIZE), 0);
	set_times(path, st);
}

static void cut(const char *path, const struct stat *st)
{
	assert_int_equal(truncate(path, SIZE - 4096), 0);
	set_times(path, st);
}

/* As cp -a and rsync do. */
static void replace(const char *path, const struct stat *st)
{
	char other[SCRATCH_PATH + 48], command[3 * SCRATCH_PATH];

	snprintf(other, sizeof other, "%s.other", path);
	snprintf(command, sizeof command, "cp -a '%s' '%s'", path, other);
	assert_int_equal(system(command), 0);
	assert_int_equal(rename(other, path), 0);
	set_times(path, st);
}

static void link_elsewhere(const char *path, const struct stat *st)
{
	char other[SCRATCH_PATH + 48];

	(void)st;
	snprintf(other, sizeof other, "%s.other", path);
	assert_int_equal(link(path, other), 0);
}

static void put_link(const char *path, const struct stat *st)
{
	char other[SCRATCH_PATH + 48];

	(void)st;
	snprintf(other, sizeof other, "%s.other", path);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
}

static void lose(const char *path, const struct stat *st)
{
	(void)st;
	assert_int_equal(unlink(path), 0);
}

static void changed_copy_is_not_trusted(void **state)
{
	static void (*const ways[])(const char *, const struct stat *) = {
		write_at, cut_and_grow, cut, replace, link_elsewhere, put_link, lose};
	struct fixture *f = *state;
	char path[SCRATCH_PATH + 40];
	struct stat st;

	for (uint32_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		uint64_t ino = put(f, i);

		store_close(f->store);
		f->store = NULL;
		copy_path(f, ino, path);
		assert_int_equal(stat(path, &st), 0);
		ways[i](path, &st);
		open_as(f, (struct store_options){.read_only = true});
		assert_false(reads_raw(f, ino, i));
		open_with(f, ROOM);
		expect_kept(f, 0);
		assert_false(has_record(f, ino));
		assert_false(reads_raw(f, ino, i));
	}
}

/* Where somebody changes it under the open store it is at least not used from the next open on. */
static void copy_is_looked_at_when_it_is_opened(void **state)
{
	struct fixture *f = *state;
	uint64_t ino = put(f, 1);
	char path[SCRATCH_PATH + 40];
	struct stat st;

	copy_path(f, ino, path);
	assert_int_equal(stat(path, &st), 0);
	write_at(path, &st);
	assert_false(reads_raw(f, ino, 1));
	expect_kept(f, 0);
}

/* --- records that are of something else --- */

static void put_record(struct fixture *f, uint64_t ino, const struct kept_record *record)
{
	struct kv_batch *batch = kv_batch_new();

	kept_record_put(f->store->parts.kv, batch, ino, record);
	assert_int_equal(kv_write(f->store->parts.kv, batch, false), 0);
	kv_batch_free(batch);
}

static void record_of_other_content_is_not_trusted(void **state)
{
	struct fixture *f = *state;
	struct kept_record right;

	for (uint32_t i = 0; i < 7; i++) {
		uint64_t ino = put(f, i);

		assert_int_equal(kept_record_get(f->store->parts.kv, ino, &right), 0);
		struct kept_record wrong = right;
		wrong.version += i == 0;
		wrong.recipe += i == 1;
		wrong.size += i == 2;
		wrong.copy_ino += i == 3;
		wrong.mtime.tv_nsec ^= i == 4;
		wrong.ctime.tv_nsec ^= i == 5;
		wrong.ctime.tv_sec += i == 6;
		put_record(f, ino, &wrong);
		open_with(f, ROOM);
		expect_kept(f, 0);
		assert_false(has_record(f, ino));
		assert_false(reads_raw(f, ino, i));
	}
}

static void record_bytes_are_checked(void **state)
{
	const struct kept_record record = {.version = 3,
		.recipe = 7,
		.size = SIZE,
		.copy_ino = 1ull << 40,
		.mtime = {-5, 999999999},
		.ctime = {1ll << 33, 1}};
	uint8_t bytes[KEPT_RECORD_SIZE + 1], again[KEPT_RECORD_SIZE];
	struct kept_record back;

	(void)state;
	kept_record_encode(&record, bytes);
	assert_int_equal(kept_record_decode(&back, bytes, KEPT_RECORD_SIZE), 0);
	kept_record_encode(&back, again);
	assert_memory_equal(bytes, again, sizeof again);
	assert_int_equal(back.mtime.tv_sec, -5);
	assert_int_equal(kept_record_decode(&back, bytes, KEPT_RECORD_SIZE - 1), -EBADMSG);
	assert_int_equal(kept_record_decode(&back, bytes, KEPT_RECORD_SIZE + 1), -EBADMSG);
	assert_int_equal(kept_record_decode(&back, bytes, 0), -EBADMSG);
	for (size_t at = 59; at < KEPT_RECORD_SIZE; at += 4) { /* 2^31 nanoseconds and more */
		kept_record_encode(&record, bytes);
		bytes[at] |= 0x80;
		assert_int_equal(kept_record_decode(&back, bytes, KEPT_RECORD_SIZE), -EBADMSG);
	}
	kept_record_encode(&record, bytes);
	bytes[0]++;
	assert_int_equal(kept_record_decode(&back, bytes, KEPT_RECORD_SIZE), -EBADMSG);
}

/* --- what the running store does to records --- */

/* Whoever writes to a file finds its record gone, and the next run nothing of it. */
static void record_goes_before_the_copy_changes(void **state)
{
	struct fixture *f = *state;
	struct stage *stage;
	uint64_t ino = put(f, 1);

	for (int flags = O_RDWR; flags; flags = flags == O_RDWR ? O_RDWR | O_TRUNC : 0) {
		open_with(f, ROOM);
		expect_kept(f, 1);
		stage = f->store->parts.stage;
		struct content *content = open_file(f, ino, flags);
		assert_false(has_record(f, ino));
		assert_int_equal(files_in(f->kept), 0);
		assert_int_equal(content_write(content, pattern(f, 2), SIZE, 0, false), SIZE);
		content_release(stage, content, flags);
		scratch_store_drain(f->store);
		expect_kept(f, 1);
		assert_true(has_record(f, ino) && reads_raw(f, ino, 2));
	}
}

static void writer_joins_readers_of_a_copy(void **state)
{
	struct fixture *f = *state;
	uint8_t got[7];
	uint64_t ino = put(f, 1);

	open_with(f, ROOM);
	struct stage *stage = f->store->parts.stage;
	struct content *reader = open_file(f, ino, O_RDONLY);
	int fd = content_fd(reader);
	assert_true(fd >= 0);
	struct content *writer = open_file(f, ino, O_RDWR);
	assert_int_equal(content_fd(reader), fd); /* the kernel has been told of this one */
	assert_int_equal(content_write(writer, "changed", 7, 1000000, false), 7);
	assert_int_equal(content_read(reader, got, 7, 1000000), 7);
	assert_memory_equal(got, "changed", 7);
	content_release(stage, writer, O_RDWR);
	content_release(stage, reader, O_RDONLY);
	scratch_store_drain(f->store);
	pattern(f, 1);
	expect_kept(f, 1);
	open_with(f, ROOM);
	expect_kept(f, 1);
}

/* A training job maps the checkpoint for hours. */
static void copy_that_is_open_is_kept_and_sealed(void **state)
{
	struct fixture *f = *state;
	struct stage *stage = f->store->parts.stage;
	uint64_t ino = put(f, 1);
	struct content *writer = open_file(f, ino, O_RDWR);
	struct content *reader = open_file(f, ino, O_RDONLY);

	assert_int_equal(content_write(writer, pattern(f, 2), SIZE, 0, false), SIZE);
	content_release(stage, writer, O_RDWR);
	scratch_store_drain(f->store);
	expect_kept(f, 1);
	assert_true(has_record(f, ino));
	put(f, 3);
	put(f, 4); /* there is no room for three, and none goes that is open */
	assert_int_equal(files_in(f->kept), 2);
	assert_true(has_record(f, ino));
	content_release(stage, reader, O_RDONLY);
	assert_true(reads_raw(f, ino, 2));
}

static void collection_leaves_copies_trusted(void **state)
{
	struct fixture *f = *state;
	struct gc_result result;
	uint64_t one = put(f, 1), two = put(f, 2), three = put(f, 3);
	struct inode gone;

	assert_false(reads_raw(f, one, 1));
	assert_int_equal(names_unlink(f->store->parts.names, NAMES_ROOT, "file-1", &gone), 0);
	assert_int_equal(content_drop(f->store->parts.stage, one), 0);
	assert_int_equal(gc_run(&f->store->parts, 1, NULL, NULL, &result), 0);
	assert_true(result.recipes_purged);
	open_with(f, ROOM);
	expect_kept(f, 2);
	assert_true(reads_raw(f, two, 2) && reads_raw(f, three, 3));
}

/* --- fsck --- */

struct findings {
	char all[4096];
};

static void note(void *ctx, const char *line)
{
	struct findings *findings = ctx;
	size_t len = strlen(findings->all);

	snprintf(findings->all + len, sizeof findings->all - len, "%s\n", line);
}

static int64_t check(struct fixture *f, bool data, bool repair, struct findings *findings)
{
	struct fsck_options options = {.data = data, .repair = repair, .report = note, .ctx = findings};

	open_as(f, (struct store_options){.no_background = true, .read_only = !repair});
	*findings = (struct findings){0};
	return fsck_run(&f->store->parts, &options);
}

static void expect_repaired(struct fixture *f, bool data, const char *what)
{
	struct findings findings;

	assert_true(check(f, data, false, &findings) > 0);
	if (!strstr(findings.all, what))
		fail_msg("\"%s\" is not in: %s", what, findings.all);
	assert_int_equal(check(f, data, true, &findings), 0);
	assert_int_equal(check(f, true, false, &findings), 0);
	assert_string_equal(findings.all, "");
}

static void fsck_tells_and_removes_what_does_not_fit(void **state)
{
	struct fixture *f = *state;
	uint64_t one = put(f, 1), two = put(f, 2);
	struct findings findings;
	struct kept_record record;
	char path[SCRATCH_PATH + 40];
	struct stat st;

	assert_int_equal(check(f, true, false, &findings), 0);
	assert_string_equal(findings.all, "");
	assert_int_equal(files_in(f->kept), 2);

	copy_path(f, one, path);
	assert_int_equal(stat(path, &st), 0);
	write_at(path, &st);
	expect_repaired(f, false, "is not the copy that its record names");
	assert_int_equal(access(path, F_OK), -1);
	assert_false(has_record(f, one));

	/* Bytes that rotted below, where no time tells of it. */
	copy_path(f, two, path);
	assert_int_equal(stat(path, &st), 0);
	write_at(path, &st);
	assert_int_equal(stat(path, &st), 0);
	open_as(f, (struct store_options){.no_background = true});
	assert_int_equal(kept_record_get(f->store->parts.kv, two, &record), 0);
	kept_record_name(&record, &st);
	put_record(f, two, &record);
	assert_int_equal(check(f, false, false, &findings), 0);
	expect_repaired(f, true, "differs from its file at byte 1000000");
	assert_int_equal(access(path, F_OK), -1);
	open_as(f, (struct store_options){.no_background = true});
	put_record(f, two, &record);
	expect_repaired(f, false, "a record of a raw copy");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_outlive_the_run),
		TEST(smaller_budget_keeps_the_newest),
		TEST(as_is_they_serve_and_stay),
		TEST(copy_without_record_is_not_trusted),
		TEST(changed_copy_is_not_trusted),
		TEST(copy_is_looked_at_when_it_is_opened),
		TEST(record_of_other_content_is_not_trusted),
		cmocka_unit_test(record_bytes_are_checked),
		TEST(record_goes_before_the_copy_changes),
		TEST(writer_joins_readers_of_a_copy),
		TEST(copy_that_is_open_is_kept_and_sealed),
		TEST(collection_leaves_copies_trusted),
		TEST(fsck_tells_and_removes_what_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
