/* rename(2) and renameat2(2): what is replaced, what is refused, what an observer sees. */
#include "suite.h"

#include <sys/syscall.h>

static int rename_with(const char *from, const char *to, unsigned flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void moves(void)
{
	put_file("a", 1, 300000);
	settle();
	uint64_t ino = stat_of("a").st_ino;
	OK(rename("a", "b"));
	FAILS(lstat("a", &(struct stat){0}), ENOENT);
	CHECK_INT(stat_of("b").st_ino, ino);
	settle();
	CHECK_FILE("b", 1, 300000);
	OK(rename("b", "b"));
	OK(mkdir("dir", 0700));
	OK(rename("b", "dir/c"));
	CHECK_FILE("dir/c", 1, 300000);
	OK(rename("dir", "other"));
	CHECK_FILE("other/c", 1, 300000);
	FAILS(rename("absent", "x"), ENOENT);
	FAILS(rename("other/c", "absent/x"), ENOENT);
}

static void replaces(void)
{
	struct stat st;
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		put_file("old", 1, suite_sizes[i]);
		put_file("new", 2, 1000);
		settle();
		int fd = OK(open("old", O_RDWR));
		OK(rename("new", "old"));
		CHECK_FILE("old", 2, 1000);
		/* The replaced file lives on in its descriptor. */
		OK(fstat(fd, &st));
		CHECK_INT(st.st_nlink, 0);
		CHECK_AT(fd, 1, 0, suite_sizes[i]);
		put_at(fd, 3, suite_sizes[i], 1000);
		settle();
		CHECK_AT(fd, 1, 0, suite_sizes[i]);
		CHECK_AT(fd, 3, suite_sizes[i], 1000);
		OK(close(fd));
		settle();
		CHECK_FILE("old", 2, 1000);
	}
}

/* The usual way to save: write a temporary, fsync, rename over. */
static void saves(void)
{
	for (int round = 0; round < 12; round++) {
		int fd = OK(open("ckpt.tmp", O_WRONLY | O_CREAT | O_EXCL, 0644));
		put_at(fd, (uint64_t)round, 0, 400000);
		if (round & 1)
			OK(fsync(fd));
		OK(close(fd));
		if (round % 3 == 0)
			settle();
		OK(rename("ckpt.tmp", "ckpt"));
		CHECK_FILE("ckpt", (uint64_t)round, 400000);
	}
	settle();
	CHECK_FILE("ckpt", 11, 400000);
}

static void renamed_while_open(void)
{
	int fd = OK(open("a", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, 200000);
	OK(rename("a", "b"));
	put_at(fd, 1, 200000, 200000);
	CHECK_INT(SIZE_OF("b"), 400000);
	OK(close(fd));
	settle();
	CHECK_FILE("b", 1, 400000);
}

static void noreplace(void)
{
	put_file("a", 1, 10);
	put_file("b", 2, 20);
	FAILS(rename_with("a", "b", RENAME_NOREPLACE), EEXIST);
	CHECK_FILE("a", 1, 10);
	CHECK_FILE("b", 2, 20);
	OK(rename_with("a", "c", RENAME_NOREPLACE));
	CHECK_FILE("c", 1, 10);
	OK(mkdir("dir", 0700));
	FAILS(rename_with("c", "dir", RENAME_NOREPLACE), EEXIST);
	FAILS(rename_with("c", "c", RENAME_NOREPLACE), EEXIST);
}

static void exchange(void)
{
	put_file("a", 1, 300000);
	put_file("b", 2, 20);
	settle();
	OK(rename_with("a", "b", RENAME_EXCHANGE));
	settle();
	CHECK_FILE("a", 2, 20);
	CHECK_FILE("b", 1, 300000);
	FAILS(rename_with("a", "absent", RENAME_EXCHANGE), ENOENT);
	FAILS(rename_with("a", "b", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	OK(mkdir("d", 0700));
	put_file("d/in", 3, 30);
	OK(rename_with("a", "d", RENAME_EXCHANGE));
	CHECK_FILE("d", 2, 20);
	CHECK_FILE("a/in", 3, 30);
	OK(mkdir("x", 0700));
	OK(mkdir("x/sub", 0700));
	OK(mkdir("y", 0700));
	put_file("y/file", 4, 40);
	OK(rename_with("x/sub", "y/file", RENAME_EXCHANGE));
	CHECK_FILE("x/sub", 4, 40);
	CHECK_INT(NLINK_OF("x"), 2);
	CHECK_INT(NLINK_OF("y"), 3);
	FAILS(rename_with("y", "y/file", RENAME_EXCHANGE), EINVAL);
}

static void over_directories(void)
{
	OK(mkdir("dir", 0700));
	OK(mkdir("empty", 0700));
	OK(mkdir("full", 0700));
	put_file("dir/a", 1, 10);
	put_file("full/b", 2, 20);
	put_file("file", 3, 30);
	errno = 0;
	CHECK(rename("dir", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	FAILS(rename("file", "empty"), EISDIR);
	FAILS(rename("dir", "file"), ENOTDIR);
	OK(rename("dir", "empty"));
	CHECK_FILE("empty/a", 1, 10);
	FAILS(lstat("dir", &(struct stat){0}), ENOENT);
	FAILS(rename("empty", "empty/below"), EINVAL);
	OK(mkdir("empty/sub", 0700));
	FAILS(rename("empty", "empty/sub/below"), EINVAL);
	errno = 0;
	CHECK(rename("empty/sub", "empty") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	FAILS(rename("empty/.", "x"), EBUSY);
	FAILS(rename("empty/..", "x"), EBUSY);
}

static void parents_follow(void)
{
	char cwd[PATH_MAX];
	OK(mkdir("a", 0700));
	OK(mkdir("b", 0700));
	OK(mkdir("a/sub", 0700));
	CHECK_INT(NLINK_OF("a"), 3);
	OK(rename("a/sub", "b/sub"));
	CHECK_INT(NLINK_OF("a"), 2);
	CHECK_INT(NLINK_OF("b"), 3);
	CHECK_INT(stat_of("b/sub/..").st_ino, stat_of("b").st_ino);
	OK(chdir("b/sub"));
	OK(rename("../../b", "../../c"));
	CHECK(getcwd(cwd, sizeof cwd) && strstr(cwd, "/c/sub"));
	CHECK_INT(stat_of("..").st_ino, stat_of("../../c").st_ino);
}

static void same_file_twice(void)
{
	put_file("a", 1, 10);
	OK(link("a", "b"));
	OK(rename("a", "b")); /* does nothing, both names stay */
	CHECK_FILE("a", 1, 10);
	CHECK_FILE("b", 1, 10);
	CHECK_INT(NLINK_OF("a"), 2);
}

static void keeps_links(void)
{
	put_file("a", 1, 10);
	put_file("b", 2, 20);
	OK(link("b", "b2"));
	OK(rename("a", "b"));
	CHECK_INT(NLINK_OF("b2"), 1);
	CHECK_FILE("b2", 2, 20);
	OK(symlink("b", "s"));
	OK(rename("s", "t"));
	CHECK(S_ISLNK(stat_of("t").st_mode));
	OK(rename("b2", "t"));
	CHECK_FILE("t", 2, 20);
	CHECK_FILE("b", 1, 10);
}

static void watcher(void *arg)
{
	int *stop = arg;
	char byte;
	fcntl(*stop, F_SETFL, O_NONBLOCK);
	while (read(*stop, &byte, 1) != 0) {
		uint8_t block[20000], want[20000];
		int fd = OK(open("current", O_RDONLY)); /* never absent */
		CHECK_INT(read(fd, block, sizeof block), sizeof block);
		fill(want, sizeof want, block[0] & 1 ? 5 : 6, 0);
		if (memcmp(block, want, sizeof block)) {
			fill(want, sizeof want, block[0] & 1 ? 6 : 5, 0);
			CHECK(!memcmp(block, want, sizeof block)); /* one version, whole */
		}
		OK(close(fd));
	}
}

static void atomic_to_observers(void)
{
	int ends[2];
	pid_t pids[2];
	put_file("current", 5, 20000);
	OK(pipe(ends));
	for (int i = 0; i < 2; i++) {
		fflush(stdout);
		pids[i] = OK(fork());
		if (!pids[i]) {
			OK(close(ends[1]));
			watcher(&ends[0]);
			_exit(0);
		}
	}
	for (int round = 0; round < 300; round++) {
		put_file("next", round & 1 ? 5 : 6, 20000);
		if (round % 50 == 0)
			settle();
		OK(rename("next", "current"));
	}
	OK(close(ends[1]));
	for (int i = 0; i < 2; i++)
		reap(pids[i]);
}

static void swapper(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++)
		OK(rename_with("a/x", "b/y", RENAME_EXCHANGE));
}

static void mover(void *arg)
{
	(void)arg;
	for (int i = 0; i < 300; i++) {
		OK(rename("b/m", "a/m"));
		OK(rename("a/m", "b/m"));
	}
}

/* Renames between two directories in both directions do not lock each other out. */
static void crossing_renames(void)
{
	OK(mkdir("a", 0700));
	OK(mkdir("b", 0700));
	put_file("a/x", 1, 10);
	put_file("b/y", 2, 20);
	put_file("b/m", 3, 30);
	pid_t one = spawn(swapper, NULL), two = spawn(mover, NULL);
	reap(one);
	reap(two);
	CHECK_FILE("a/x", 1, 10);
	CHECK_FILE("b/m", 3, 30);
}

static const struct suite_case cases[] = {
	{"moves", moves, 0},
	{"replaces", replaces, 0},
	{"saves", saves, 0},
	{"renamed_while_open", renamed_while_open, 0},
	{"noreplace", noreplace, 0},
	{"exchange", exchange, 0},
	{"over_directories", over_directories, 0},
	{"parents_follow", parents_follow, 0},
	{"same_file_twice", same_file_twice, 0},
	{"keeps_links", keeps_links, 0},
	{"atomic_to_observers", atomic_to_observers, 0},
	{"crossing_renames", crossing_renames, 0},
};
SUITE(cases)
