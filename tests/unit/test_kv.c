// links: m_kv
/* The key-value layer against the real RocksDB: what it promises across errors, deaths and full disks. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/kv/internal.h"
#include "store/kv/kv.h"
#include "store/util/bytes.h"

struct world {
	char dir[64];
	char path[80];
	struct kv *kv;
	bool disk; /* a small file system of its own is mounted */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct kv_options options = {.create = true};

	strcpy(w->dir, "/tmp/mithril-kv-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	snprintf(w->path, sizeof w->path, "%s/kv", w->dir);
	*state = w;
	return kv_open(w->path, &options, &w->kv);
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[128];

	kv_close(w->kv);
	snprintf(command, sizeof command, "rm -rf %s", w->dir);
	if (system(command))
		return -1;
	free(w);
	return 0;
}

static void reopen(struct world *w)
{
	const struct kv_options options = {0};

	kv_close(w->kv);
	w->kv = NULL;
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
}

static int put(
	struct kv *kv, enum kv_family family, const char *key, const void *value, size_t len, bool durable)
{
	struct kv_batch *batch = kv_batch_new();
	int rc;

	kv_batch_put(kv, batch, family, key, strlen(key), value, len);
	rc = kv_write(kv, batch, durable);
	kv_batch_free(batch);
	return rc;
}

static void puts_to(struct kv *kv, enum kv_family family, const char *key, const char *value)
{
	assert_int_equal(put(kv, family, key, value, strlen(value), false), 0);
}

static void expect(struct kv *kv, enum kv_family family, const char *key, const char *value)
{
	char got[256];
	size_t len = 0;
	int rc = kv_get(kv, family, key, strlen(key), got, sizeof got, &len);

	if (!value) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(len, strlen(value));
	assert_memory_equal(got, value, len);
}

static void test_get_and_put(void **state)
{
	struct world *w = *state;
	char small[4];
	void *copy;
	size_t len = 0;

	for (int f = 0; f < KV_FAMILIES; f++) {
		char value[16];
		snprintf(value, sizeof value, "value %d", f);
		puts_to(w->kv, f, "key", value);
	}
	for (int f = 0; f < KV_FAMILIES; f++) {
		char value[16];
		snprintf(value, sizeof value, "value %d", f);
		expect(w->kv, f, "key", value);
		expect(w->kv, f, "other", NULL);
	}
	assert_int_equal(kv_get(w->kv, KV_META, "key", 3, small, sizeof small, &len), -ENOBUFS);
	assert_int_equal(len, 7);
	assert_int_equal(kv_get(w->kv, KV_META, "key", 3, NULL, 0, &len), -ENOBUFS);
	assert_int_equal(kv_get_alloc(w->kv, KV_META, "key", 3, &copy, &len), 0);
	assert_int_equal(len, 7);
	assert_string_equal(copy, "value 0");
	free(copy);
	assert_int_equal(kv_get_alloc(w->kv, KV_META, "none", 4, &copy, &len), -ENOENT);
	assert_int_equal(put(w->kv, KV_META, "empty", NULL, 0, false), 0);
	assert_int_equal(kv_get(w->kv, KV_META, "empty", 5, NULL, 0, &len), 0);
	assert_int_equal(len, 0);
	reopen(w);
	expect(w->kv, KV_CHUNKS, "key", "value 10");
}

static void test_batch_is_whole(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch = kv_batch_new();

	puts_to(w->kv, KV_STAGED, "old", "x");
	kv_batch_put(w->kv, batch, KV_INODES, "a", 1, "1", 1);
	kv_batch_put(w->kv, batch, KV_ENTRIES, "b", 1, "2", 1);
	kv_batch_delete(w->kv, batch, KV_STAGED, "old", 3);
	assert_int_equal(kv_batch_count(batch), 3);
	assert_true(kv_batch_bytes(batch) > 12);
	expect(w->kv, KV_INODES, "a", NULL);
	assert_int_equal(kv_write(w->kv, batch, true), 0);
	expect(w->kv, KV_INODES, "a", "1");
	expect(w->kv, KV_ENTRIES, "b", "2");
	expect(w->kv, KV_STAGED, "old", NULL);
	kv_batch_clear(batch);
	assert_int_equal(kv_batch_count(batch), 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	kv_batch_free(NULL);
}

static void test_delete_range(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch = kv_batch_new();

	puts_to(w->kv, KV_RECIPES, "a", "1");
	puts_to(w->kv, KV_RECIPES, "b", "2");
	puts_to(w->kv, KV_RECIPES, "b9", "3");
	puts_to(w->kv, KV_RECIPES, "c", "4");
	kv_batch_delete_range(w->kv, batch, KV_RECIPES, "b", 1, "c", 1);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	expect(w->kv, KV_RECIPES, "a", "1");
	expect(w->kv, KV_RECIPES, "b", NULL);
	expect(w->kv, KV_RECIPES, "b9", NULL);
	expect(w->kv, KV_RECIPES, "c", "4");
	kv_batch_free(batch);
}

static void expect_walk(struct kv_iter *it, const char *const *keys)
{
	size_t len;

	for (; *keys; keys++, kv_iter_next(it)) {
		assert_true(kv_iter_valid(it));
		const char *key = kv_iter_key(it, &len);
		assert_int_equal(len, strlen(*keys));
		assert_memory_equal(key, *keys, len);
	}
	assert_false(kv_iter_valid(it));
	assert_int_equal(kv_iter_error(it), 0);
}

static void test_iterators(void **state)
{
	struct world *w = *state;
	static const char *const keys[] = {"a", "pa", "pb", "pc", "q", "\xff\xff", "\xff\xff\x01", NULL};
	struct kv_iter *it;
	size_t len;

	for (size_t i = 0; keys[i]; i++)
		puts_to(w->kv, KV_ENTRIES, keys[i], keys[i]);
	puts_to(w->kv, KV_XATTRS, "p-other-family", "");

	it = kv_iter_new(w->kv, KV_ENTRIES, "p", 1);
	puts_to(w->kv, KV_ENTRIES, "pbb", "made after the snapshot");
	expect_walk(it, (const char *const[]){"pa", "pb", "pc", NULL});
	kv_iter_seek(it, "pb", 2);
	assert_memory_equal(kv_iter_value(it, &len), "pb", 2);
	kv_iter_seek(it, "a", 1);
	expect_walk(it, (const char *const[]){"pa", "pb", "pc", NULL});
	kv_iter_seek(it, "q", 1);
	assert_false(kv_iter_valid(it));
	kv_iter_seek_for_prev(it, "pbz", 3);
	expect_walk(it, (const char *const[]){"pb", "pc", NULL});
	kv_iter_seek_for_prev(it, "z", 1);
	expect_walk(it, (const char *const[]){"pc", NULL});
	kv_iter_seek_for_prev(it, "p", 1);
	assert_false(kv_iter_valid(it));
	kv_iter_free(it);

	it = kv_iter_new(w->kv, KV_ENTRIES, "\xff\xff", 2);
	expect_walk(it, (const char *const[]){"\xff\xff", "\xff\xff\x01", NULL});
	kv_iter_free(it);
	it = kv_iter_new(w->kv, KV_ENTRIES, NULL, 0);
	expect_walk(it,
		(const char *const[]){"a", "pa", "pb", "pbb", "pc", "q", "\xff\xff", "\xff\xff\x01", NULL});
	kv_iter_free(it);
	it = kv_iter_new(w->kv, KV_DEAD, NULL, 0);
	assert_false(kv_iter_valid(it));
	kv_iter_free(it);
	kv_iter_free(NULL);
}

/* This program again, with arguments for main: a child that opens a database starts threads, which one that
 * was merely forked from a process with threads may not. */
static pid_t start_self(const char *what, const char *path, int fd)
{
	char number[16];
	pid_t child;

	snprintf(number, sizeof number, "%d", fd);
	child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "test_kv", what, path, number, (char *)NULL);
		_exit(127);
	}
	return child;
}

static int open_elsewhere(const char *path)
{
	const struct kv_options plain = {0};
	struct kv *kv;

	return kv_open(path, &plain, &kv) == -EBUSY ? 0 : 1;
}

static void test_open_errors(void **state)
{
	struct world *w = *state;
	const struct kv_options plain = {0}, reader = {.read_only = true};
	struct kv *other = NULL;
	char path[128];
	int status;
	pid_t child;

	snprintf(path, sizeof path, "%s/none", w->dir);
	assert_int_equal(kv_open(path, &plain, &other), -ENOENT);
	assert_int_equal(kv_open(path, &reader, &other), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(kv_open(w->path, &plain, &other), -EBUSY);
	child = start_self("open", w->path, -1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_read_only(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {.read_only = true};
	struct kv_batch *batch = kv_batch_new();
	struct kv *reader = NULL;
	char before[4096] = "", after[4096] = "";
	char command[128];
	FILE *f;

	puts_to(w->kv, KV_META, "flushed", "1");
	assert_int_equal(kv_flush(w->kv, false), 0);
	puts_to(w->kv, KV_META, "in the WAL", "2");
	snprintf(command, sizeof command, "cd %s && ls -lR --time-style=full-iso", w->path);
	f = popen(command, "r");
	assert_true(fread(before, 1, sizeof before - 1, f) > 0);
	pclose(f);
	assert_int_equal(kv_open(w->path, &options, &reader), 0);
	expect(reader, KV_META, "flushed", "1");
	expect(reader, KV_META, "in the WAL", "2");
	kv_batch_put(reader, batch, KV_META, "k", 1, "v", 1);
	assert_int_equal(kv_write(reader, batch, false), -EROFS);
	assert_int_equal(kv_flush(reader, false), -EROFS);
	kv_close(reader);
	f = popen(command, "r");
	assert_true(fread(after, 1, sizeof after - 1, f) > 0);
	pclose(f);
	assert_string_equal(before, after);
	kv_batch_free(batch);
}

static int write_on(const char *path, int fd)
{
	const struct kv_options options = {0};
	struct kv *kv;

	if (kv_open(path, &options, &kv))
		return 1;
	for (uint64_t i = 1;; i++) {
		char key[32];
		snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
		if (put(kv, KV_INODES, key, &i, sizeof i, false) || write(fd, &i, sizeof i) != sizeof i)
			return 1;
	}
}

/* A child writes without asking for durability, says what it has written, and is killed. */
static void test_killed(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {0};
	uint64_t last = 0, got;
	ssize_t n;
	int pipes[2];
	pid_t child;

	kv_close(w->kv);
	w->kv = NULL;
	assert_int_equal(pipe(pipes), 0);
	child = start_self("write", w->path, pipes[1]);
	close(pipes[1]);
	while (last < 5000 && (n = read(pipes[0], &got, sizeof got)) == sizeof got)
		last = got;
	kill(child, SIGKILL);
	while ((n = read(pipes[0], &got, sizeof got)) == sizeof got)
		last = got;
	waitpid(child, NULL, 0);
	close(pipes[0]);
	assert_true(last >= 5000);
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	for (uint64_t i = 1; i <= last; i++) {
		char key[32];
		size_t len = 0;
		snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
		assert_int_equal(kv_get(w->kv, KV_INODES, key, strlen(key), &got, sizeof got, &len), 0);
		assert_int_equal(got, i);
	}
}

static uint64_t disk_usage(const char *path)
{
	char command[128], line[64] = "";
	FILE *f;

	snprintf(command, sizeof command, "du -s --block-size=1 %s", path);
	f = popen(command, "r");
	if (!fgets(line, sizeof line, f))
		line[0] = 0;
	pclose(f);
	return strtoull(line, NULL, 10);
}

static int try_noise(struct kv *kv, enum kv_family family, unsigned number, size_t len)
{
	uint64_t *value = malloc(len);
	uint64_t x = number * 0x9e3779b97f4a7c15u + 1;
	char key[32];
	int rc;

	for (size_t i = 0; i < len / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		value[i] = x;
	}
	snprintf(key, sizeof key, "noise %08u", number);
	rc = put(kv, family, key, value, len, false);
	free(value);
	return rc;
}

static void put_noise(struct kv *kv, enum kv_family family, unsigned number, size_t len)
{
	assert_int_equal(try_noise(kv, family, number, len), 0);
}

static void test_flush_gives_space_back(void **state)
{
	struct world *w = *state;
	struct kv_batch *batch = kv_batch_new();

	for (unsigned i = 0; i < 2000; i++)
		put_noise(w->kv, KV_INLINE, i, 4096);
	assert_int_equal(kv_flush(w->kv, false), 0);
	assert_in_range(disk_usage(w->path), 2000 * 4096, 2000 * 4096 * 11 / 10 + 500000 + RESERVE);
	assert_in_range(kv_estimate_keys(w->kv, KV_INLINE), 1900, 2100);
	kv_batch_delete_range(w->kv, batch, KV_INLINE, "noise", 5, "noisf", 5);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	assert_int_equal(kv_flush(w->kv, true), 0);
	assert_true(disk_usage(w->path) < 500000 + RESERVE);
	kv_batch_free(batch);
}

/* Flips bytes in the middle of every table: reads give an error, never other bytes. */
static void test_damage(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {0}, reader = {.read_only = true};
	char command[256];
	unsigned bad = 0;
	int rc;

	for (unsigned i = 0; i < 100; i++)
		put_noise(w->kv, KV_INLINE, i, 4096);
	assert_int_equal(kv_flush(w->kv, false), 0);
	kv_close(w->kv);
	w->kv = NULL;
	snprintf(command, sizeof command,
		"for f in %s/*.sst; do printf 'damage' | dd of=$f bs=1 seek=100000 conv=notrunc 2>/dev/null; "
		"done",
		w->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	for (unsigned i = 0; i < 100; i++) {
		char key[32], value[4096];
		size_t len;
		snprintf(key, sizeof key, "noise %08u", i);
		rc = kv_get(w->kv, KV_INLINE, key, strlen(key), value, sizeof value, &len);
		assert_true(rc == 0 || rc == -EIO);
		bad += rc == -EIO;
	}
	assert_in_range(bad, 1, 20);
	struct kv_iter *it = kv_iter_new(w->kv, KV_INLINE, NULL, 0);
	while (kv_iter_valid(it))
		kv_iter_next(it);
	assert_int_equal(kv_iter_error(it), -EIO);
	kv_iter_free(it);

	kv_close(w->kv);
	w->kv = NULL;
	snprintf(command, sizeof command,
		"for f in %s/MANIFEST-*; do printf 'damaged' | dd of=$f bs=1 seek=10 "
		"conv=notrunc 2>/dev/null; done",
		w->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(kv_open(w->path, &options, &w->kv), -EUCLEAN);
	assert_int_equal(kv_open(w->path, &reader, &w->kv), -EUCLEAN);
}

/* A file system of 64 MiB of its own, which only root can have. */
static int setup_small_disk(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char command[512];

	strcpy(w->dir, "/tmp/mithril-kv-XXXXXX");
	if (!mkdtemp(w->dir))
		return -1;
	*state = w;
	snprintf(w->path, sizeof w->path, "%s/mnt/kv", w->dir);
	snprintf(command, sizeof command,
		"cd %s && mkdir mnt && truncate -s 64M image && mkfs.ext4 -q -F image && mount -o loop image "
		"mnt",
		w->dir);
	w->disk = geteuid() == 0 && system(command) == 0;
	return 0;
}

static int teardown_small_disk(void **state)
{
	struct world *w = *state;
	char command[128];

	kv_close(w->kv);
	w->kv = NULL;
	snprintf(command, sizeof command, "umount %s/mnt", w->dir);
	if (w->disk && system(command))
		return -1;
	return teardown(state);
}

static void filler_path(struct world *w, char path[96])
{
	snprintf(path, 96, "%s/mnt/filler", w->dir);
}

/* Takes all space but `left` bytes. */
static void fill(struct world *w, off_t left)
{
	char path[96];
	char *block = calloc(1, 65536);
	off_t size = 0;
	ssize_t n;
	int fd;

	filler_path(w, path);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	for (size_t step = 65536; step >= 1024; step /= 2) {
		while ((n = pwrite(fd, block, step, size)) > 0)
			size += n;
	}
	if (left)
		assert_int_equal(ftruncate(fd, size > left ? size - left : 0), 0);
	close(fd);
	sync();
	free(block);
}

/* Takes what has become free since. */
static void steal(struct world *w)
{
	char path[96];
	char *block = calloc(1, 65536);
	int fd;

	filler_path(w, path);
	fd = open(path, O_WRONLY | O_APPEND);
	for (size_t step = 65536; step >= 1024; step /= 2) {
		while (write(fd, block, step) > 0)
			;
	}
	close(fd);
	free(block);
}

static void make_room(struct world *w)
{
	char path[96];

	filler_path(w, path);
	assert_int_equal(unlink(path), 0);
}

static int delete_noise(struct kv *kv, unsigned number, bool frees)
{
	struct kv_batch *batch = kv_batch_new();
	char key[32];
	int rc;

	snprintf(key, sizeof key, "noise %08u", number);
	kv_batch_delete(kv, batch, KV_INLINE, key, strlen(key));
	if (frees)
		kv_batch_frees(batch);
	rc = kv_write(kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

static int trade_noise(struct kv *kv, unsigned number, size_t len)
{
	struct kv_batch *batch = kv_batch_new();
	char key[32], value[4096] = {0};
	int rc;

	snprintf(key, sizeof key, "trade %08u", number);
	kv_batch_put(kv, batch, KV_INLINE, key, strlen(key), value, len);
	kv_batch_trades(batch);
	rc = kv_write(kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

static void expect_noise(struct kv *kv, unsigned from, unsigned to, int expected)
{
	for (unsigned i = from; i < to; i++) {
		char key[32], value[4096];
		size_t len;
		snprintf(key, sizeof key, "noise %08u", i);
		assert_int_equal(
			kv_get(kv, KV_INLINE, key, strlen(key), value, sizeof value, &len), expected);
	}
}

/* Writes until the disk is full; how many writes were taken. */
static unsigned write_until_full(struct kv *kv, unsigned number)
{
	int rc;

	while (!(rc = try_noise(kv, KV_INLINE, number, 4096)))
		number++;
	assert_int_equal(rc, -ENOSPC);
	return number;
}

static void expect_room_again(struct kv *kv)
{
	int rc = -ENOSPC;

	for (unsigned tries = 0; tries < 3000 && rc == -ENOSPC; tries++) {
		usleep(20000);
		rc = put(kv, KV_META, "again", "yes", 3, true);
	}
	assert_int_equal(rc, 0);
}

/* What is full may be a WAL in the middle (much room left for it), one that was just begun, or a table. */
static void full_and_back(struct world *w, off_t left)
{
	const struct kv_options options = {.create = true};
	unsigned before, all;

	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	for (before = 0; before < 100; before++)
		put_noise(w->kv, KV_INLINE, before, 4096);
	fill(w, left);
	all = write_until_full(w->kv, before);
	expect_noise(w->kv, 0, all, 0);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(try_noise(w->kv, KV_INLINE, all, 4096), -ENOSPC);
	expect_noise(w->kv, all, all + 1, -ENOENT);
	assert_int_equal(delete_noise(w->kv, 0, false), -ENOSPC);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(delete_noise(w->kv, i, true), 0);
	assert_int_equal(kv_sync(w->kv), 0);

	/* a full disk is no reason not to open */
	reopen(w);
	expect_noise(w->kv, 0, 50, -ENOENT);
	expect_noise(w->kv, 50, all, 0);
	assert_int_equal(try_noise(w->kv, KV_INLINE, all, 4096), -ENOSPC);
	for (unsigned i = 50; i < 60; i++)
		assert_int_equal(delete_noise(w->kv, i, true), 0);

	make_room(w);
	expect_room_again(w->kv);
	for (unsigned i = 0; i < 1000; i++)
		put_noise(w->kv, KV_INLINE, all + i, 4096);
	expect_noise(w->kv, 60, all + 1000, 0);
	assert_int_equal(kv_flush(w->kv, true), 0);
	reopen(w);
	expect_noise(w->kv, 0, 60, -ENOENT);
	expect_noise(w->kv, 60, all + 1000, 0);
	expect(w->kv, KV_META, "again", "yes");
}

static void test_full_disk(void **state)
{
	static const off_t left[] = {0, 1 << 20, 7 << 20, 19 << 20, 22 << 20};
	struct world *w = *state;
	char command[128];

	if (!w->disk)
		skip();
	for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
		full_and_back(w, left[i]);
		kv_close(w->kv);
		w->kv = NULL;
		snprintf(command, sizeof command, "rm -rf %s", w->path);
		assert_int_equal(system(command), 0);
	}
}

/* The way back is barred while somebody walks; reads go on, and so does all once the walk is over. */
static void test_full_disk_under_an_iterator(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {.create = true};
	struct kv_iter *it;
	unsigned all;
	int rc = 0;

	if (!w->disk)
		skip();
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	put_noise(w->kv, KV_INLINE, 0, 4096);
	it = kv_iter_new(w->kv, KV_INLINE, NULL, 0);
	fill(w, 1 << 20);
	all = write_until_full(w->kv, 1);
	expect_noise(w->kv, 0, all, 0);
	/* A little is left for deletions; somebody else takes that too. */
	assert_int_equal(delete_noise(w->kv, all, true), 0);
	fill(w, 0);
	for (unsigned i = 0; i < 2000 && !rc; i++)
		rc = delete_noise(w->kv, all, true);
	assert_int_equal(rc, -ENOSPC);
	expect_noise(w->kv, 0, all, 0);
	make_room(w);
	sleep(7); /* longer than RocksDB itself takes to think that all is well */
	assert_int_equal(delete_noise(w->kv, 0, true), -ENOSPC);
	assert_true(kv_iter_valid(it));
	kv_iter_free(it);
	expect_room_again(w->kv);
	expect_noise(w->kv, 0, all, 0);
	assert_int_equal(delete_noise(w->kv, 0, true), 0);
}

/* Somebody else took even the reserve: what is there can be read. */
static void test_no_room_at_all(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {.create = true};
	char reserve[128];

	if (!w->disk)
		skip();
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	for (unsigned i = 0; i < 100; i++)
		put_noise(w->kv, KV_INLINE, i, 4096);
	kv_close(w->kv);
	w->kv = NULL;
	snprintf(reserve, sizeof reserve, "%s/reserve", w->path);
	assert_int_equal(unlink(reserve), 0);
	fill(w, 0);
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	expect_noise(w->kv, 0, 100, 0);
	assert_int_equal(try_noise(w->kv, KV_INLINE, 100, 4096), -ENOSPC);
	assert_int_equal(delete_noise(w->kv, 0, true), -ENOSPC);
	make_room(w);
	expect_room_again(w->kv);
	expect_noise(w->kv, 0, 100, 0);
}

/* With no byte left but the reserve, somebody who takes whatever is free, and then again: thousands of
 * deletions, and trades for a part of it. */
static void test_reserve_is_for_what_frees(void **state)
{
	struct world *w = *state;
	const struct kv_options options = {.create = true};
	unsigned trades = 0;

	if (!w->disk)
		skip();
	assert_int_equal(kv_open(w->path, &options, &w->kv), 0);
	for (unsigned round = 0; round < 3; round++) {
		assert_false(kv_is_full(w->kv));
		fill(w, 0);
		for (unsigned i = 0; i < 5000; i++) {
			if (i % 100 == 0)
				steal(w);
			assert_int_equal(delete_noise(w->kv, i, true), 0);
		}
		for (trades = 0; trades < 10000 && !trade_noise(w->kv, trades, 4096); trades++)
			;
		assert_in_range(trades, 1, 1000);
		assert_true(kv_is_full(w->kv));
		for (unsigned i = 0; i < 5000; i++)
			assert_int_equal(delete_noise(w->kv, i, true), 0);
		reopen(w);
		assert_int_equal(delete_noise(w->kv, 0, true), 0);
		assert_int_equal(try_noise(w->kv, KV_INLINE, 0, 4096), -ENOSPC);
		make_room(w);
		expect_room_again(w->kv);
	}
}

static void test_error_texts(void **state)
{
	(void)state;
	assert_int_equal(kv_error_take(NULL), 0);
	assert_int_equal(
		kv_error_code("IO error: No space left on device: While appending to file"), -ENOSPC);
	assert_int_equal(
		kv_error_code("IO error: While lock file: /x/LOCK: Resource temporarily unavailable"),
		-EBUSY);
	assert_int_equal(kv_error_code("Corruption: block checksum mismatch"), -EUCLEAN);
	assert_int_equal(kv_error_code("IO error: While open a file: x: Permission denied"), -EACCES);
	assert_int_equal(kv_error_code("IO error: While fsync: x: Input/output error"), -EIO);
}

int main(int argc, char **argv)
{
	if (argc == 4)
		return strcmp(argv[1], "open") ? write_on(argv[2], atoi(argv[3])) : open_elsewhere(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_get_and_put, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_iterators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush_gives_space_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup_small_disk, teardown_small_disk),
		cmocka_unit_test_setup_teardown(
			test_full_disk_under_an_iterator, setup_small_disk, teardown_small_disk),
		cmocka_unit_test_setup_teardown(
			test_reserve_is_for_what_frees, setup_small_disk, teardown_small_disk),
		cmocka_unit_test_setup_teardown(test_no_room_at_all, setup_small_disk, teardown_small_disk),
		cmocka_unit_test(test_error_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
