/* Directories: mkdir and rmdir, walks that stay right while entries come and go, positions, many entries. */
#include "suite.h"

#include <dirent.h>

static void makes_and_removes(void)
{
	OK(mkdir("dir", 0751));
	CHECK_INT(MODE_OF("dir"), 0751);
	CHECK_INT(NLINK_OF("dir"), 2);
	FAILS(mkdir("dir", 0700), EEXIST);
	OK(mkdir("dir/sub", 0700));
	CHECK_INT(NLINK_OF("dir"), 3);
	errno = 0;
	CHECK(rmdir("dir") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	FAILS(rmdir("dir/sub/."), EINVAL);
	errno = 0;
	CHECK(rmdir("dir/sub/..") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	OK(rmdir("dir/sub"));
	CHECK_INT(NLINK_OF("dir"), 2);
	put_file("dir/file", 1, 1);
	errno = 0;
	CHECK(rmdir("dir") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	OK(unlink("dir/file"));
	OK(rmdir("dir"));
	FAILS(rmdir("dir"), ENOENT);
	CHECK_INT(stat_of("./..").st_ino, stat_of("..").st_ino);
}

static void removed_while_open(void)
{
	struct stat st;
	OK(mkdir("dir", 0700));
	int fd = OK(open("dir", O_RDONLY | O_DIRECTORY));
	OK(rmdir("dir"));
	OK(fstat(fd, &st));
	CHECK_INT(st.st_nlink, 0);
	FAILS(openat(fd, "new", O_WRONLY | O_CREAT, 0600), ENOENT);
	FAILS(mkdirat(fd, "new", 0700), ENOENT);
	DIR *dir = fdopendir(fd);
	CHECK(dir && !readdir(dir));
	closedir(dir);
	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	OK(rmdir("../dir"));
	FAILS(open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
}

static void set_group_id(void)
{
	need_root();
	OK(mkdir("dir", 0755));
	OK(chown("dir", -1, 4242));
	OK(chmod("dir", 02755));
	put_file("dir/file", 1, 1);
	OK(mkdir("dir/sub", 0700));
	OK(symlink("x", "dir/link"));
	OK(mkfifo("dir/fifo", 0600));
	CHECK_INT(stat_of("dir/file").st_gid, 4242);
	CHECK_INT(stat_of("dir/sub").st_gid, 4242);
	CHECK_INT(stat_of("dir/link").st_gid, 4242);
	CHECK_INT(stat_of("dir/fifo").st_gid, 4242);
	CHECK(MODE_OF("dir/sub") & S_ISGID);
	CHECK(!(MODE_OF("dir/file") & S_ISGID));
}

static void remove_in_sticky(void *arg)
{
	(void)arg;
	FAILS(unlink("dir/file"), EPERM);
	FAILS(rename("dir/file", "dir/x"), EPERM);
	put_file("dir/mine", 1, 1);
	OK(unlink("dir/mine"));
}

static void sticky(void)
{
	need_root();
	OK(mkdir("dir", 0700));
	OK(chmod("dir", 01777));
	put_file("dir/file", 1, 1);
	as_user(NOBODY, remove_in_sticky, NULL);
	CHECK_FILE("dir/file", 1, 1);
}

static void types(void)
{
	struct dirent *e;
	int seen = 0;
	put_file("file", 1, 1);
	OK(mkdir("dir", 0700));
	OK(symlink("x", "link"));
	OK(mkfifo("fifo", 0600));
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir))) {
		int want = !strcmp(e->d_name, "file")	? DT_REG
			   : !strcmp(e->d_name, "link") ? DT_LNK
			   : !strcmp(e->d_name, "fifo") ? DT_FIFO
							: DT_DIR;
		CHECK_INT(e->d_type, want);
		if (strcmp(e->d_name, ".."))
			CHECK_INT(e->d_ino, stat_of(e->d_name).st_ino);
		seen++;
	}
	CHECK_INT(seen, 6);
	closedir(dir);
}

#define KEPT 1500

/* Counts each "keepN" it reads; other names are ignored. */
static void count_entry(const struct dirent *e, int *seen)
{
	int n;
	if (sscanf(e->d_name, "keep%d", &n) == 1) {
		CHECK(n >= 0 && n < KEPT);
		seen[n]++;
	}
}

static void make_numbered(const char *prefix, int count)
{
	char name[64];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s%d", prefix, i);
		OK(mknod(name, S_IFREG | 0600, 0));
	}
}

/* What is there throughout is seen exactly once, whatever comes and goes meanwhile. */
static void walk_while_changing(void)
{
	char name[64];
	int seen[KEPT] = {0}, step = 0;
	struct dirent *e;

	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	make_numbered("keep", KEPT);
	make_numbered("gone", KEPT);
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir))) {
		count_entry(e, seen);
		if (step < KEPT) {
			snprintf(name, sizeof name, "gone%d", step);
			OK(unlink(name));
			snprintf(name, sizeof name, "new%d", step);
			OK(mknod(name, S_IFREG | 0600, 0));
			step++;
		}
	}
	closedir(dir);
	for (int i = 0; i < KEPT; i++)
		CHECK_INT(seen[i], 1);
}

static void changer(void *arg)
{
	char a[64], b[64];
	(void)arg;
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < 400; i++) {
			snprintf(a, sizeof a, "%d.r%d", i, round);
			snprintf(b, sizeof b, "%d.done%d", i, round);
			OK(mknod(a, S_IFREG | 0600, 0));
			OK(rename(a, b));
			if (round)
				OK(unlink(b));
		}
}

static void walk_beside_a_changer(void)
{
	int status;
	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	make_numbered("keep", KEPT);
	pid_t pid = spawn(changer, NULL);
	for (bool last = false; !last;) {
		int seen[KEPT] = {0};
		struct dirent *e;
		last = waitpid(pid, &status, WNOHANG) == pid;
		DIR *dir = opendir(".");
		CHECK(dir);
		while ((e = readdir(dir)))
			count_entry(e, seen);
		closedir(dir);
		for (int i = 0; i < KEPT; i++)
			CHECK_INT(seen[i], 1);
	}
	CHECK_INT(status, 0);
}

/* A new walk sees at once what a finished call did, although the kernel may cache the directory. */
static bool listed(const char *wanted)
{
	struct dirent *e;
	bool found = false;
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir)))
		found |= !strcmp(e->d_name, wanted);
	closedir(dir);
	return found;
}

static void walks_are_fresh(void)
{
	make_numbered("other", 50);
	for (int i = 0; i < 20; i++) {
		put_file("x", 1, 1);
		CHECK(listed("x"));
		OK(rename("x", "y"));
		CHECK(!listed("x") && listed("y"));
		OK(link("y", "z"));
		CHECK(listed("z"));
		OK(unlink("y"));
		OK(unlink("z"));
		CHECK(!listed("y") && !listed("z"));
		OK(mkdir("d", 0700));
		CHECK(listed("d"));
		OK(rmdir("d"));
		CHECK(!listed("d"));
	}
}

static void rewinds(void)
{
	struct dirent *e;
	bool found = false;
	DIR *dir = opendir(".");
	CHECK(dir);
	while (readdir(dir))
		continue;
	put_file("late", 1, 1);
	rewinddir(dir);
	while ((e = readdir(dir)))
		found |= !strcmp(e->d_name, "late");
	CHECK(found);
	closedir(dir);
}

static void positions(void)
{
	enum { MOST = 1200 };
	static long at[MOST];
	static char names[MOST][32];
	struct dirent *e;
	int count = 0;

	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	make_numbered("n", 1000);
	DIR *dir = opendir(".");
	CHECK(dir);
	for (;;) {
		long here = telldir(dir);
		e = readdir(dir);
		if (!e)
			break;
		CHECK(count < MOST);
		at[count] = here;
		snprintf(names[count++], sizeof names[0], "%.31s", e->d_name);
	}
	CHECK_INT(count, 1002);
	for (int i = 0; i < count; i++) {
		int k = (i * 379) % count;
		seekdir(dir, at[k]);
		CHECK_INT(telldir(dir), at[k]);
		CHECK((e = readdir(dir)));
		CHECK(!strcmp(e->d_name, names[k]));
		CHECK((e = readdir(dir)) ? k + 1 < count && !strcmp(e->d_name, names[k + 1])
					 : k + 1 == count);
	}
	closedir(dir);
}

/* rm -r: each entry removed as it is read. */
static void emptied_while_read(void)
{
	struct dirent *e;
	int removed = 0;
	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	make_numbered("n", 3000);
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.') {
			OK(unlink(e->d_name));
			removed++;
		}
	closedir(dir);
	CHECK_INT(removed, 3000);
	OK(chdir(".."));
	OK(rmdir("dir"));
}

static void two_walks_at_once(void)
{
	make_numbered("n", 500);
	DIR *a = opendir("."), *b = opendir(".");
	CHECK(a && b);
	int left = 0, right = 0;
	for (bool more = true; more;) {
		bool x = readdir(a) != NULL, y = readdir(b) != NULL;
		left += x;
		right += y;
		more = x || y;
	}
	CHECK_INT(left, 502);
	CHECK_INT(right, 502);
	closedir(a);
	closedir(b);
}

/* $POSIX_ENTRIES entries (20,000 when unset): all seen once, in bounded time. */
static void many_entries(void)
{
	const char *text = getenv("POSIX_ENTRIES");
	int count = text ? atoi(text) : 20000, found = 0, n;
	uint8_t *seen = calloc(1, (size_t)count);
	struct timespec start, end;
	struct dirent *e;

	CHECK(seen && count > 0);
	OK(mkdir("dir", 0700));
	OK(chdir("dir"));
	make_numbered("entry", count);
	clock_gettime(CLOCK_MONOTONIC, &start);
	DIR *dir = opendir(".");
	CHECK(dir);
	while ((e = readdir(dir)))
		if (sscanf(e->d_name, "entry%d", &n) == 1) {
			CHECK(n < count && !seen[n]);
			seen[n] = 1;
			found++;
		}
	closedir(dir);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("# %d entries read in %.2f s\n", found,
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	CHECK_INT(found, count);
	FAILS(open("entryx", O_RDONLY), ENOENT);
	for (int i = 0; i < count; i++) {
		char name[64];
		snprintf(name, sizeof name, "entry%d", i);
		OK(unlink(name));
	}
	OK(chdir(".."));
	OK(rmdir("dir"));
}

static void deep(void)
{
	for (int i = 0; i < 200; i++) {
		OK(mkdir("d", 0700));
		OK(chdir("d"));
	}
	put_file("bottom", 1, 10);
	CHECK_FILE("bottom", 1, 10);
	OK(unlink("bottom"));
	for (int i = 0; i < 200; i++) {
		OK(chdir(".."));
		OK(rmdir("d"));
	}
}

static const struct suite_case cases[] = {
	{"makes_and_removes", makes_and_removes, 0},
	{"removed_while_open", removed_while_open, 0},
	{"set_group_id", set_group_id, 0},
	{"sticky", sticky, 0},
	{"types", types, 0},
	{"walk_while_changing", walk_while_changing, 0},
	{"walk_beside_a_changer", walk_beside_a_changer, 0},
	{"walks_are_fresh", walks_are_fresh, 0},
	{"rewinds", rewinds, 0},
	{"positions", positions, 0},
	{"emptied_while_read", emptied_while_read, 0},
	{"two_walks_at_once", two_walks_at_once, 0},
	{"many_entries", many_entries, 1800},
	{"deep", deep, 0},
};
SUITE(cases)
