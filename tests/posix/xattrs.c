/* Extended attributes: values, lists, and every way to be refused. */
#include "suite.h"

#include <sys/xattr.h>

#ifndef ENOATTR
#define ENOATTR ENODATA
#endif

static void set_get_list_remove(void)
{
	char value[256], list[1024];
	put_file("file", 1, 300000);
	settle();
	OK(setxattr("file", "user.colour", "red", 3, 0));
	OK(setxattr("file", "user.empty", "", 0, 0));
	OK(setxattr("file", "user.zero", "a\0b", 3, 0));
	CHECK_INT(getxattr("file", "user.colour", value, sizeof value), 3);
	CHECK(!memcmp(value, "red", 3));
	CHECK_INT(getxattr("file", "user.empty", value, sizeof value), 0);
	CHECK_INT(getxattr("file", "user.zero", value, sizeof value), 3);
	CHECK(!memcmp(value, "a\0b", 3));
	ssize_t len = OK(listxattr("file", list, sizeof list));
	int found = 0;
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		found += !strncmp(p, "user.", 5);
	CHECK_INT(found, 3);
	OK(removexattr("file", "user.colour"));
	FAILS(getxattr("file", "user.colour", value, sizeof value), ENOATTR);
	FAILS(removexattr("file", "user.colour"), ENOATTR);
	settle();
	CHECK_INT(getxattr("file", "user.zero", value, sizeof value), 3);
	CHECK_FILE("file", 1, 300000);
}

static void sizes_are_told(void)
{
	char value[8], list[8];
	put_file("file", 1, 1);
	OK(setxattr("file", "user.ten", "0123456789", 10, 0));
	CHECK_INT(getxattr("file", "user.ten", NULL, 0), 10);
	FAILS(getxattr("file", "user.ten", value, sizeof value), ERANGE);
	CHECK_INT(listxattr("file", NULL, 0), 9);
	FAILS(listxattr("file", list, sizeof list), ERANGE);
}

static void create_and_replace(void)
{
	char value[8] = "";
	put_file("file", 1, 1);
	FAILS(setxattr("file", "user.a", "1", 1, XATTR_REPLACE), ENOATTR);
	OK(setxattr("file", "user.a", "1", 1, XATTR_CREATE));
	FAILS(setxattr("file", "user.a", "2", 1, XATTR_CREATE), EEXIST);
	OK(setxattr("file", "user.a", "3", 1, XATTR_REPLACE));
	CHECK_INT(getxattr("file", "user.a", value, sizeof value), 1);
	CHECK_INT(value[0], '3');
	OK(setxattr("file", "user.a", "longer", 6, 0));
	CHECK_INT(getxattr("file", "user.a", value, sizeof value), 6);
}

static void limits(void)
{
	static char value[XATTR_SIZE_MAX + 1], name[XATTR_NAME_MAX + 2];
	put_file("file", 1, 1);
	FAILS(setxattr("file", "user.big", value, sizeof value, 0), E2BIG);
	memset(name, 'n', sizeof name - 1);
	memcpy(name, "user.", 5);
	FAILS(setxattr("file", name, "x", 1, 0), ERANGE);
	name[XATTR_NAME_MAX] = 0;
	OK(setxattr("file", name, "x", 1, 0));
	CHECK_INT(getxattr("file", name, value, 1), 1);
	fill(value, 2000, 1, 0);
	OK(setxattr("file", "user.large", value, 2000, 0));
	CHECK_INT(getxattr("file", "user.large", NULL, 0), 2000);
}

static void namespaces(void)
{
	char value[8];
	put_file("file", 1, 1);
	FAILS(setxattr("file", "nonsense.a", "x", 1, 0), EOPNOTSUPP);
	FAILS(setxattr("file", "nodot", "x", 1, 0), EOPNOTSUPP);
	FAILS(getxattr("file", "nonsense.a", value, sizeof value), EOPNOTSUPP);
	FAILS(getxattr("absent", "user.a", value, sizeof value), ENOENT);
	need_root();
	OK(setxattr("file", "trusted.a", "x", 1, 0));
	CHECK_INT(getxattr("file", "trusted.a", value, sizeof value), 1);
}

static void special_files(void)
{
	OK(mkfifo("fifo", 0600));
	OK(symlink("nowhere", "link"));
	OK(mkdir("dir", 0700));
	FAILS(setxattr("fifo", "user.a", "x", 1, 0), EPERM);
	FAILS(lsetxattr("link", "user.a", "x", 1, 0), EPERM);
	OK(setxattr("dir", "user.a", "x", 1, 0));
	CHECK_INT(getxattr("dir", "user.a", NULL, 0), 1);
	need_root();
	OK(lsetxattr("link", "trusted.a", "xy", 2, 0));
	CHECK_INT(lgetxattr("link", "trusted.a", NULL, 0), 2);
}

static void follow_the_inode(void)
{
	put_file("a", 1, 10);
	OK(setxattr("a", "user.a", "x", 1, 0));
	OK(link("a", "b"));
	OK(rename("a", "c"));
	CHECK_INT(getxattr("b", "user.a", NULL, 0), 1);
	CHECK_INT(getxattr("c", "user.a", NULL, 0), 1);
	int fd = OK(open("b", O_RDWR));
	OK(unlink("b"));
	OK(unlink("c"));
	CHECK_INT(fgetxattr(fd, "user.a", NULL, 0), 1);
	OK(fsetxattr(fd, "user.b", "xy", 2, 0));
	CHECK_INT(fgetxattr(fd, "user.b", NULL, 0), 2);
	OK(close(fd));
	put_file("a", 1, 10);
	FAILS(getxattr("a", "user.a", NULL, 0), ENOATTR);
}

static void change_the_ctime(void)
{
	put_file("file", 1, 1);
	struct timespec before = stat_of("file").st_ctim, mtime = stat_of("file").st_mtim;
	tick();
	OK(setxattr("file", "user.a", "x", 1, 0));
	CHECK(time_order(stat_of("file").st_ctim, before) > 0);
	CHECK(!time_order(stat_of("file").st_mtim, mtime));
}

static void refused_as(void *arg)
{
	(void)arg;
	char value[8];
	FAILS(setxattr("file", "user.a", "y", 1, 0), EACCES);
	FAILS(removexattr("file", "user.a"), EACCES);
	CHECK_INT(getxattr("file", "user.a", value, sizeof value), 1);
	FAILS(getxattr("secret", "user.a", value, sizeof value), EACCES);
	FAILS(setxattr("mine", "trusted.a", "x", 1, 0), EPERM);
	FAILS(getxattr("mine", "trusted.a", value, sizeof value), ENOATTR);
	OK(setxattr("mine", "user.a", "x", 1, 0));
}

static void need_permission(void)
{
	need_root();
	put_file("file", 1, 1);
	put_file("secret", 1, 1);
	put_file("mine", 1, 1);
	OK(setxattr("file", "user.a", "x", 1, 0));
	OK(setxattr("secret", "user.a", "x", 1, 0));
	OK(chmod("secret", 0600));
	OK(chown("mine", NOBODY, NOBODY));
	as_user(NOBODY, refused_as, NULL);
}

static void many(void)
{
	char name[64], list[8192];
	put_file("file", 1, 1);
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "user.number%d", i);
		OK(setxattr("file", name, name, strlen(name), 0));
	}
	ssize_t len = OK(listxattr("file", list, sizeof list));
	int found = 0;
	for (char *p = list; p < list + len; p += strlen(p) + 1)
		found += !strncmp(p, "user.number", 11);
	CHECK_INT(found, 60);
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "user.number%d", i);
		OK(removexattr("file", name));
	}
}

static const struct suite_case cases[] = {
	{"set_get_list_remove", set_get_list_remove, 0},
	{"sizes_are_told", sizes_are_told, 0},
	{"create_and_replace", create_and_replace, 0},
	{"limits", limits, 0},
	{"namespaces", namespaces, 0},
	{"special_files", special_files, 0},
	{"follow_the_inode", follow_the_inode, 0},
	{"change_the_ctime", change_the_ctime, 0},
	{"need_permission", need_permission, 0},
	{"many", many, 0},
};
SUITE(cases)
