// links: m_stage
/* Files that serve again: empty, with times of now, and never while somebody can still see the old bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/spares.h"

struct fixture {
	char dir[64];
	int dir_fd, staging_fd;
	struct spares spares;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	strcpy(f->dir, "test_spares.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY);
	if (mkdirat(f->dir_fd, "staging", 0700))
		return -1;
	f->staging_fd = openat(f->dir_fd, "staging", O_RDONLY | O_DIRECTORY);
	spares_init(&f->spares, f->staging_fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	spares_release(&f->spares);
	close(f->staging_fd);
	close(f->dir_fd);
	snprintf(command, sizeof command, "rm -rf %s", f->dir);
	free(f);
	return system(command);
}

static ino_t ino_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int staged(struct fixture *f, const char *name, size_t size)
{
	int wfd, fd = spares_take(&f->spares, name);
	char *bytes = malloc(size);

	assert_true(fd >= 0);
	memset(bytes, 'x', size);
	wfd = openat(f->staging_fd, name, O_WRONLY);
	assert_int_equal(write(wfd, bytes, size), size);
	close(wfd);
	free(bytes);
	return fd;
}

static bool is_there(struct fixture *f, const char *name)
{
	return !faccessat(f->staging_fd, name, F_OK, 0);
}

static void serves_again(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct fixture *f = *state;
	int fd = staged(f, "a", 5000);
	ino_t ino = ino_of(fd);
	struct stat st;

	futimens(fd, old);
	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_false(is_there(f, "a"));
	fd = spares_take(&f->spares, "b");
	assert_true(fd >= 0);
	assert_int_equal(ino_of(fd), ino);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_mtim.tv_sec > 1000 && st.st_atim.tv_sec > 1000);
	assert_true(is_there(f, "b"));
	close(fd);
}

static void not_while_open(void **state)
{
	struct fixture *f = *state;
	int fd = staged(f, "a", 5000), other = openat(f->staging_fd, "a", O_RDONLY);
	char byte;

	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_false(is_there(f, "a"));
	assert_int_equal(f->spares.count, 0);
	assert_int_equal(pread(other, &byte, 1, 4999), 1);
	close(other);
}

static void not_while_mapped(void **state)
{
	struct fixture *f = *state;
	int fd = staged(f, "a", 5000), other = openat(f->staging_fd, "a", O_RDONLY);
	const char *map = mmap(NULL, 5000, PROT_READ, MAP_SHARED, other, 0);

	close(other);
	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_int_equal(f->spares.count, 0);
	fd = staged(f, "b", 10);
	assert_int_equal(map[4999], 'x');
	close(fd);
	munmap((void *)map, 5000);
}

static void not_the_large(void **state)
{
	struct fixture *f = *state;
	int fd = staged(f, "a", 2 * SPARES_BYTES);

	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_false(is_there(f, "a"));
	assert_int_equal(f->spares.count, 0);
}

static void without_a_descriptor(void **state)
{
	struct fixture *f = *state;
	int other;

	close(staged(f, "a", 10));
	spares_give(&f->spares, "a", -1);
	assert_false(is_there(f, "a"));
	assert_int_equal(f->spares.count, 1);
	other = staged(f, "a", 10);
	spares_give(&f->spares, "a", -1);
	assert_false(is_there(f, "a"));
	assert_int_equal(f->spares.count, 0);
	close(other);
	/* What is gone already is no error. */
	spares_give(&f->spares, "a", -1);
	assert_int_equal(f->spares.count, 0);
}

static void makes_no_second(void **state)
{
	struct fixture *f = *state;

	int fd = staged(f, "a", 10);

	close(staged(f, "b", 10));
	assert_int_equal(spares_take(&f->spares, "b"), -EEXIST);
	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_int_equal(spares_take(&f->spares, "b"), -EEXIST);
}

static void leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int fd = staged(f, "a", 10);

	spares_give(&f->spares, "a", fd);
	close(fd);
	assert_int_equal(f->spares.count, 1);
	/* As after a crash: what lies there is not trusted. */
	spares_init(&f->spares, f->staging_fd);
	assert_int_equal(f->spares.count, 0);
	spares_release(&f->spares);
	assert_int_equal(faccessat(f->dir_fd, "spare", F_OK, 0), -1);
	spares_init(&f->spares, f->staging_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(serves_again, setup, teardown),
		cmocka_unit_test_setup_teardown(not_while_open, setup, teardown),
		cmocka_unit_test_setup_teardown(not_while_mapped, setup, teardown),
		cmocka_unit_test_setup_teardown(not_the_large, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(makes_no_second, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
