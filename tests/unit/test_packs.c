// links: m_packs
/*
 * Packs against a real directory: what is appended is read back or refused, never read back wrong.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/packs/packs.h"

static const uint8_t uuid[16] = "store-uuid-00000";

struct dir {
	char path[64];
	struct packs *packs;
};

static void reopen(struct dir *dir)
{
	packs_close(dir->packs);
	dir->packs = NULL;
	assert_int_equal(packs_open(dir->path, uuid, false, &dir->packs), 0);
}

static int setup(void **state)
{
	struct dir *dir = calloc(1, sizeof *dir);
	strcpy(dir->path, "/tmp/test_packs.XXXXXX");
	assert_non_null(mkdtemp(dir->path));
	reopen(dir);
	*state = dir;
	return 0;
}

static void remove_dir(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

static int teardown(void **state)
{
	struct dir *dir = *state;
	packs_close(dir->packs);
	remove_dir(dir->path);
	free(dir);
	return 0;
}

static void pack_path(const struct dir *dir, uint64_t id, char out[128])
{
	snprintf(out, 128, "%s/%016llx.pack", dir->path, (unsigned long long)id);
}

/* The n-th test frame; its payload is a function of n too. */
static struct frame frame_of(unsigned n, uint8_t *payload)
{
	struct frame frame = {.raw_len = n + 1, .codec = 5, .codec_version = 1, .dtype = 12, .salt = n % 3};
	memset(frame.id.b, (int)(n % 255 + 1), 16);
	memcpy(frame.id.b, &n, sizeof n);
	for (frame.bases.count = 0; frame.bases.count < n % (FRAME_BASES_MAX + 1); frame.bases.count++)
		memset(frame.bases.id[frame.bases.count].b, (int)(7 + frame.bases.count), 16);
	frame.payload_len = (n * 37) % 301;
	for (unsigned i = 0; i < frame.payload_len; i++)
		payload[i] = (uint8_t)(n + i * i);
	return frame;
}

static struct frame_place append(struct dir *dir, unsigned n)
{
	uint8_t payload[512];
	struct frame frame = frame_of(n, payload);
	struct frame_place place;
	assert_int_equal(packs_append(dir->packs, &frame, payload, &place), 0);
	assert_int_equal(place.payload_len, frame.payload_len);
	assert_int_equal(place.offset % 8, 0);
	return place;
}

static int read_back(struct packs *packs, const struct frame_place *place, unsigned n)
{
	uint8_t expected[512], payload[512];
	struct frame frame = frame_of(n, expected), got;
	int rc = packs_read(packs, place, &frame.id, &got, payload, sizeof payload);
	if (rc)
		return rc;
	assert_memory_equal(&got.id, &frame.id, 16);
	assert_true(chunk_bases_equal(&got.bases, &frame.bases));
	assert_int_equal(place->bases, frame.bases.count);
	assert_int_equal(got.raw_len, frame.raw_len);
	assert_int_equal(got.payload_len, frame.payload_len);
	assert_int_equal(got.codec, frame.codec);
	assert_int_equal(got.codec_version, frame.codec_version);
	assert_int_equal(got.dtype, frame.dtype);
	assert_int_equal(got.salt, frame.salt);
	assert_memory_equal(payload, expected, frame.payload_len);
	return 0;
}

static void assert_same_place(const struct frame_place *a, const struct frame_place *b)
{
	assert_int_equal(a->pack, b->pack);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->payload_len, b->payload_len);
	assert_int_equal(a->bases, b->bases);
}

struct seen {
	unsigned count;
	unsigned n[256];
	struct frame_place place[256];
};

static int see(void *ctx, const struct frame *frame, const struct frame_place *place)
{
	struct seen *seen = ctx;
	unsigned n;
	memcpy(&n, frame->id.b, sizeof n);
	seen->n[seen->count] = n;
	seen->place[seen->count++] = *place;
	return 0;
}

static void test_append_and_read(void **state)
{
	struct dir *dir = *state;
	struct frame_place place[100];
	uint64_t *ids, appending;
	size_t count;

	for (unsigned i = 0; i < 100; i++)
		place[i] = append(dir, i);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(read_back(dir->packs, &place[i], i), 0);
	assert_true(packs_bytes_read(dir->packs) > 100 * FRAME_HEADER_MIN);
	assert_int_equal(packs_sync(dir->packs), 0);
	assert_int_equal(packs_list(dir->packs, &ids, &count, &appending), 0);
	assert_int_equal(count, 1);
	assert_int_equal(appending, ids[0]);
	free(ids);
	/* wrong identity, wrong length, no room, no such place */
	struct frame frame;
	uint8_t payload[512];
	struct chunk_id other = {{9}};
	assert_int_equal(
		packs_read(dir->packs, &place[3], &other, &frame, payload, sizeof payload), -EBADMSG);
	struct frame_place odd = place[3];
	odd.payload_len--;
	assert_int_equal(packs_read(dir->packs, &odd, NULL, &frame, payload, sizeof payload), -EBADMSG);
	assert_int_equal(packs_read(dir->packs, &place[3], NULL, &frame, payload, 3), -ENOBUFS);
	odd = place[3];
	odd.offset += 8;
	assert_int_equal(packs_read(dir->packs, &odd, NULL, &frame, payload, sizeof payload), -EBADMSG);
	odd.pack = 77;
	assert_int_equal(packs_read(dir->packs, &odd, NULL, &frame, payload, sizeof payload), -ENOENT);
	frame = frame_of(1, payload);
	frame.raw_len = 0;
	assert_int_equal(packs_append(dir->packs, &frame, payload, &odd), -EINVAL);
}

static void test_reopen_starts_a_new_pack(void **state)
{
	struct dir *dir = *state;
	struct frame_place a = append(dir, 1), b;
	uint64_t *ids, appending;
	size_t count;
	struct seen seen = {0};
	uint64_t lost;

	reopen(dir);
	assert_int_equal(packs_list(dir->packs, &ids, &count, &appending), 0);
	assert_int_equal(count, 1);
	assert_int_equal(appending, 0);
	free(ids);
	b = append(dir, 2);
	assert_true(b.pack > a.pack);
	assert_int_equal(read_back(dir->packs, &a, 1), 0);
	assert_int_equal(read_back(dir->packs, &b, 2), 0);
	assert_int_equal(packs_scan(dir->packs, a.pack, see, &seen, &lost), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(lost, 0);
	/* read-only: no appending, and another store's packs are no packs of ours */
	struct packs *other;
	uint8_t payload[512];
	struct frame frame = frame_of(5, payload);
	assert_int_equal(packs_open(dir->path, uuid, true, &other), 0);
	assert_int_equal(packs_append(other, &frame, payload, &a), -EROFS);
	assert_int_equal(packs_remove(other, b.pack), -EROFS);
	packs_close(other);
	assert_int_equal(packs_open(dir->path, (const uint8_t *)"store-uuid-11111", true, &other), 0);
	assert_int_equal(packs_scan(other, b.pack, see, &seen, NULL), -EBADMSG);
	packs_close(other);
}

static void test_rolls_over(void **state)
{
	struct dir *dir = *state;
	uint8_t *payload = calloc(1, FRAME_PAYLOAD_MAX);
	struct frame frame = {.id = {{1}}, .raw_len = FRAME_RAW_MAX, .payload_len = FRAME_PAYLOAD_MAX};
	struct frame_place first, place;
	uint64_t bytes, all;

	assert_int_equal(packs_append(dir->packs, &frame, payload, &first), 0);
	do
		assert_int_equal(packs_append(dir->packs, &frame, payload, &place), 0);
	while (place.pack == first.pack && place.offset < 2 * PACK_TARGET);
	assert_true(place.pack > first.pack);
	assert_int_equal(place.offset, PACK_HEADER_SIZE);
	assert_int_equal(packs_size(dir->packs, first.pack, &bytes), 0);
	assert_true(bytes > PACK_TARGET && bytes < PACK_TARGET + 2 * FRAME_PAYLOAD_MAX);
	assert_int_equal(packs_size(dir->packs, place.pack, &all), 0);
	assert_true(all < 2 * FRAME_PAYLOAD_MAX);
	assert_int_equal(packs_bytes(dir->packs), bytes + all);
	assert_int_equal(packs_sync(dir->packs), 0);
	assert_int_equal(packs_remove(dir->packs, place.pack), -EBUSY);
	assert_int_equal(packs_remove(dir->packs, first.pack), 0);
	assert_int_equal(packs_bytes(dir->packs), all);
	free(payload);
}

static void write_at(const char *path, const void *bytes, size_t len, off_t off)
{
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, len, off), len);
	close(fd);
}

static void test_scan_skips_gaps(void **state)
{
	struct dir *dir = *state;
	struct frame_place place[50];
	struct seen seen = {0};
	char path[128];
	uint64_t lost;
	struct stat st;

	for (unsigned i = 0; i < 50; i++)
		place[i] = append(dir, i);
	pack_path(dir, place[0].pack, path);
	reopen(dir);
	/* a gap of zeros over frames 10..19, one byte in the header of 30, the tail torn inside the payload
	 * of 49 */
	uint8_t zeros[8192] = {0};
	write_at(path, zeros, place[20].offset - place[10].offset, place[10].offset);
	write_at(path, "?", 1, place[30].offset + 20);
	assert_int_equal(truncate(path, place[49].offset + frame_header_size(place[49].bases) +
						place[49].payload_len - 1),
		0);
	assert_int_equal(packs_scan(dir->packs, place[0].pack, see, &seen, &lost), 0);
	assert_int_equal(seen.count, 50 - 10 - 1 - 1);
	for (unsigned i = 0, n = 0; i < seen.count; i++, n++) {
		if (n == 10)
			n = 20;
		if (n == 30)
			n = 31;
		assert_int_equal(seen.n[i], n);
		assert_same_place(&seen.place[i], &place[n]);
		assert_int_equal(read_back(dir->packs, &place[n], n), 0);
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(lost, place[20].offset - place[10].offset + place[31].offset - place[30].offset +
				       (uint64_t)st.st_size - place[49].offset);
	assert_int_equal(read_back(dir->packs, &place[15], 15), -EBADMSG);
	assert_int_equal(read_back(dir->packs, &place[30], 30), -EBADMSG);
	assert_int_equal(read_back(dir->packs, &place[49], 49), -EBADMSG);
	/* shorter than its own header */
	assert_int_equal(truncate(path, 10), 0);
	seen.count = 0;
	assert_int_equal(packs_scan(dir->packs, place[0].pack, see, &seen, &lost), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(lost, 10);
}

/* A gap longer than the scan's window, whose far edge lies anywhere in it. */
static void test_scan_crosses_windows(void **state)
{
	struct dir *dir = *state;
	uint8_t *payload = malloc(FRAME_PAYLOAD_MAX), zeros[FRAME_HEADER_MIN] = {0};
	char path[128];

	memset(payload, 'p', FRAME_PAYLOAD_MAX);
	for (unsigned shift = 0; shift < 30; shift++) {
		struct frame big = {.id = {{1}}, .raw_len = 9, .payload_len = (1u << 20) - 160 + 8 * shift};
		struct frame_place first, second;
		struct seen seen = {0};
		uint64_t lost;
		if (big.payload_len > FRAME_PAYLOAD_MAX)
			big.payload_len = FRAME_PAYLOAD_MAX;
		assert_int_equal(packs_append(dir->packs, &big, payload, &first), 0);
		second = append(dir, 42);
		packs_seal(dir->packs);
		pack_path(dir, first.pack, path);
		write_at(path, zeros, sizeof zeros, first.offset);
		assert_int_equal(packs_scan(dir->packs, first.pack, see, &seen, &lost), 0);
		assert_int_equal(seen.count, 1);
		assert_same_place(&seen.place[0], &second);
		assert_int_equal(lost, second.offset - first.offset);
	}
	free(payload);
}

/* Every bit of a small pack flipped in turn: each frame is read back right or refused. */
static void test_bit_flips(void **state)
{
	struct dir *dir = *state;
	struct frame_place place[5];
	unsigned refused = 0, accepted = 0;
	char path[128];
	struct stat st;

	for (unsigned i = 0; i < 5; i++)
		place[i] = append(dir, i + 3);
	pack_path(dir, place[0].pack, path);
	packs_seal(dir->packs);
	assert_int_equal(stat(path, &st), 0);
	int fd = open(path, O_RDWR);
	for (off_t at = 0; at < st.st_size; at++) {
		uint8_t byte, bad;
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		for (int bit = 0; bit < 8; bit++) {
			struct seen seen = {0};
			unsigned hurt = 0;
			bad = byte ^ (uint8_t)(1 << bit);
			assert_int_equal(pwrite(fd, &bad, 1, at), 1);
			for (unsigned i = 0; i < 5; i++) {
				int rc = read_back(dir->packs, &place[i], i + 3);
				assert_true(rc == 0 || rc == -EBADMSG);
				hurt += rc != 0;
			}
			assert_true(hurt <= 1);
			refused += hurt;
			accepted += !hurt;
			assert_int_equal(packs_scan(dir->packs, place[0].pack, see, &seen, NULL), 0);
			assert_true(seen.count >= 4);
			for (unsigned i = 0; i < seen.count; i++)
				assert_true(seen.n[i] >= 3 && seen.n[i] < 8);
		}
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
	/* only the pack header and the padding are not some frame's */
	assert_true(accepted <= 8 * (PACK_HEADER_SIZE + 5 * 7));
	assert_true(refused > 8 * 5 * FRAME_HEADER_MIN);
}

static void test_move_and_remove(void **state)
{
	struct dir *dir = *state;
	struct frame_place from = append(dir, 9), to;
	char path[128];

	packs_seal(dir->packs);
	assert_int_equal(packs_move(dir->packs, &from, &to), 0);
	assert_true(to.pack != from.pack);
	assert_int_equal(read_back(dir->packs, &to, 9), 0);
	assert_int_equal(packs_remove(dir->packs, to.pack), -EBUSY);
	assert_int_equal(packs_remove(dir->packs, from.pack), 0);
	assert_int_equal(read_back(dir->packs, &from, 9), -ENOENT);
	assert_int_equal(packs_remove(dir->packs, from.pack), -ENOENT);
	pack_path(dir, from.pack, path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(packs_move(dir->packs, &from, &to), -ENOENT);
	/* a damaged frame is not moved */
	packs_seal(dir->packs);
	pack_path(dir, to.pack, path);
	write_at(path, "?", 1, to.offset + frame_header_size(to.bases) + 1);
	assert_int_equal(packs_move(dir->packs, &to, &from), -EBADMSG);
	/* numbers are not used again */
	struct frame_place next = append(dir, 1);
	assert_true(next.pack > to.pack);
}

struct remover {
	struct dir *dir;
	uint64_t pack;
	int rc;
};

static int remove_inside_scan(void *ctx, const struct frame *frame, const struct frame_place *place)
{
	struct remover *remover = ctx;
	(void)frame;
	(void)place;
	if (remover->rc == 1)
		remover->rc = packs_remove(remover->dir->packs, remover->pack);
	else
		remover->rc--;
	return 0;
}

/* A scan that has the pack open goes on after its removal; the disk space is given back when it ends. */
static void test_remove_under_a_reader(void **state)
{
	struct dir *dir = *state;
	struct frame_place place = append(dir, 1);
	struct remover remover = {dir, place.pack, 1};

	append(dir, 2);
	append(dir, 3);
	packs_seal(dir->packs);
	assert_int_equal(packs_scan(dir->packs, place.pack, remove_inside_scan, &remover, NULL), 0);
	assert_int_equal(remover.rc, -2); /* removed, and two frames more were seen */
	assert_int_equal(read_back(dir->packs, &place, 1), -ENOENT);
	assert_int_equal(packs_bytes(dir->packs), 0);
}

/* More packs than are kept open, few descriptors: everything is still read. */
static void test_many_packs(void **state)
{
	struct dir *dir = *state;
	struct frame_place place[200];
	struct rlimit old, few;

	for (unsigned i = 0; i < 200; i++) {
		place[i] = append(dir, i);
		packs_seal(dir->packs);
	}
	assert_int_equal(packs_sync(dir->packs), 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(read_back(dir->packs, &place[i], i), 0);
	DIR *fds = opendir("/proc/self/fd");
	unsigned open_fds = 0;
	while (readdir(fds))
		open_fds++;
	closedir(fds);
	assert_true(open_fds < 90);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = open_fds / 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(read_back(dir->packs, &place[i], i), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

#define THREADS 4
#define EACH 300

struct appender {
	pthread_t thread;
	struct dir *dir;
	unsigned first;
	struct frame_place place[EACH];
};

static void *append_many(void *arg)
{
	struct appender *a = arg;
	for (unsigned i = 0; i < EACH; i++) {
		a->place[i] = append(a->dir, a->first + i);
		assert_int_equal(read_back(a->dir->packs, &a->place[i], a->first + i), 0);
		if (i % 100 == 50)
			assert_int_equal(packs_sync(a->dir->packs), 0);
		if (i % 100 == 70)
			assert_int_equal(packs_seal(a->dir->packs), 0);
	}
	return NULL;
}

static int count_frame(void *ctx, const struct frame *frame, const struct frame_place *place)
{
	(void)frame;
	(void)place;
	++*(unsigned *)ctx;
	return 0;
}

static void test_threads(void **state)
{
	struct dir *dir = *state;
	struct appender *a = calloc(THREADS, sizeof *a);
	uint64_t *ids, lost;
	unsigned total = 0;
	size_t count;

	for (unsigned t = 0; t < THREADS; t++) {
		a[t].dir = dir;
		a[t].first = t * EACH;
		assert_int_equal(pthread_create(&a[t].thread, NULL, append_many, a + t), 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		pthread_join(a[t].thread, NULL);
	for (unsigned t = 0; t < THREADS; t++) {
		for (unsigned i = 0; i < EACH; i++)
			assert_int_equal(read_back(dir->packs, &a[t].place[i], a[t].first + i), 0);
	}
	assert_int_equal(packs_list(dir->packs, &ids, &count, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(packs_scan(dir->packs, ids[i], count_frame, &total, &lost), 0);
		assert_int_equal(lost, 0);
	}
	assert_int_equal(total, THREADS * EACH);
	free(ids);
	free(a);
}

/* A write that the disk cuts short leaves nothing that reads wrong, and the next one works. */
static void test_no_space(void **state)
{
	struct dir *dir = *state;
	struct frame_place a = append(dir, 1), b;
	struct rlimit old, small;
	uint8_t *payload = malloc(1 << 20);
	struct frame frame = {.id = {{5}}, .raw_len = 1 << 20, .payload_len = 1 << 20};
	struct seen seen = {0};
	uint64_t lost;

	memset(payload, 'x', 1 << 20);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(packs_append(dir->packs, &frame, payload, &b), -EFBIG);
	assert_int_equal(packs_append(dir->packs, &frame, payload, &b), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	b = append(dir, 2);
	assert_int_equal(b.pack, a.pack);
	assert_int_equal(read_back(dir->packs, &a, 1), 0);
	assert_int_equal(read_back(dir->packs, &b, 2), 0);
	assert_int_equal(packs_sync(dir->packs), 0);
	packs_seal(dir->packs);
	assert_int_equal(packs_scan(dir->packs, a.pack, see, &seen, &lost), 0);
	assert_int_equal(seen.count, 2);
	free(payload);
}

/* Mounts 256 KiB on path, for this process only. */
static int private_disk(const char *path)
{
	char map[64];
	int fd;

	snprintf(map, sizeof map, "0 %u 1", geteuid());
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS))
		return -1;
	fd = open("/proc/self/uid_map", O_WRONLY);
	if (fd >= 0 && write(fd, map, strlen(map)) < 0)
		errno = 0; /* there is a map already */
	close(fd);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	return mount("none", path, "tmpfs", 0, "size=256k");
}

/* On a file system of 256 KiB of our own, where user namespaces allow that. Exit status: 0 fine, 77 not
 * possible here. */
static int fill_a_disk(const char *path)
{
	uint8_t *payload = malloc(60000);
	struct frame frame = {.id = {{5}}, .raw_len = 60000, .payload_len = 60000}, got;
	struct frame_place place[16];
	struct packs *packs;
	unsigned n = 0;
	int rc;

	if (private_disk(path))
		return 77;
	if (packs_open(path, uuid, false, &packs))
		return 1;
	memset(payload, 'x', 60000);
	while (!(rc = packs_append(packs, &frame, payload, &place[n])) && n < 15)
		n++;
	if (rc != -ENOSPC || n < 2)
		return 2;
	packs_seal(packs);
	if (packs_remove(packs, place[0].pack) || packs_append(packs, &frame, payload, &place[0]))
		return 3;
	if (packs_read(packs, &place[0], NULL, &got, payload, 60000))
		return 4;
	packs_close(packs);
	return 0;
}

static void test_full_disk(void **state)
{
	struct dir *dir = *state;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fill_a_disk(dir->path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_append_and_read),
		T(test_reopen_starts_a_new_pack),
		T(test_rolls_over),
		T(test_scan_skips_gaps),
		T(test_scan_crosses_windows),
		T(test_bit_flips),
		T(test_move_and_remove),
		T(test_remove_under_a_reader),
		T(test_many_packs),
		T(test_threads),
		T(test_no_space),
		T(test_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
