// links: m_names m_kv
/* The cache profile and its bound; groups of names that go at once. */
#include "tests/unit/names_world.h"

#include <sys/xattr.h>

static int set(struct world *w, uint64_t ino, const char *name, const char *value)
{
	return names_setxattr(w->names, ino, name, value, strlen(value), 0);
}

static void assert_value(struct world *w, uint64_t ino, const char *name, const char *want)
{
	char value[64];
	ssize_t len = names_getxattr(w->names, ino, name, value, sizeof value);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(value, want, strlen(want));
	assert_int_equal(names_getxattr(w->names, ino, name, NULL, 0), strlen(want));
}

struct seen {
	uint64_t ino[8], max_size[8];
	unsigned count;
};

static int see(void *ctx, uint64_t ino, uint64_t max_size)
{
	struct seen *seen = ctx;

	seen->ino[seen->count] = ino;
	seen->max_size[seen->count++] = max_size;
	return 0;
}

static void test_profile_is_inherited(void **state)
{
	struct world *w = *state;
	uint64_t cache = make(w, NAMES_ROOT, "cache", S_IFDIR | 0755).ino;
	uint64_t before = make(w, cache, "before", S_IFREG | 0644).ino;

	assert_int_equal(set(w, cache, NAMES_PROFILE, "cache"), 0);
	struct inode dir = make(w, cache, "dir", S_IFDIR | 0755);
	struct inode file = make(w, dir.ino, "file", S_IFREG | 0644);
	struct inode pipe = make(w, dir.ino, "pipe", S_IFIFO | 0644);
	assert_int_equal(dir.cache, cache);
	assert_int_equal(get(w, file.ino).cache, cache);
	assert_int_equal(get(w, file.ino).flags, INODE_CACHE);
	assert_int_equal(get(w, file.ino).rdev, 0);
	assert_int_equal(get(w, pipe.ino).cache, 0);
	assert_int_equal(get(w, before).cache, 0);
	assert_value(w, file.ino, NAMES_PROFILE, "cache");
	assert_int_equal(names_getxattr(w->names, before, NAMES_PROFILE, NULL, 0), -ENODATA);
	world_shut(w);
	assert_int_equal(world_open(w), 0);
	assert_int_equal(get(w, file.ino).cache, cache);

	/* A cache of its own within. */
	assert_int_equal(set(w, dir.ino, NAMES_PROFILE, "cache"), 0);
	assert_int_equal(make(w, dir.ino, "second", S_IFREG | 0644).cache, dir.ino);
	/* Out of it again. */
	assert_int_equal(set(w, dir.ino, NAMES_PROFILE, "default"), 0);
	assert_int_equal(make(w, dir.ino, "third", S_IFREG | 0644).cache, 0);
	assert_int_equal(names_removexattr(w->names, cache, NAMES_PROFILE), 0);
	assert_int_equal(names_removexattr(w->names, cache, NAMES_PROFILE), -ENODATA);
	assert_int_equal(make(w, cache, "after", S_IFREG | 0644).cache, 0);
}

static void test_profile_bad_values(void **state)
{
	struct world *w = *state;
	uint64_t dir = make(w, NAMES_ROOT, "dir", S_IFDIR | 0755).ino;
	uint64_t file = make(w, NAMES_ROOT, "file", S_IFREG | 0644).ino;

	assert_int_equal(set(w, dir, NAMES_PROFILE, "cash"), -EINVAL);
	assert_int_equal(set(w, dir, NAMES_PROFILE, ""), -EINVAL);
	assert_int_equal(set(w, file, NAMES_PROFILE, "cache"), -ENOTDIR);
	assert_int_equal(set(w, dir, NAMES_MAX_SIZE, "10"), -EINVAL); /* no cache */
	assert_int_equal(names_setxattr(w->names, dir, NAMES_PROFILE, "cache", 5, XATTR_REPLACE), -ENODATA);
	assert_int_equal(set(w, dir, NAMES_PROFILE, "cache"), 0);
	assert_int_equal(names_setxattr(w->names, dir, NAMES_PROFILE, "cache", 5, XATTR_CREATE), -EEXIST);
	for (const char *const *bad = (const char *const[]){"", "x", "-1", "1X", "1KB2", "99999999999T", " 1",
		     "9223372036854775808", NULL};
		*bad; bad++)
		assert_int_equal(set(w, dir, NAMES_MAX_SIZE, *bad), -EINVAL);
}

static void test_bound(void **state)
{
	struct world *w = *state;
	uint64_t cache = make(w, NAMES_ROOT, "cache", S_IFDIR | 0755).ino;
	struct seen seen = {0};
	char list[128];
	struct inode gone;

	assert_int_equal(set(w, cache, NAMES_PROFILE, "cache"), 0);
	assert_int_equal(names_getxattr(w->names, cache, NAMES_MAX_SIZE, NULL, 0), -ENODATA);
	assert_int_equal(set(w, cache, NAMES_MAX_SIZE, "3K"), 0);
	assert_value(w, cache, NAMES_MAX_SIZE, "3072");
	assert_int_equal(set(w, cache, NAMES_MAX_SIZE, "2MB"), 0);
	assert_value(w, cache, NAMES_MAX_SIZE, "2000000");
	assert_int_equal(set(w, cache, NAMES_MAX_SIZE, "1TiB"), 0);
	assert_value(w, cache, NAMES_MAX_SIZE, "1099511627776");
	assert_int_equal(set(w, cache, "user.mine", "1"), 0);
	assert_int_equal(names_listxattr(w->names, cache, NULL, 0),
		sizeof NAMES_PROFILE + sizeof NAMES_MAX_SIZE + sizeof "user.mine");
	assert_int_equal(names_listxattr(w->names, cache, list, 30), -ERANGE);
	assert_int_equal(names_listxattr(w->names, cache, list, sizeof list),
		sizeof NAMES_PROFILE + sizeof NAMES_MAX_SIZE + sizeof "user.mine");
	assert_memory_equal(list, NAMES_PROFILE "\0" NAMES_MAX_SIZE "\0user.mine", 52);
	assert_int_equal(set(w, cache, NAMES_PROFILE, "cache"), 0); /* keeps the bound */
	assert_int_equal(names_caches(w->names, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ino[0], cache);
	assert_int_equal(seen.max_size[0], 1099511627776);
	assert_int_equal(names_removexattr(w->names, cache, NAMES_MAX_SIZE), 0);
	assert_int_equal(names_removexattr(w->names, cache, NAMES_MAX_SIZE), -ENODATA);

	/* A cache that is dropped is remembered no more. */
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "cache", &gone), 0);
	struct kv_batch *batch = kv_batch_new();
	assert_int_equal(names_drop(w->names, batch, cache, &(struct inode){0}), 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	seen.count = 0;
	assert_int_equal(names_caches(w->names, see, &seen), 0);
	assert_int_equal(seen.count, 0);
}

static void test_used(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "file", S_IFREG | 0644), after;

	assert_int_equal(names_used(w->names, file.ino, (struct timespec){1, 0}), 0);
	assert_int_equal(get(w, file.ino).atime.tv_sec, file.atime.tv_sec);
	assert_int_equal(names_used(w->names, file.ino, (struct timespec){file.atime.tv_sec + 9, 7}), 0);
	after = get(w, file.ino);
	assert_int_equal(after.atime.tv_sec, file.atime.tv_sec + 9);
	assert_memory_equal(&after.ctime, &file.ctime, sizeof file.ctime);
	assert_int_equal(names_used(w->names, 12345, (struct timespec){1, 0}), -ENOENT);
}

static bool yes(void *ctx)
{
	(void)ctx;
	return true;
}

static bool no(void *ctx)
{
	(void)ctx;
	return false;
}

static void test_group(void **state)
{
	struct world *w = *state;
	uint64_t dir = make(w, NAMES_ROOT, "dir", S_IFDIR | 0755).ino;
	struct names_member members[] = {{.name = "a", .ino = make(w, dir, "a", S_IFREG | 0644).ino},
		{.name = "b", .ino = make(w, dir, "b", S_IFREG | 0644).ino}};
	struct names_group group = {.directory = dir,
		.parent = NAMES_ROOT,
		.self = "dir",
		.members = members,
		.count = 2,
		.ready = no};
	uint64_t files, directories, others;
	struct inode inode;

	assert_int_equal(names_link(w->names, members[1].ino, NAMES_ROOT, "b2", NULL), 0);
	assert_int_equal(names_remove_group(w->names, &group), -ESTALE);
	group.ready = yes;
	members[0].ino++;
	assert_int_equal(names_remove_group(w->names, &group), -ESTALE);
	members[0].ino--;
	assert_int_equal(names_lookup(w->names, dir, "a", &inode), 0); /* nothing has changed */
	assert_int_equal(names_lookup(w->names, dir, "b", &inode), 0);

	make(w, dir, "c", S_IFREG | 0644);
	assert_int_equal(names_remove_group(w->names, &group), 0);
	assert_false(group.directory_gone); /* something is left */
	assert_true(members[0].unlinked);
	assert_false(members[1].unlinked);
	assert_int_equal(names_lookup(w->names, dir, "a", &inode), -ENOENT);
	assert_int_equal(get(w, members[0].ino).nlink, 0);
	assert_int_equal(get(w, members[1].ino).nlink, 1);
	assert_int_equal(get(w, dir).size, 1);

	assert_int_equal(names_lookup(w->names, dir, "c", &inode), 0);
	members[0] = (struct names_member){.name = "c", .ino = inode.ino};
	group.count = 1;
	assert_int_equal(names_remove_group(w->names, &group), 0);
	assert_true(group.directory_gone);
	assert_int_equal(names_lookup(w->names, NAMES_ROOT, "dir", &inode), -ENOENT);
	assert_int_equal(get(w, NAMES_ROOT).nlink, 2);
	names_count(w->names, &files, &directories, &others);
	assert_int_equal(files, 1);
	assert_int_equal(directories, 0);
	assert_int_equal(names_remove_group(w->names, &group), -ENOENT);
}

static void test_group_keeps_caches(void **state)
{
	struct world *w = *state;
	uint64_t cache = make(w, NAMES_ROOT, "cache", S_IFDIR | 0755).ino;
	struct names_group group = {.directory = cache, .parent = NAMES_ROOT, .self = "cache"};

	assert_int_equal(set(w, cache, NAMES_PROFILE, "cache"), 0);
	struct names_member twice[] = {
		{.name = "x", .ino = make(w, cache, "x", S_IFREG | 0644).ino}, {.name = "y", .ino = 0}};
	assert_int_equal(names_link(w->names, twice[0].ino, cache, "y", NULL), 0);
	twice[1].ino = twice[0].ino;
	group.members = twice;
	group.count = 2;
	assert_int_equal(names_remove_group(w->names, &group), -ESTALE);
	group.count = 1;
	assert_int_equal(names_remove_group(w->names, &group), 0);
	group.members = &twice[1];
	assert_int_equal(names_remove_group(w->names, &group), 0);
	assert_false(group.directory_gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_profile_is_inherited, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_profile_bad_values, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bound, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_used, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_group, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_group_keeps_caches, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
