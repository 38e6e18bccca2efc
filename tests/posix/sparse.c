/* Holes: sparse files, SEEK_HOLE and SEEK_DATA, and what fallocate(2) does. */
#include "suite.h"

#include <linux/falloc.h>

#define MIB (1 << 20)

static void writes_far_out(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 5ull << 30, 1000);
	CHECK_INT(lseek(fd, 0, SEEK_END), (5ll << 30) + 1000);
	OK(close(fd));
	settle();
	CHECK_INT(SIZE_OF("file"), (5ll << 30) + 1000);
	CHECK(stat_of("file").st_blocks < 10000);
	fd = OK(open("file", O_RDONLY));
	CHECK_ZERO(fd, 0, MIB);
	CHECK_ZERO(fd, (5ull << 30) - MIB, MIB);
	CHECK_AT(fd, 1, 5ull << 30, 1000);
	OK(close(fd));
}

static void finds_holes(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 8 * MIB, MIB);
	put_at(fd, 1, 24 * MIB, MIB);
	OK(ftruncate(fd, 40 * MIB));
	for (int state = 0; state < 2; state++) {
		off_t data = OK(lseek(fd, 0, SEEK_DATA));
		CHECK(data > 4 * MIB && data <= 8 * MIB);
		CHECK_INT(lseek(fd, 0, SEEK_HOLE), 0);
		CHECK_INT(lseek(fd, 8 * MIB + 17, SEEK_DATA), 8 * MIB + 17);
		off_t hole = OK(lseek(fd, 8 * MIB, SEEK_HOLE));
		CHECK(hole >= 9 * MIB && hole < 13 * MIB);
		data = OK(lseek(fd, hole, SEEK_DATA));
		CHECK(data > 20 * MIB && data <= 24 * MIB);
		FAILS(lseek(fd, 39 * MIB, SEEK_DATA), ENXIO);
		FAILS(lseek(fd, 40 * MIB, SEEK_DATA), ENXIO);
		FAILS(lseek(fd, 40 * MIB, SEEK_HOLE), ENXIO);
		CHECK_INT(lseek(fd, 39 * MIB, SEEK_HOLE), 39 * MIB);
		OK(close(fd));
		settle();
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 8 * MIB, MIB);
		CHECK_ZERO(fd, 9 * MIB, 15 * MIB);
	}
	OK(close(fd));
}

static void seeks_in_small_files(void)
{
	put_file("file", 1, 10);
	put_file("empty", 1, 0);
	settle();
	int fd = OK(open("file", O_RDONLY)), empty = OK(open("empty", O_RDONLY));
	CHECK_INT(lseek(fd, 3, SEEK_DATA), 3);
	CHECK_INT(lseek(fd, 3, SEEK_HOLE), 10);
	FAILS(lseek(fd, 10, SEEK_DATA), ENXIO);
	FAILS(lseek(empty, 0, SEEK_DATA), ENXIO);
	OK(close(fd));
	OK(close(empty));
}

static void only_a_hole(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, 10 * MIB));
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	FAILS(lseek(fd, 0, SEEK_DATA), ENXIO);
	CHECK_INT(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_ZERO(fd, 0, 10 * MIB);
	CHECK(stat_of("file").st_blocks < 2048);
	OK(close(fd));
}

static void fallocate_grows(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, 1000);
	OK(fallocate(fd, 0, 0, 500000));
	CHECK_INT(SIZE_OF("file"), 500000);
	OK(fallocate(fd, 0, 0, 100));
	CHECK_INT(SIZE_OF("file"), 500000);
	CHECK_INT(posix_fallocate(fd, 400000, 200000), 0);
	CHECK_INT(SIZE_OF("file"), 600000);
	OK(close(fd));
	settle();
	CHECK_INT(SIZE_OF("file"), 600000);
	fd = OK(open("file", O_RDWR));
	CHECK_AT(fd, 1, 0, 1000);
	CHECK_ZERO(fd, 1000, 599000);
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	FAILS(fallocate(fd, 0, -1, 10), EINVAL);
	OK(close(fd));
	fd = OK(open("file", O_RDONLY));
	FAILS(fallocate(fd, 0, 0, 10), EBADF);
	OK(close(fd));
}

static void keeps_the_size(void)
{
	put_file("file", 1, 5000);
	settle();
	int fd = OK(open("file", O_RDWR));
	OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, MIB));
	CHECK_INT(SIZE_OF("file"), 5000);
	OK(close(fd));
	settle();
	CHECK_FILE("file", 1, 5000);
}

static void punches(void)
{
	for (int state = 0; state < 2; state++) {
		put_file("file", 1, 4 * MIB);
		if (state)
			settle();
		int fd = OK(open("file", O_RDWR));
		OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MIB + 100, 2 * MIB));
		CHECK_INT(SIZE_OF("file"), 4 * MIB);
		CHECK_ZERO(fd, MIB + 100, 2 * MIB);
		FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
		OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * MIB, MIB));
		CHECK_INT(SIZE_OF("file"), 4 * MIB);
		OK(close(fd));
		settle();
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 0, MIB + 100);
		CHECK_ZERO(fd, MIB + 100, 2 * MIB);
		CHECK_AT(fd, 1, 3 * MIB + 100, MIB - 100);
		off_t hole = OK(lseek(fd, MIB, SEEK_HOLE));
		CHECK(hole > MIB && hole < 2 * MIB);
		OK(close(fd));
	}
}

static void zeroes(void)
{
	for (int state = 0; state < 2; state++) {
		put_file("file", 1, MIB);
		if (state)
			settle();
		int fd = OK(open("file", O_RDWR));
		OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1000, 200000));
		CHECK_ZERO(fd, 1000, 200000);
		OK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, MIB - 10, 1000));
		CHECK_INT(SIZE_OF("file"), MIB);
		OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, MIB, 1000));
		CHECK_INT(SIZE_OF("file"), MIB + 1000);
		OK(close(fd));
		settle();
		fd = OK(open("file", O_RDONLY));
		CHECK_AT(fd, 1, 0, 1000);
		CHECK_ZERO(fd, 1000, 200000);
		CHECK_AT(fd, 1, 201000, MIB - 10 - 201000);
		CHECK_ZERO(fd, MIB - 10, 1010);
		OK(close(fd));
	}
}

static void zero_blocks_read_back(void)
{
	uint8_t *zeros = calloc(1, 2 * MIB);
	CHECK(zeros);
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, 5000);
	CHECK_INT(pwrite(fd, zeros, 2 * MIB, 5000), 2 * MIB);
	put_at(fd, 2, 2 * MIB + 5000, 5000);
	OK(close(fd));
	settle();
	fd = OK(open("file", O_RDONLY));
	CHECK_AT(fd, 1, 0, 5000);
	CHECK_ZERO(fd, 5000, 2 * MIB);
	CHECK_AT(fd, 2, 2 * MIB + 5000, 5000);
	OK(close(fd));
}

static const struct suite_case cases[] = {
	{"writes_far_out", writes_far_out, 0},
	{"finds_holes", finds_holes, 0},
	{"seeks_in_small_files", seeks_in_small_files, 0},
	{"only_a_hole", only_a_hole, 0},
	{"fallocate_grows", fallocate_grows, 0},
	{"keeps_the_size", keeps_the_size, 0},
	{"punches", punches, 0},
	{"zeroes", zeroes, 0},
	{"zero_blocks_read_back", zero_blocks_read_back, 0},
};
SUITE(cases)
