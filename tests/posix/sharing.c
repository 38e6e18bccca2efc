/* One file, several openers in different modes, and the file's state changing under them. */
#include "suite.h"

#include <pthread.h>

#define LEN 300000

static void reader_sees_a_writer(void)
{
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i];
		put_file("file", 1, len);
		settle();
		int reader = OK(open("file", O_RDONLY));
		CHECK_AT(reader, 1, 0, len);
		int writer = OK(open("file", O_RDWR));
		put_at(writer, 2, 0, len);
		CHECK_AT(reader, 2, 0, len);
		put_at(writer, 3, len, 5000);
		CHECK_AT(reader, 3, len, 5000);
		CHECK_INT(lseek(reader, 0, SEEK_END), (long long)len + 5000);
		OK(close(writer));
		CHECK_AT(reader, 2, 0, len);
		settle();
		CHECK_AT(reader, 2, 0, len);
		CHECK_AT(reader, 3, len, 5000);
		OK(close(reader));
	}
}

static void reader_over_an_encode(void)
{
	put_file("file", 1, LEN);
	int reader = OK(open("file", O_RDONLY));
	for (uint64_t round = 2; round < 8; round++) {
		settle();
		int writer = OK(open("file", round & 1 ? O_WRONLY : O_RDWR));
		put_at(writer, round, 1000, LEN - 1000);
		OK(close(writer));
		CHECK_AT(reader, round, 1000, LEN - 1000);
		settle();
		CHECK_AT(reader, round, 1000, LEN - 1000);
		CHECK_AT(reader, 1, 0, 1000);
	}
	OK(close(reader));
}

static void two_writers(void)
{
	put_file("file", 1, LEN);
	settle();
	int one = OK(open("file", O_RDWR)), two = OK(open("file", O_WRONLY)),
	    three = OK(open("file", O_RDONLY));
	put_at(one, 2, 0, 100000);
	put_at(two, 3, 50000, 100000);
	CHECK_AT(one, 2, 0, 50000);
	CHECK_AT(one, 3, 50000, 100000);
	OK(close(one));
	settle();
	put_at(two, 4, 0, 1000);
	CHECK_AT(three, 4, 0, 1000);
	OK(close(two));
	settle();
	CHECK_AT(three, 4, 0, 1000);
	CHECK_AT(three, 2, 1000, 49000);
	CHECK_AT(three, 3, 50000, 100000);
	CHECK_AT(three, 1, 150000, LEN - 150000);
	OK(close(three));
}

static void truncated_under_a_reader(void)
{
	char byte;
	for (int state = 0; state < 2; state++) {
		put_file("file", 1, LEN);
		if (state)
			settle();
		int reader = OK(open("file", O_RDONLY));
		CHECK_AT(reader, 1, 0, LEN);
		int writer = OK(open("file", O_WRONLY | O_TRUNC));
		CHECK_INT(pread(reader, &byte, 1, 0), 0);
		put_at(writer, 2, 0, 100);
		CHECK_AT(reader, 2, 0, 100);
		CHECK_INT(pread(reader, &byte, 1, 100), 0);
		OK(close(writer));
		settle();
		CHECK_AT(reader, 2, 0, 100);
		CHECK_INT(pread(reader, &byte, 1, 100), 0);
		OK(truncate("file", 50));
		CHECK_INT(pread(reader, &byte, 1, 50), 0);
		OK(close(reader));
	}
}

static void opened_while_written(void)
{
	int writer = OK(open("file", O_WRONLY | O_CREAT, 0600));
	for (uint64_t i = 0; i < 30; i++) {
		put_at(writer, 1, i * 20000, 20000);
		int reader = OK(open("file", O_RDONLY));
		CHECK_AT(reader, 1, 0, (size_t)(i + 1) * 20000);
		OK(close(reader));
		if (i % 10 == 0)
			settle();
	}
	OK(close(writer));
	settle();
	CHECK_FILE("file", 1, 600000);
}

static void reader_of(void *arg)
{
	(void)arg;
	CHECK_FILE("file", 1, LEN);
}

static void visible_elsewhere_at_once(void)
{
	int fd = OK(open("file", O_WRONLY | O_CREAT, 0600));
	put_at(fd, 1, 0, LEN);
	reap(spawn(reader_of, NULL)); /* before close */
	OK(close(fd));
	reap(spawn(reader_of, NULL));
	settle();
	reap(spawn(reader_of, NULL));
}

static void writer_of_own_file(void *arg)
{
	char name[32];
	int who = *(int *)arg;
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "p%d.%d", who, i % 5);
		put_file(name, (uint64_t)(who * 100 + i), 1000u * (unsigned)(i + 1));
		CHECK_FILE(name, (uint64_t)(who * 100 + i), 1000u * (unsigned)(i + 1));
		if (i % 10 == 9)
			settle();
	}
}

static void many_processes(void)
{
	pid_t pids[4];
	for (int i = 0; i < 4; i++)
		pids[i] = spawn(writer_of_own_file, &i);
	for (int i = 0; i < 4; i++)
		reap(pids[i]);
}

struct part {
	int fd;
	uint64_t off;
};

static void *write_part(void *arg)
{
	struct part *part = arg;
	for (uint64_t i = 0; i < 20; i++)
		put_at(part->fd, 1, part->off + i * 5000, 5000);
	return NULL;
}

static void threads_write_parts(void)
{
	pthread_t threads[6];
	struct part parts[6];
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	for (int i = 0; i < 6; i++) {
		parts[i] = (struct part){fd, (uint64_t)i * 100000};
		CHECK(!pthread_create(&threads[i], NULL, write_part, &parts[i]));
	}
	for (int i = 0; i < 6; i++)
		CHECK(!pthread_join(threads[i], NULL));
	OK(close(fd));
	settle();
	CHECK_FILE("file", 1, 600000);
}

static void opener(void *arg)
{
	int who = *(int *)arg;
	for (int i = 0; i < 60; i++) {
		int fd = OK(open("file", who == 0 ? O_RDWR : who == 1 ? O_WRONLY : O_RDONLY));
		if (who < 2)
			put_at(fd, 1, (uint64_t)(i * 4096 % LEN), 4096);
		else
			CHECK_AT(fd, 1, 0, LEN); /* rewritten with what it was: always the same */
		OK(close(fd));
		if (i % 20 == who)
			settle();
	}
}

/* Readers and writers open and close without rest, so each opener meets the file in every state. */
static void mixed_openers(void)
{
	pid_t pids[4];
	put_file("file", 1, LEN + 8192);
	for (int i = 0; i < 4; i++)
		pids[i] = spawn(opener, &i);
	for (int i = 0; i < 4; i++)
		reap(pids[i]);
	settle();
	CHECK_FILE("file", 1, LEN + 8192);
}

static void reopened_by_descriptor(void)
{
	char path[64];
	put_file("file", 1, LEN);
	settle();
	int fd = OK(open("file", O_RDONLY));
	OK(unlink("file"));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int writer = OK(open(path, O_RDWR));
	put_at(writer, 2, 0, 1000);
	CHECK_AT(fd, 2, 0, 1000);
	CHECK_AT(fd, 1, 1000, LEN - 1000);
	OK(close(writer));
	OK(close(fd));
}

static const struct suite_case cases[] = {
	{"reader_sees_a_writer", reader_sees_a_writer, 0},
	{"reader_over_an_encode", reader_over_an_encode, 0},
	{"two_writers", two_writers, 0},
	{"truncated_under_a_reader", truncated_under_a_reader, 0},
	{"opened_while_written", opened_while_written, 0},
	{"visible_elsewhere_at_once", visible_elsewhere_at_once, 0},
	{"many_processes", many_processes, 0},
	{"threads_write_parts", threads_write_parts, 0},
	{"mixed_openers", mixed_openers, 0},
	{"reopened_by_descriptor", reopened_by_descriptor, 0},
};
SUITE(cases)
