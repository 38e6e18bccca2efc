/* What is there after $MITHRIL_REMOUNT is what was there before: content, names, attributes, lists. */
#include "suite.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void contents(void)
{
	char name[32];
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < SUITE_SIZES; i++) {
			snprintf(name, sizeof name, "%d.%zu", round, i);
			put_file(name, i, suite_sizes[i]);
		}
		if (!round)
			settle();
	}
	remount();
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < SUITE_SIZES; i++) {
			snprintf(name, sizeof name, "%d.%zu", round, i);
			CHECK_FILE(name, i, suite_sizes[i]);
		}
	settle();
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < SUITE_SIZES; i++) {
			snprintf(name, sizeof name, "%d.%zu", round, i);
			CHECK_FILE(name, i, suite_sizes[i]);
		}
}

static void attributes(void)
{
	struct timespec set[2] = {{1234567890, 123456789}, {987654321, 987654321}};
	static const char *const paths[] = {"file", "staged", "inline", "dir", "fifo", "link"};
	struct stat before[6], after;

	put_file("file", 1, 300000);
	settle();
	put_file("staged", 2, 300000);
	put_file("inline", 3, 10);
	OK(mkdir("dir", 0751));
	OK(mkfifo("fifo", 0640));
	OK(symlink("some/where", "link"));
	OK(link("file", "hard"));
	for (int i = 0; i < 6; i++) {
		if (geteuid() == 0)
			OK(lchown(paths[i], 1000 + (uid_t)i, 2000));
		OK(utimensat(AT_FDCWD, paths[i], set, AT_SYMLINK_NOFOLLOW));
		before[i] = stat_of(paths[i]);
	}
	OK(setxattr("file", "user.a", "value", 5, 0));
	before[0] = stat_of("file");
	remount();
	for (int i = 0; i < 6; i++) {
		after = stat_of(paths[i]);
		CHECK_INT(after.st_ino, before[i].st_ino);
		CHECK_INT(after.st_mode, before[i].st_mode);
		CHECK_INT(after.st_nlink, before[i].st_nlink);
		CHECK_INT(after.st_uid, before[i].st_uid);
		CHECK_INT(after.st_gid, before[i].st_gid);
		CHECK_INT(after.st_size, before[i].st_size);
		CHECK(!time_order(after.st_mtim, before[i].st_mtim));
		CHECK(!time_order(after.st_ctim, before[i].st_ctim));
	}
	char text[64] = "";
	CHECK_INT(getxattr("file", "user.a", text, sizeof text), 5);
	CHECK_INT(readlink("link", text, sizeof text), 10);
	CHECK(!memcmp(text, "some/where", 10));
	CHECK_INT(stat_of("hard").st_ino, stat_of("file").st_ino);
}

static void names(void)
{
	char name[64];
	struct dirent *e;
	int found = 0;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof name, "n%d", i);
		put_file(name, (uint64_t)i, 100);
	}
	for (int i = 0; i < 500; i += 2) {
		char to[64];
		snprintf(name, sizeof name, "n%d", i);
		snprintf(to, sizeof to, "moved%d", i);
		if (i % 4)
			OK(unlink(name));
		else
			OK(rename(name, to));
	}
	remount();
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir))) {
		int n;
		if (e->d_name[0] == '.')
			continue;
		if (sscanf(e->d_name, "n%d", &n) == 1)
			CHECK(n % 2);
		else
			CHECK(sscanf(e->d_name, "moved%d", &n) == 1 && n % 4 == 0);
		CHECK_FILE(e->d_name, (uint64_t)n, 100);
		found++;
	}
	closedir(dir);
	CHECK_INT(found, 375);
}

static void rewritten_many_times(void)
{
	for (uint64_t round = 0; round < 5; round++) {
		put_file("file", round, 100000 + 50000 * round);
		if (round & 1)
			settle();
		remount();
		CHECK_FILE("file", round, 100000 + 50000 * round);
		int fd = OK(open("file", O_WRONLY | O_APPEND));
		CHECK_INT(write(fd, "x", 1), 1);
		OK(close(fd));
		remount();
		CHECK_INT(SIZE_OF("file"), 100001 + 50000 * (long long)round);
	}
}

static void numbers_are_not_reused(void)
{
	put_file("a", 1, 1);
	uint64_t ino = stat_of("a").st_ino;
	remount();
	put_file("b", 1, 1);
	CHECK(stat_of("b").st_ino != ino);
	CHECK_INT(stat_of("a").st_ino, ino);
}

static const struct suite_case cases[] = {
	{"contents", contents, 0},
	{"attributes", attributes, 0},
	{"names", names, 0},
	{"rewritten_many_times", rewritten_many_times, 0},
	{"numbers_are_not_reused", numbers_are_not_reused, 0},
};
SUITE(cases)
