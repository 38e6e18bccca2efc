/* copy_file_range(2): whole files and parts, within a file, and copies that do not change with their source.
 */
#include "suite.h"

static void copy_range(int in, off_t from, int out, off_t to, size_t len)
{
	while (len) {
		ssize_t n = OK(copy_file_range(in, &from, out, &to, len, 0));
		CHECK(n > 0);
		len -= (size_t)n;
	}
}

static void whole_files(void)
{
	for (size_t i = 1; i < SUITE_SIZES; i++) {
		size_t len = suite_sizes[i];
		put_file("in", 1, len);
		for (int state = 0; state < 2; state++) {
			int in = OK(open("in", O_RDONLY)),
			    out = OK(open("out", O_RDWR | O_CREAT | O_TRUNC, 0600));
			copy_range(in, 0, out, 0, len);
			CHECK_AT(out, 1, 0, len);
			OK(close(out));
			CHECK_FILE("out", 1, len);
			off_t from = (off_t)len;
			out = OK(open("out", O_WRONLY));
			CHECK_INT(copy_file_range(in, &from, out, NULL, 10, 0), 0); /* at the end */
			OK(close(out));
			OK(close(in));
			settle();
			CHECK_FILE("out", 1, len);
		}
	}
}

static void copies_are_apart(void)
{
	put_file("in", 1, 1 << 20);
	settle();
	int in = OK(open("in", O_RDWR)), out = OK(open("out", O_RDWR | O_CREAT, 0600));
	copy_range(in, 0, out, 0, 1 << 20);
	put_at(in, 2, 0, 1000);
	put_at(out, 3, 5000, 1000);
	OK(close(in));
	OK(close(out));
	settle();
	in = OK(open("in", O_RDONLY));
	out = OK(open("out", O_RDONLY));
	CHECK_AT(in, 2, 0, 1000);
	CHECK_AT(in, 1, 1000, (1 << 20) - 1000);
	CHECK_AT(out, 1, 0, 5000);
	CHECK_AT(out, 3, 5000, 1000);
	CHECK_AT(out, 1, 6000, (1 << 20) - 6000);
	OK(close(in));
	OK(close(out));
	OK(unlink("in"));
	settle();
	CHECK_INT(SIZE_OF("out"), 1 << 20);
}

static void parts(void)
{
	put_file("in", 1, 500000);
	put_file("out", 2, 500000);
	settle();
	int in = OK(open("in", O_RDONLY)), out = OK(open("out", O_RDWR));
	copy_range(in, 100000, out, 100000, 200001);
	copy_range(in, 499000, out, 500000, 1000);
	OK(close(out));
	settle();
	out = OK(open("out", O_RDONLY));
	CHECK_AT(out, 2, 0, 100000);
	CHECK_AT(out, 1, 100000, 200001);
	CHECK_AT(out, 2, 300001, 500000 - 300001);
	CHECK_INT(SIZE_OF("out"), 501000);
	OK(close(out));
	OK(close(in));
}

static void within_a_file(void)
{
	put_file("file", 1, 400000);
	settle();
	int fd = OK(open("file", O_RDWR));
	off_t from = 0, to = 1000;
	FAILS(copy_file_range(fd, &from, fd, &to, 5000, 0), EINVAL); /* overlaps */
	uint8_t *moved = malloc(100000), *want = malloc(100000);
	CHECK(moved && want);
	copy_range(fd, 0, fd, 300000, 100000);
	CHECK_INT(pread(fd, moved, 100000, 300000), 100000);
	fill(want, 100000, 1, 0);
	CHECK(!memcmp(moved, want, 100000));
	CHECK_AT(fd, 1, 0, 300000);
	OK(close(fd));
}

static void to_an_open_writer(void)
{
	put_file("in", 1, 300000);
	settle();
	int in = OK(open("in", O_RDONLY)), out = OK(open("out", O_RDWR | O_CREAT, 0600));
	put_at(out, 2, 0, 10);
	copy_range(in, 0, out, 10, 300000);
	CHECK_INT(SIZE_OF("out"), 300010);
	OK(ftruncate(out, 200000));
	OK(close(out));
	settle();
	CHECK_INT(SIZE_OF("out"), 200000);
	FAILS(copy_file_range(in, NULL, in, NULL, 10, 0), EBADF);
	OK(close(in));
}

/* From a file that is still being written: its bytes so far. */
static void from_an_open_writer(void)
{
	int in = OK(open("in", O_RDWR | O_CREAT, 0600)), out = OK(open("out", O_RDWR | O_CREAT, 0600));
	put_at(in, 1, 0, 300000);
	copy_range(in, 0, out, 0, 300000);
	CHECK_AT(out, 1, 0, 300000);
	OK(close(in));
	OK(close(out));
	settle();
	CHECK_FILE("out", 1, 300000);
}

static const struct suite_case cases[] = {
	{"whole_files", whole_files, 0},
	{"copies_are_apart", copies_are_apart, 0},
	{"parts", parts, 0},
	{"within_a_file", within_a_file, 0},
	{"to_an_open_writer", to_an_open_writer, 0},
	{"from_an_open_writer", from_an_open_writer, 0},
};
SUITE(cases)
