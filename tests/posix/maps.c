/* Memory maps: private and shared, older than the descriptor, beside reads and writes, over encoding. */
#include "suite.h"

#include <sys/mman.h>

#define LEN (1 << 20)

static uint8_t *map(int fd, int prot, int flags, size_t len)
{
	uint8_t *p = mmap(NULL, len, prot, flags, fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static bool map_holds(const uint8_t *p, uint64_t seed, uint64_t off, size_t len)
{
	uint8_t *want = malloc(len);
	CHECK(want);
	fill(want, len, seed, off);
	bool same = !memcmp(p, want, len);
	free(want);
	return same;
}

static void reads(void)
{
	for (size_t i = 1; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i], last = (len + 4095) / 4096 * 4096;
		put_file("file", 1, len);
		for (int state = 0; state < 2; state++) {
			int fd = OK(open("file", O_RDONLY));
			uint8_t *p = map(fd, PROT_READ, MAP_PRIVATE, len);
			uint8_t *q = map(fd, PROT_READ, MAP_SHARED, len);
			OK(close(fd));
			CHECK(map_holds(p, 1, 0, len));
			CHECK(map_holds(q, 1, 0, len));
			for (size_t k = len; k < last; k++)
				CHECK_INT(p[k], 0); /* the rest of the last page */
			OK(munmap(p, len));
			OK(munmap(q, len));
			settle();
		}
	}
}

static void private_writes_stay_private(void)
{
	put_file("file", 1, LEN);
	settle();
	int fd = OK(open("file", O_RDONLY));
	uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, LEN);
	memset(p + 1000, 7, 100000);
	CHECK_INT(p[1000], 7);
	CHECK_AT(fd, 1, 0, LEN);
	OK(munmap(p, LEN));
	OK(close(fd));
	settle();
	CHECK_FILE("file", 1, LEN);
}

static void shared_writes_are_written(void)
{
	put_file("file", 1, LEN);
	settle();
	int fd = OK(open("file", O_RDWR));
	uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, LEN);
	fill(p + 5000, 300000, 2, 5000);
	CHECK_AT(fd, 2, 5000, 300000);
	OK(msync(p, LEN, MS_SYNC));
	put_at(fd, 3, 500000, 1000);
	CHECK(map_holds(p + 500000, 3, 500000, 1000));
	OK(munmap(p, LEN));
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, 5000);
	CHECK_AT(fd, 2, 5000, 300000);
	CHECK_AT(fd, 3, 500000, 1000);
	CHECK_AT(fd, 1, 501000, LEN - 501000);
	OK(close(fd));
}

/* The map outlives the descriptor: the file is being written until munmap, whatever close said. */
static void map_outlives_close(void)
{
	for (int first = 0; first < 2; first++) {
		int fd = OK(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
		if (first)
			put_at(fd, 9, 0, LEN);
		else
			OK(ftruncate(fd, LEN));
		uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, LEN);
		OK(close(fd));
		settle();
		fill(p, LEN, 1, 0);
		settle();
		fill(p + 4096, 4096, 2, 4096);
		OK(munmap(p, LEN));
		for (int state = 0; state < 2; state++) {
			fd = OK(open("file", O_RDONLY));
			CHECK_AT(fd, 1, 0, 4096);
			CHECK_AT(fd, 2, 4096, 4096);
			CHECK_AT(fd, 1, 8192, LEN - 8192);
			OK(close(fd));
			settle();
		}
		remount();
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 0, 4096);
		CHECK_AT(fd, 2, 4096, 4096);
		CHECK_AT(fd, 1, 8192, LEN - 8192);
		OK(close(fd));
	}
}

static void map_outlives_unlink(void)
{
	put_file("file", 1, LEN);
	settle();
	int fd = OK(open("file", O_RDWR));
	uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, LEN);
	OK(close(fd));
	OK(unlink("file"));
	settle();
	CHECK(map_holds(p, 1, 0, LEN));
	memset(p, 3, LEN);
	CHECK_INT(p[LEN - 1], 3);
	OK(munmap(p, LEN));
}

static void readers_keep_their_map(void)
{
	put_file("file", 1, LEN);
	int fd = OK(open("file", O_RDONLY));
	uint8_t *p = map(fd, PROT_READ, MAP_SHARED, LEN);
	OK(close(fd));
	CHECK(map_holds(p, 1, 0, 4096));
	settle();
	CHECK(map_holds(p, 1, 0, LEN));
	put_file("new", 2, LEN);
	OK(rename("new", "file"));
	settle();
	CHECK(map_holds(p, 1, 0, LEN));
	CHECK_FILE("file", 2, LEN);
	OK(munmap(p, LEN));
}

/* A map made while the file was encoded sees what a later writer writes. */
static void map_sees_a_later_writer(void)
{
	put_file("file", 1, LEN);
	settle();
	int fd = OK(open("file", O_RDONLY));
	uint8_t *p = map(fd, PROT_READ, MAP_SHARED, LEN);
	CHECK(map_holds(p, 1, 0, LEN));
	int writer = OK(open("file", O_WRONLY));
	put_at(writer, 2, 100000, 100000);
	CHECK(map_holds(p + 100000, 2, 100000, 100000));
	OK(close(writer));
	settle();
	CHECK(map_holds(p, 1, 0, 100000));
	CHECK(map_holds(p + 100000, 2, 100000, 100000));
	OK(munmap(p, LEN));
	OK(close(fd));
}

static void write_in_map(void *arg)
{
	uint8_t *p = arg;
	fill(p + LEN / 2, LEN / 2, 2, LEN / 2);
}

static void shared_between_processes(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, LEN);
	uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, LEN);
	reap(spawn(write_in_map, p));
	CHECK(map_holds(p, 1, 0, LEN / 2));
	CHECK(map_holds(p + LEN / 2, 2, LEN / 2, LEN / 2));
	OK(munmap(p, LEN));
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, LEN / 2);
	CHECK_AT(fd, 2, LEN / 2, LEN / 2);
	OK(close(fd));
}

static void beyond_the_end(void *arg)
{
	(void)arg;
	int fd = OK(open("file", O_RDONLY));
	const volatile uint8_t *p = map(fd, PROT_READ, MAP_SHARED, 16384);
	CHECK(p[99] == p[99]);
	(void)p[12000];
}

static void ends_with_a_signal(void)
{
	int status;
	put_file("file", 1, 100);
	settle();
	pid_t pid = spawn(beyond_the_end, NULL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static void refuses(void)
{
	put_file("file", 1, 5000);
	int fd = OK(open("file", O_RDONLY));
	FAILS((intptr_t)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	OK(close(fd));
	fd = OK(open("file", O_WRONLY));
	FAILS((intptr_t)mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0), EACCES);
	OK(close(fd));
}

static void times_follow_a_map(void)
{
	put_file("file", 1, LEN);
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{1000, 0}, {1000, 0}}, 0));
	int fd = OK(open("file", O_RDWR));
	uint8_t *p = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED, LEN);
	p[5] = 1;
	OK(msync(p, LEN, MS_SYNC));
	OK(munmap(p, LEN));
	OK(close(fd));
	CHECK(stat_of("file").st_mtim.tv_sec > 1000);
}

static const struct suite_case cases[] = {
	{"reads", reads, 0},
	{"private_writes_stay_private", private_writes_stay_private, 0},
	{"shared_writes_are_written", shared_writes_are_written, 0},
	{"map_outlives_close", map_outlives_close, 0},
	{"map_outlives_unlink", map_outlives_unlink, 0},
	{"readers_keep_their_map", readers_keep_their_map, 0},
	{"map_sees_a_later_writer", map_sees_a_later_writer, 0},
	{"shared_between_processes", shared_between_processes, 0},
	{"ends_with_a_signal", ends_with_a_signal, 0},
	{"refuses", refuses, 0},
	{"times_follow_a_map", times_follow_a_map, 0},
};
SUITE(cases)
