/* Owners, modes, times, permissions; and that encoding a file changes none of them. */
#include "suite.h"

#include <sys/statvfs.h>

static void modes(void)
{
	put_file("file", 1, 300000);
	for (int mode = 0; mode <= 07777; mode += 0111) {
		OK(chmod("file", (mode_t)mode));
		CHECK_INT(MODE_OF("file"), mode);
	}
	OK(chmod("file", 0604));
	settle();
	CHECK_INT(MODE_OF("file"), 0604);
	int fd = OK(open("file", O_RDONLY));
	OK(fchmod(fd, 0640));
	CHECK_INT(MODE_OF("file"), 0640);
	OK(close(fd));
	OK(mkdir("dir", 0700));
	OK(chmod("dir", 01755));
	CHECK_INT(MODE_OF("dir"), 01755);
	FAILS(chmod("absent", 0600), ENOENT);
}

static void owners(void)
{
	need_root();
	put_file("file", 1, 10);
	OK(chown("file", 1, 2));
	CHECK_INT(stat_of("file").st_uid, 1);
	CHECK_INT(stat_of("file").st_gid, 2);
	OK(chown("file", -1, 3));
	CHECK_INT(stat_of("file").st_uid, 1);
	CHECK_INT(stat_of("file").st_gid, 3);
	OK(symlink("file", "link"));
	OK(lchown("link", 5, 6));
	CHECK_INT(stat_of("link").st_uid, 5);
	CHECK_INT(stat_of("file").st_uid, 1);
	OK(chown("file", 4000000000u, 4000000001u));
	settle();
	CHECK_INT(stat_of("file").st_uid, 4000000000u);
	CHECK_INT(stat_of("file").st_gid, 4000000001u);
}

static void chown_clears(void)
{
	need_root();
	put_file("file", 1, 10);
	OK(chmod("file", 06755));
	OK(chown("file", 1, 1));
	CHECK_INT(MODE_OF("file"), 0755);
	OK(chmod("file", 02745 & ~010)); /* not group-executable: set-group-ID stays */
	OK(chown("file", 2, 2));
	CHECK_INT(MODE_OF("file"), 02745 & ~010);
	OK(mkdir("dir", 0755));
	OK(chmod("dir", 06755));
	OK(chown("dir", 1, 1));
	CHECK_INT(MODE_OF("dir"), 06755);
}

static void write_as(void *arg)
{
	int fd = OK(open("file", O_WRONLY));
	if (arg)
		put_at(fd, 2, 0, 4);
	else
		OK(ftruncate(fd, 5));
	OK(close(fd));
}

static void write_clears(void)
{
	need_root();
	for (int state = 0; state < 2; state++) {
		put_file("file", 1, 300000);
		OK(chmod("file", 06777));
		if (state)
			settle();
		write_as("root keeps them");
		CHECK_INT(MODE_OF("file"), 06777);
		as_user(NOBODY, write_as, "write");
		CHECK_INT(MODE_OF("file"), 0777);
		OK(chmod("file", 06777));
		as_user(NOBODY, write_as, NULL);
		CHECK_INT(MODE_OF("file"), 0777);
		settle();
		CHECK_INT(MODE_OF("file"), 0777);
	}
}

static void change_as_owner(void *arg)
{
	(void)arg;
	FAILS(chown("mine", 0, -1), EPERM);
	FAILS(chown("mine", -1, 0), EPERM);
	OK(chown("mine", -1, NOBODY));
	CHECK_INT(MODE_OF("mine"), 0755); /* set-user-ID went */
	OK(chmod("mine", 0600));
	FAILS(chmod("file", 0777), EPERM);
	FAILS(chown("file", NOBODY, NOBODY), EPERM);
	/* Not a member of the group: set-group-ID does not stick. */
	OK(chmod("other_group", 02755));
	CHECK_INT(MODE_OF("other_group"), 0755);
}

static void change_as_user(void)
{
	need_root();
	put_file("file", 1, 1);
	put_file("mine", 1, 1);
	put_file("other_group", 1, 1);
	OK(chown("mine", NOBODY, NOBODY));
	OK(chmod("mine", 04755));
	OK(chown("other_group", NOBODY, 12));
	as_user(NOBODY, change_as_owner, NULL);
}

static void denied_as(void *arg)
{
	(void)arg;
	FAILS(open("secret", O_RDONLY), EACCES);
	FAILS(open("readable", O_WRONLY), EACCES);
	CHECK_FILE("readable", 1, 10);
	FAILS(open("closed/file", O_RDONLY), EACCES);
	FAILS(lstat("closed/file", &(struct stat){0}), EACCES);
	FAILS(open("closed", O_RDONLY | O_DIRECTORY), EACCES);
	FAILS(unlink("shut/file"), EACCES);
	FAILS(open("shut/new", O_WRONLY | O_CREAT, 0600), EACCES);
	FAILS(mkdir("shut/new", 0700), EACCES);
	FAILS(rename("shut/file", "shut/x"), EACCES);
	FAILS(link("writable", "shut/x"), EACCES);
	FAILS(symlink("x", "shut/x"), EACCES);
	FAILS(truncate("readable", 0), EACCES);
	FAILS(access("readable", W_OK), EACCES);
	FAILS(access("readable", X_OK), EACCES);
	OK(access("readable", R_OK));
	FAILS(execl("./readable", "readable", NULL), EACCES);
	FAILS(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
	FAILS(utimensat(AT_FDCWD, "writable", (struct timespec[]){{1, 0}, {1, 0}}, 0), EPERM);
	OK(utimensat(AT_FDCWD, "writable", NULL, 0));
	/* Search without read: no listing, but names work. */
	CHECK_FILE("searchable/file", 1, 10);
	FAILS(open("searchable", O_RDONLY | O_DIRECTORY), EACCES);
}

static void permissions_hold(void)
{
	need_root();
	OK(mkdir("closed", 0700));
	OK(mkdir("shut", 0755));
	OK(mkdir("searchable", 0711));
	put_file("secret", 1, 10);
	OK(chmod("secret", 0600));
	put_file("readable", 1, 10);
	put_file("writable", 1, 10);
	OK(chmod("writable", 0666));
	put_file("closed/file", 1, 10);
	put_file("shut/file", 1, 10);
	put_file("searchable/file", 1, 10);
	as_user(NOBODY, denied_as, NULL);
}

static void read_as_member(void *arg)
{
	(void)arg;
	gid_t group = 777;
	OK(setgroups(1, &group));
	OK(setresgid(NOBODY, NOBODY, NOBODY));
	OK(setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_FILE("file", 1, 10);
	FAILS(open("file", O_WRONLY), EACCES);
}

static void group_permission(void)
{
	need_root();
	put_file("file", 1, 10);
	OK(chown("file", 0, 777));
	OK(chmod("file", 0640));
	reap(spawn(read_as_member, NULL));
}

static void times_to_the_nanosecond(void)
{
	struct timespec set[2] = {{1234567890, 123456789}, {987654321, 987654321}};
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		put_file("file", 1, suite_sizes[i]);
		OK(utimensat(AT_FDCWD, "file", set, 0));
		for (int state = 0; state < 2; state++) {
			CHECK(!time_order(stat_of("file").st_atim, set[0]));
			CHECK(!time_order(stat_of("file").st_mtim, set[1]));
			settle();
		}
	}
	OK(mkdir("dir", 0700));
	OK(utimensat(AT_FDCWD, "dir", set, 0));
	CHECK(!time_order(stat_of("dir").st_mtim, set[1]));
	OK(symlink("x", "link"));
	OK(utimensat(AT_FDCWD, "link", set, AT_SYMLINK_NOFOLLOW));
	CHECK(!time_order(stat_of("link").st_mtim, set[1]));
	struct timespec odd[2] = {{-5, 1}, {8000000000, 999999999}};
	OK(utimensat(AT_FDCWD, "file", odd, 0));
	CHECK(!time_order(stat_of("file").st_atim, odd[0]));
	CHECK(!time_order(stat_of("file").st_mtim, odd[1]));
}

static void now_and_omit(void)
{
	struct timespec set[2] = {{1000, 1}, {2000, 2}}, before, now;
	put_file("file", 1, 10);
	OK(utimensat(AT_FDCWD, "file", set, 0));
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{0, UTIME_OMIT}, {3000, 3}}, 0));
	CHECK(!time_order(stat_of("file").st_atim, set[0]));
	CHECK_INT(stat_of("file").st_mtim.tv_nsec, 3);
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{4000, 4}, {0, UTIME_OMIT}}, 0));
	CHECK_INT(stat_of("file").st_atim.tv_sec, 4000);
	CHECK_INT(stat_of("file").st_mtim.tv_sec, 3000);
	struct timespec ctime = stat_of("file").st_ctim;
	tick();
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{0, UTIME_OMIT}, {0, UTIME_OMIT}}, 0));
	CHECK(!time_order(stat_of("file").st_ctim, ctime));
	clock_gettime(CLOCK_REALTIME, &before);
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{0, UTIME_NOW}, {0, UTIME_NOW}}, 0));
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK(stat_of("file").st_mtim.tv_sec >= before.tv_sec - 1);
	CHECK(stat_of("file").st_mtim.tv_sec <= now.tv_sec);
	CHECK(stat_of("file").st_atim.tv_sec >= before.tv_sec - 1);
	CHECK(stat_of("file").st_atim.tv_sec <= now.tv_sec);
	CHECK(time_order(stat_of("file").st_ctim, ctime) > 0);
	FAILS(utimensat(AT_FDCWD, "file", (struct timespec[]){{0, 1000000000}, {0, 0}}, 0), EINVAL);
	int fd = OK(open("file", O_RDONLY));
	OK(futimens(fd, set));
	CHECK(!time_order(stat_of("file").st_mtim, set[1]));
	OK(close(fd));
}

/* A time set on a descriptor that was written to stays: cp -p, tar and rsync do this. */
static void times_after_write(void)
{
	struct timespec set[2] = {{1000, 1}, {2000, 2}};
	for (size_t i = 0; i < SUITE_SIZES; i++) {
		int fd = OK(open("file", O_WRONLY | O_CREAT | O_TRUNC, 0600));
		put_at(fd, 1, 0, suite_sizes[i]);
		OK(futimens(fd, set));
		OK(close(fd));
		CHECK(!time_order(stat_of("file").st_mtim, set[1]));
		settle();
		CHECK(!time_order(stat_of("file").st_mtim, set[1]));
	}
}

static struct timespec mtime_after(void (*act)(void))
{
	OK(utimensat(AT_FDCWD, "file", (struct timespec[]){{1000, 0}, {1000, 0}}, 0));
	struct timespec ctime = stat_of("file").st_ctim;
	tick();
	act();
	CHECK(time_order(stat_of("file").st_ctim, ctime) > 0);
	return stat_of("file").st_mtim;
}

static void act_write(void)
{
	int fd = OK(open("file", O_WRONLY));
	put_at(fd, 2, 3, 3);
	OK(close(fd));
}

static void act_truncate(void)
{
	OK(truncate("file", 7));
}

static void act_open_truncate(void)
{
	OK(close(OK(open("file", O_WRONLY | O_TRUNC))));
}

static void act_chmod(void)
{
	OK(chmod("file", 0611));
}

static void act_link(void)
{
	OK(link("file", "link"));
}

static void act_unlink(void)
{
	OK(unlink("link"));
}

static void act_rename(void)
{
	OK(rename("file", "x"));
	OK(rename("x", "file"));
}

static void times_move_as_they_should(void)
{
	void (*const changes[])(void) = {act_write, act_truncate, act_open_truncate},
		     (*const keeps[])(void) = {act_chmod, act_link, act_unlink, act_rename};
	for (size_t state = 0; state < 2; state++) {
		put_file("file", 1, 300000);
		settle();
		for (size_t i = 0; i < 3; i++)
			CHECK(mtime_after(changes[i]).tv_sec > 1000);
		for (size_t i = 0; i < 4; i++)
			CHECK_INT(mtime_after(keeps[i]).tv_sec, 1000);
	}
}

static void directory_times(void)
{
	OK(mkdir("dir", 0700));
	struct timespec last = stat_of("dir").st_mtim;
	for (int step = 0; step < 5; step++) {
		tick();
		if (step == 0)
			put_file("dir/a", 1, 1);
		else if (step == 1)
			OK(rename("dir/a", "dir/b"));
		else if (step == 2)
			OK(mkdir("dir/d", 0700));
		else if (step == 3)
			OK(unlink("dir/b"));
		else
			OK(rmdir("dir/d"));
		CHECK(time_order(stat_of("dir").st_mtim, last) > 0);
		CHECK(!time_order(stat_of("dir").st_mtim, stat_of("dir").st_ctim));
		last = stat_of("dir").st_mtim;
	}
}

/* Encoding happens behind the user's back: what stat(2) shows stays. */
static void encoding_is_invisible(void)
{
	put_file("file", 1, 3 << 20);
	int fd = OK(open("file", O_RDONLY));
	struct stat before = stat_of("file"), after;
	tick();
	settle();
	after = stat_of("file");
	CHECK_INT(after.st_ino, before.st_ino);
	CHECK_INT(after.st_dev, before.st_dev);
	CHECK_INT(after.st_size, before.st_size);
	CHECK_INT(after.st_mode, before.st_mode);
	CHECK_INT(after.st_nlink, before.st_nlink);
	CHECK(!time_order(after.st_mtim, before.st_mtim));
	CHECK(!time_order(after.st_ctim, before.st_ctim));
	OK(fstat(fd, &after));
	CHECK_INT(after.st_ino, before.st_ino);
	CHECK_AT(fd, 1, 0, 3 << 20);
	OK(close(fd));
}

/* The size and the blocks are right at once, while a file grows through an open descriptor. */
static void size_while_written(void)
{
	int fd = OK(open("file", O_WRONLY | O_CREAT, 0600));
	for (int i = 0; i < 50; i++) {
		put_at(fd, 1, (uint64_t)i * 10000, 10000);
		CHECK_INT(SIZE_OF("file"), (i + 1) * 10000);
	}
	OK(fsync(fd));
	CHECK(stat_of("file").st_blocks * 512ll >= 400000);
	OK(close(fd));
	CHECK_INT(SIZE_OF("file"), 500000);
	CHECK(stat_of("file").st_blksize >= 512);
}

static void statfs_is_sane(void)
{
	struct statvfs fs;
	put_file("file", 1, 10);
	OK(statvfs("file", &fs));
	CHECK(fs.f_bsize >= 512 && fs.f_frsize >= 512);
	CHECK(fs.f_blocks > 0 && fs.f_bfree <= fs.f_blocks && fs.f_bavail <= fs.f_bfree);
	CHECK_INT(fs.f_namemax, 255);
	CHECK(fs.f_files > 0 && fs.f_ffree <= fs.f_files);
	CHECK(!(fs.f_flag & (ST_RDONLY | ST_NOEXEC)));
	int fd = OK(open("file", O_RDONLY));
	OK(fstatvfs(fd, &fs));
	OK(close(fd));
}

static const struct suite_case cases[] = {
	{"modes", modes, 0},
	{"owners", owners, 0},
	{"chown_clears", chown_clears, 0},
	{"write_clears", write_clears, 0},
	{"change_as_user", change_as_user, 0},
	{"permissions_hold", permissions_hold, 0},
	{"group_permission", group_permission, 0},
	{"times_to_the_nanosecond", times_to_the_nanosecond, 0},
	{"now_and_omit", now_and_omit, 0},
	{"times_after_write", times_after_write, 0},
	{"times_move_as_they_should", times_move_as_they_should, 0},
	{"directory_times", directory_times, 0},
	{"encoding_is_invisible", encoding_is_invisible, 0},
	{"size_while_written", size_while_written, 0},
	{"statfs_is_sane", statfs_is_sane, 0},
};
SUITE(cases)
