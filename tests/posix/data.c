/* Bytes in and out: every size in every state, partial rewrites, appends, truncation, direct I/O, processes
 * that append. */
#include "suite.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

static void every_size(void)
{
	char name[32];
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		snprintf(name, sizeof name, "f%zu", suite_sizes[i]);
		put_file(name, i, suite_sizes[i]);
		CHECK_FILE(name, i, suite_sizes[i]);
	}
	settle();
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		snprintf(name, sizeof name, "f%zu", suite_sizes[i]);
		CHECK_FILE(name, i, suite_sizes[i]);
	}
}

static void rewrites_a_part(void)
{
	for (size_t i = 2; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i], at = len / 3, part = len / 4;
		put_file("file", 1, len);
		settle();
		int fd = OK(open("file", O_RDWR));
		put_at(fd, 2, at, part);
		CHECK_AT(fd, 1, 0, at);
		CHECK_AT(fd, 2, at, part);
		OK(close(fd));
		settle();
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 0, at);
		CHECK_AT(fd, 2, at, part);
		CHECK_AT(fd, 1, at + part, len - at - part);
		CHECK_INT(lseek(fd, 0, SEEK_END), (long long)len);
		OK(close(fd));
	}
}

static void reads_at_the_end(void)
{
	char block[100];
	put_file("file", 1, 70000);
	settle();
	int fd = OK(open("file", O_RDONLY));
	CHECK_INT(pread(fd, block, sizeof block, 70000), 0);
	CHECK_INT(pread(fd, block, sizeof block, 1000000), 0);
	CHECK_INT(pread(fd, block, sizeof block, 69990), 10);
	CHECK_INT(pread(fd, block, 0, 0), 0);
	FAILS(pread(fd, block, 1, -1), EINVAL);
	FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
	OK(close(fd));
}

static void vectors(void)
{
	char a[3], b[5] = "";
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	struct iovec out[] = {{"abc", 3}, {"defg", 4}}, in[] = {{a, 3}, {b, 4}};
	CHECK_INT(writev(fd, out, 2), 7);
	CHECK_INT(preadv(fd, in, 2, 0), 7);
	CHECK(!memcmp(a, "abc", 3) && !strcmp(b, "defg"));
	OK(close(fd));
}

static void appends(void)
{
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i];
		put_file("file", 1, len);
		settle();
		int fd = OK(open("file", O_RDWR | O_APPEND));
		CHECK_INT(write(fd, "tail", 4), 4);
		CHECK_INT(pwrite(fd, "more", 4, 0), 4); /* Linux appends here too */
		CHECK_INT(lseek(fd, 0, SEEK_END), (long long)len + 8);
		OK(close(fd));
		settle();
		char tail[9] = "";
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 0, len);
		CHECK_INT(pread(fd, tail, 9, (off_t)len), 8);
		CHECK(!strcmp(tail, "tailmore"));
		OK(close(fd));
	}
}

#define APPENDERS 4
#define RECORDS 300
#define RECORD 64

static void appender(void *arg)
{
	char record[RECORD];
	int who = *(int *)arg, fd = OK(open("log", O_WRONLY | O_APPEND));
	for (int i = 0; i < RECORDS; i++) {
		memset(record, 'a' + who, sizeof record);
		snprintf(record, sizeof record, "%d %d ", who, i);
		CHECK_INT(write(fd, record, sizeof record), RECORD);
	}
	OK(close(fd));
}

static void appends_of_many(void)
{
	char record[RECORD + 1] = "";
	int next[APPENDERS] = {0}, who, i;
	pid_t pids[APPENDERS];

	put_file("log", 0, 0);
	for (int k = 0; k < APPENDERS; k++)
		pids[k] = spawn(appender, &k);
	for (int k = 0; k < APPENDERS; k++)
		reap(pids[k]);
	settle();
	CHECK_INT(SIZE_OF("log"), APPENDERS * RECORDS * RECORD);
	int fd = OK(open("log", O_RDONLY));
	while (read(fd, record, RECORD) == RECORD) {
		CHECK(sscanf(record, "%d %d", &who, &i) == 2 && who >= 0 && who < APPENDERS);
		CHECK_INT(i, next[who]);
		CHECK_INT(record[RECORD - 1], 'a' + who);
		next[who]++;
	}
	OK(close(fd));
}

static void truncates(void)
{
	for (size_t i = 1; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i], half = len / 2;
		put_file("file", 1, len);
		settle();
		OK(truncate("file", (off_t)half));
		CHECK_FILE("file", 1, half);
		settle();
		CHECK_FILE("file", 1, half);
		OK(truncate("file", (off_t)(len + 5000)));
		settle();
		int fd = OK(open("file", O_RDONLY));
		CHECK_INT(lseek(fd, 0, SEEK_END), (long long)len + 5000);
		CHECK_AT(fd, 1, 0, half);
		CHECK_ZERO(fd, half, len + 5000 - half);
		OK(close(fd));
	}
}

static void truncates_an_open_file(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, 500000);
	OK(ftruncate(fd, 123456));
	CHECK_INT(lseek(fd, 0, SEEK_END), 123456);
	OK(ftruncate(fd, 400000));
	CHECK_AT(fd, 1, 0, 123456);
	CHECK_ZERO(fd, 123456, 400000 - 123456);
	put_at(fd, 2, 390000, 20000);
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, 123456);
	CHECK_ZERO(fd, 123456, 390000 - 123456);
	CHECK_AT(fd, 2, 390000, 20000);
	FAILS(truncate("file", -1), EINVAL);
	OK(mkdir("dir", 0700));
	FAILS(truncate("dir", 0), EISDIR);
	FAILS(truncate("absent", 0), ENOENT);
}

/* What was cut off by a truncation must not come back when the file grows again. */
static void truncation_forgets(void)
{
	put_file("file", 1, 200000);
	settle();
	OK(truncate("file", 100));
	int fd = OK(open("file", O_WRONLY));
	put_at(fd, 2, 150000, 10);
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, 100);
	CHECK_ZERO(fd, 100, 149900);
	CHECK_AT(fd, 2, 150000, 10);
	OK(close(fd));
}

static void direct(void)
{
	enum { SIZE = 1 << 20 };
	uint8_t *block, *want = malloc(SIZE);
	CHECK(!posix_memalign((void **)&block, 4096, SIZE) && want);
	int fd = open("file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	if (fd < 0 && errno == EINVAL)
		SKIP("no O_DIRECT here");
	OK(fd);
	fill(block, SIZE, 5, 0);
	CHECK_INT(pwrite(fd, block, SIZE, 0), SIZE);
	memset(block, 0, SIZE);
	CHECK_INT(pread(fd, block, SIZE, 0), SIZE);
	fill(want, SIZE, 5, 0);
	CHECK(!memcmp(block, want, SIZE));
	OK(close(fd));
	settle();
	CHECK_FILE("file", 5, SIZE);
	fd = OK(open("file", O_RDONLY | O_DIRECT));
	CHECK_INT(pread(fd, block, 8192, 65536), 8192);
	CHECK(!memcmp(block, want + 65536, 8192));
	OK(close(fd));
	/* A cached and a direct descriptor see each other's bytes. */
	int cached = OK(open("file", O_RDWR)), raw = OK(open("file", O_RDWR | O_DIRECT));
	put_at(cached, 6, 4096, 4096);
	CHECK_INT(pread(raw, block, 8192, 4096), 8192);
	fill(want, SIZE, 6, 0);
	CHECK(!memcmp(block, want + 4096, 4096));
	fill(block, 4096, 7, 8192);
	CHECK_INT(pwrite(raw, block, 4096, 8192), 4096);
	CHECK_AT(cached, 7, 8192, 4096);
	OK(close(raw));
	OK(close(cached));
}

static void synced_writes(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT | O_SYNC, 0600));
	put_at(fd, 1, 0, 10000);
	OK(fsync(fd));
	OK(fdatasync(fd));
	OK(close(fd));
	int dir = OK(open(".", O_RDONLY));
	OK(fsync(dir));
	OK(syncfs(dir));
	OK(close(dir));
	fd = OK(open("file", O_RDONLY));
	OK(fsync(fd));
	settle();
	CHECK_FILE("file", 1, 10000);
	OK(fsync(fd));
}

static void sends(void)
{
	put_file("in", 1, 300000);
	settle();
	int in = OK(open("in", O_RDONLY)), out = OK(open("out", O_WRONLY | O_CREAT, 0600));
	for (size_t left = 300000; left;)
		left -= (size_t)OK(sendfile(out, in, NULL, left));
	OK(close(out));
	settle();
	CHECK_FILE("out", 1, 300000);
}

/* Small writes at odd places, as a zip writer that goes back to fix its headers does. */
static void seeks_back(void)
{
	enum { PARTS = 40, PART = 50021 };
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < PARTS; i++) {
		put_at(fd, 1, (uint64_t)i * PART + 30, PART - 30);
		put_at(fd, 2, (uint64_t)i * PART, 30);
	}
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	for (int i = 0; i < PARTS; i++) {
		CHECK_AT(fd, 2, (uint64_t)i * PART, 30);
		CHECK_AT(fd, 1, (uint64_t)i * PART + 30, PART - 30);
	}
	OK(close(fd));
}

static void reads_anywhere(void)
{
	enum { SIZE = 6 << 20 };
	put_file("file", 9, SIZE);
	settle();
	int fd = OK(open("file", O_RDONLY));
	uint64_t x = 12345;
	for (int i = 0; i < 400; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		uint64_t off = (x >> 20) % SIZE;
		size_t len = (x >> 50) % 9000 + 1;
		CHECK_AT(fd, 9, off, off + len > SIZE ? SIZE - off : len);
	}
	OK(close(fd));
}

static void overwritten_often(void)
{
	for (int round = 0; round < 25; round++) {
		size_t len = suite_sizes[(size_t)round % SUITE_SIZES] + (size_t)round;
		put_file("file", (uint64_t)round, len);
		if (round % 3 == 0)
			settle();
		CHECK_FILE("file", (uint64_t)round, len);
	}
}

static void dup_then_close(void)
{
	int fd = OK(open("file", O_WRONLY | O_CREAT, 0600)), again = OK(dup(fd));
	put_at(fd, 1, 0, 100000);
	OK(close(fd));
	settle();
	put_at(again, 2, 100000, 100000);
	OK(close(again));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, 100000);
	CHECK_AT(fd, 2, 100000, 100000);
	OK(close(fd));
}

static void writer_of(void *arg)
{
	settle();
	put_at(*(int *)arg, 4, 0, 200000);
}

/* The parent closes its copy first: the file is not done before the child has. */
static void inherited_descriptor(void)
{
	int fd = OK(open("file", O_WRONLY | O_CREAT, 0600));
	put_at(fd, 3, 0, 300000);
	pid_t pid = spawn(writer_of, &fd);
	OK(close(fd));
	reap(pid);
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 4, 0, 200000);
	CHECK_AT(fd, 3, 200000, 100000);
	OK(close(fd));
}

static const struct suite_case cases[] = {
	{"every_size", every_size, 0},
	{"rewrites_a_part", rewrites_a_part, 0},
	{"reads_at_the_end", reads_at_the_end, 0},
	{"vectors", vectors, 0},
	{"appends", appends, 0},
	{"appends_of_many", appends_of_many, 0},
	{"truncates", truncates, 0},
	{"truncates_an_open_file", truncates_an_open_file, 0},
	{"truncation_forgets", truncation_forgets, 0},
	{"direct", direct, 0},
	{"synced_writes", synced_writes, 0},
	{"sends", sends, 0},
	{"seeks_back", seeks_back, 0},
	{"reads_anywhere", reads_anywhere, 0},
	{"overwritten_often", overwritten_often, 0},
	{"dup_then_close", dup_then_close, 0},
	{"inherited_descriptor", inherited_descriptor, 0},
};
SUITE(cases)
