/* Hard links, symbolic links, names that are refused, files that live on without a name. */
#include "suite.h"

static char *repeat(char c, size_t count)
{
	char *text = calloc(1, count + 1);
	CHECK(text);
	return memset(text, c, count);
}

static void hard_links(void)
{
	put_file("a", 1, 300000);
	settle();
	OK(link("a", "b"));
	CHECK_INT(NLINK_OF("a"), 2);
	CHECK_INT(stat_of("a").st_ino, stat_of("b").st_ino);
	FAILS(link("a", "b"), EEXIST);
	FAILS(link("absent", "c"), ENOENT);
	FAILS(link(".", "c"), EPERM);
	int fd = OK(open("b", O_WRONLY));
	put_at(fd, 2, 300000, 1000);
	OK(close(fd));
	settle();
	CHECK_INT(SIZE_OF("a"), 301000);
	OK(unlink("a"));
	FAILS(lstat("a", &(struct stat){0}), ENOENT);
	CHECK_INT(NLINK_OF("b"), 1);
	fd = OK(open("b", O_RDONLY));
	CHECK_AT(fd, 1, 0, 300000);
	CHECK_AT(fd, 2, 300000, 1000);
	OK(close(fd));
	OK(symlink("nowhere", "dangling"));
	OK(link("dangling", "dangling2"));
	CHECK(S_ISLNK(stat_of("dangling2").st_mode));
	CHECK_INT(NLINK_OF("dangling"), 2);
	OK(mkfifo("fifo", 0600));
	OK(link("fifo", "fifo2"));
	CHECK_INT(NLINK_OF("fifo2"), 2);
}

static void many_links(void)
{
	char name[32];
	put_file("file", 1, 10);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "link%d", i);
		OK(link("file", name));
	}
	CHECK_INT(NLINK_OF("file"), 1001);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "link%d", i);
		OK(unlink(name));
	}
	CHECK_INT(NLINK_OF("file"), 1);
	CHECK_FILE("file", 1, 10);
}

static void symbolic_links(void)
{
	char target[5000], *longest = repeat('t', 4095);
	put_file("file", 1, 10);
	OK(symlink("file", "link"));
	CHECK(S_ISLNK(stat_of("link").st_mode));
	CHECK_INT(SIZE_OF("link"), 4);
	CHECK_INT(readlink("link", target, sizeof target), 4);
	CHECK(!memcmp(target, "file", 4));
	CHECK_INT(readlink("link", target, 2), 2);
	FAILS(readlink("file", target, sizeof target), EINVAL);
	CHECK_FILE("link", 1, 10);
	FAILS(symlink("x", "link"), EEXIST);
	FAILS(symlink("", "empty"), ENOENT);
	OK(symlink(longest, "long"));
	settle();
	CHECK_INT(readlink("long", target, sizeof target), 4095);
	CHECK(!memcmp(target, longest, 4095));
	FAILS(open("long", O_RDONLY), ENAMETOOLONG);
	OK(mkdir("dir", 0700));
	OK(symlink("dir", "dirlink"));
	put_file("dirlink/inside", 2, 20);
	CHECK_FILE("dir/inside", 2, 20);
	FAILS(rmdir("dirlink"), ENOTDIR);
	OK(unlink("dirlink"));
	CHECK_FILE("dir/inside", 2, 20);
}

static void loops(void)
{
	OK(symlink("b", "a"));
	OK(symlink("a", "b"));
	OK(symlink("self", "self"));
	FAILS(open("a", O_RDONLY), ELOOP);
	FAILS(open("self", O_WRONLY | O_CREAT, 0600), ELOOP);
	FAILS(mkdir("a/x", 0700), ELOOP);
	FAILS(truncate("a", 0), ELOOP);
	CHECK_INT(NLINK_OF("a"), 1);
}

static void too_long(void)
{
	char *ok = repeat('n', 255), *over = repeat('n', 256);
	put_file(ok, 1, 10);
	CHECK_FILE(ok, 1, 10);
	FAILS(open(over, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
	FAILS(lstat(over, &(struct stat){0}), ENAMETOOLONG);
	FAILS(mkdir(over, 0700), ENAMETOOLONG);
	FAILS(symlink("x", over), ENAMETOOLONG);
	FAILS(link(ok, over), ENAMETOOLONG);
	FAILS(rename(ok, over), ENAMETOOLONG);
	FAILS(unlink(over), ENAMETOOLONG);
	FAILS(rmdir(over), ENAMETOOLONG);
	FAILS(mkfifo(over, 0600), ENAMETOOLONG);
	FAILS(open(repeat('p', 4096), O_RDONLY), ENAMETOOLONG);
	OK(unlink(ok));
}

static void not_directories(void)
{
	put_file("file", 1, 10);
	FAILS(lstat("file/x", &(struct stat){0}), ENOTDIR);
	FAILS(mkdir("file/x", 0700), ENOTDIR);
	FAILS(symlink("x", "file/x"), ENOTDIR);
	FAILS(link("file", "file/x"), ENOTDIR);
	FAILS(unlink("file/x"), ENOTDIR);
	FAILS(rmdir("file"), ENOTDIR);
	FAILS(chdir("file"), ENOTDIR);
	FAILS(lstat("file/", &(struct stat){0}), ENOTDIR);
	OK(mkdir("dir", 0700));
	FAILS(unlink("dir"), EISDIR);
	FAILS(open("dir", O_WRONLY), EISDIR);
	FAILS(open("absent/x", O_WRONLY | O_CREAT, 0600), ENOENT);
	FAILS(mkdir("absent/x", 0700), ENOENT);
	FAILS(unlink("absent"), ENOENT);
	FAILS(lstat("", &(struct stat){0}), ENOENT);
}

static void odd_names(void)
{
	static const char *const names[] = {
		" ", "...", "..x", "a\nb", "\xff\xfe", "\xe2\x98\x83", "-rf", "*?[", "a\\b", "\x01"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		put_file(names[i], i, 100 + i);
		CHECK_FILE(names[i], i, 100 + i);
	}
	settle();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		CHECK_FILE(names[i], i, 100 + i);
		OK(unlink(names[i]));
	}
	put_file("Case", 1, 1);
	put_file("case", 2, 2);
	CHECK_FILE("Case", 1, 1);
}

static void negative_lookups(void)
{
	for (int i = 0; i < 50; i++) {
		FAILS(lstat("x", &(struct stat){0}), ENOENT);
		put_file("x", 1, 3);
		CHECK_INT(SIZE_OF("x"), 3);
		OK(unlink("x"));
		FAILS(open("x", O_RDONLY), ENOENT);
		OK(mkdir("x", 0700));
		CHECK(S_ISDIR(stat_of("x").st_mode));
		OK(rmdir("x"));
	}
}

/* Read and write after unlink, in every state. */
static void unlinked_lives_on(void)
{
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		struct stat st;
		size_t len = suite_sizes[i];
		put_file("file", 1, len);
		settle();
		int reader = OK(open("file", O_RDONLY)), writer = OK(open("file", O_RDWR));
		OK(unlink("file"));
		FAILS(open("file", O_RDONLY), ENOENT);
		OK(fstat(reader, &st));
		CHECK_INT(st.st_nlink, 0);
		CHECK_INT(st.st_size, (long long)len);
		CHECK_AT(reader, 1, 0, len);
		put_at(writer, 2, len, 1000);
		settle();
		CHECK_AT(reader, 1, 0, len);
		CHECK_AT(reader, 2, len, 1000);
		OK(ftruncate(writer, 5));
		OK(fstat(reader, &st));
		CHECK_INT(st.st_size, 5);
		OK(fchmod(writer, 0600));
		OK(fsync(writer));
		put_file("file", 3, 50);
		CHECK_FILE("file", 3, 50);
		OK(close(writer));
		settle();
		CHECK_AT(reader, len > 5 ? 1 : 2, 0, len > 5 ? 5 : 0);
		OK(close(reader));
		CHECK_FILE("file", 3, 50);
	}
}

static void unlinked_while_written(void)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	put_at(fd, 1, 0, 100);
	OK(unlink("file"));
	put_at(fd, 1, 100, 500000);
	settle();
	CHECK_AT(fd, 1, 0, 500100);
	OK(close(fd));
}

static void unlinked_descriptor_does_not_link(void)
{
	char path[64];
	put_file("file", 1, 10);
	int fd = OK(open("file", O_RDONLY));
	OK(unlink("file"));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FAILS(linkat(AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW), ENOENT);
	OK(close(fd));
}

static void reader_of_unlinked(void *arg)
{
	char go;
	int *ends = arg, fd = OK(open("file", O_RDONLY));
	CHECK_INT(write(ends[1], "r", 1), 1);
	CHECK_INT(read(ends[2], &go, 1), 1);
	CHECK_AT(fd, 1, 0, 300000);
}

/* The last name goes while another process has the file open. */
static void unlinked_by_another_process(void)
{
	int up[2], down[2];
	char ready;
	put_file("file", 1, 300000);
	settle();
	OK(pipe(up));
	OK(pipe(down));
	int ends[] = {up[0], up[1], down[0]};
	pid_t pid = spawn(reader_of_unlinked, ends);
	CHECK_INT(read(up[0], &ready, 1), 1);
	OK(unlink("file"));
	settle();
	CHECK_INT(write(down[1], "g", 1), 1);
	reap(pid);
}

static const struct suite_case cases[] = {
	{"hard_links", hard_links, 0},
	{"many_links", many_links, 0},
	{"symbolic_links", symbolic_links, 0},
	{"loops", loops, 0},
	{"too_long", too_long, 0},
	{"not_directories", not_directories, 0},
	{"odd_names", odd_names, 0},
	{"negative_lookups", negative_lookups, 0},
	{"unlinked_lives_on", unlinked_lives_on, 0},
	{"unlinked_while_written", unlinked_while_written, 0},
	{"unlinked_descriptor_does_not_link", unlinked_descriptor_does_not_link, 0},
	{"unlinked_by_another_process", unlinked_by_another_process, 0},
};
SUITE(cases)
