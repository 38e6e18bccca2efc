// links: m_fs
/* Lines of /proc/self/mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>
#include <errno.h>

#include "fs/mountinfo.h"

static void parses(void **state)
{
	struct mountinfo info;

	(void)state;
	assert_int_equal(
		mountinfo_parse("88 25 0:39 / /mnt/my\\040files rw,nosuid shared:1 master:2 - fuse.mithril "
				"/srv/a\\134b,c rw,user_id=0\n",
			&info),
		0);
	assert_true(info.dev == makedev(0, 39));
	assert_string_equal(info.point, "/mnt/my files");
	assert_string_equal(info.type, "fuse.mithril");
	assert_string_equal(info.source, "/srv/a\\b,c");
	assert_int_equal(mountinfo_parse("22 1 254:0 / / rw - ext4 /dev/vda rw\n", &info), 0);
	assert_string_equal(info.point, "/");
	assert_string_equal(info.source, "/dev/vda");
}

static void refuses(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		" - ",
		"88 25 0:39 / /mnt rw\n",
		"88 25 0:39 / /mnt rw - fuse.mithril",
		"88 25 0:39 - fuse a b\n",
		"88 25 / /mnt rw - a b c\n",
	};
	char line[2 * PATH_MAX];
	struct mountinfo info;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_int_equal(mountinfo_parse(lines[i], &info), -EINVAL);
	snprintf(line, sizeof line, "1 2 3:4 / /%0*d rw - a b c\n", PATH_MAX, 0);
	assert_int_equal(mountinfo_parse(line, &info), -ENAMETOOLONG);
}

static void finds_proc(void **state)
{
	struct mountinfo by_point, by_dev;
	struct stat st;

	(void)state;
	assert_int_equal(mountinfo_find("/proc", 0, &by_point), 0);
	assert_string_equal(by_point.type, "proc");
	assert_int_equal(stat("/proc", &st), 0);
	assert_int_equal(mountinfo_find(NULL, st.st_dev, &by_dev), 0);
	assert_string_equal(by_dev.type, "proc");
	assert_int_equal(mountinfo_find("/no/such/mount", 0, &by_dev), -ENOENT);
}

static bool count_two(void *ctx, const struct mountinfo *mount)
{
	assert_string_equal(mount->type, "proc");
	return ++*(int *)ctx < 2;
}

static bool count_none(void *ctx, const struct mountinfo *mount)
{
	(void)mount;
	(*(int *)ctx)++;
	return true;
}

static void lists_a_type(void **state)
{
	int count = 0, none = 0;

	(void)state;
	assert_int_equal(mountinfo_each("proc", count_two, &count), 0);
	assert_in_range(count, 1, 2);
	assert_int_equal(mountinfo_each("no-such-type", count_none, &none), 0);
	assert_int_equal(none, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(finds_proc),
		cmocka_unit_test(lists_a_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
