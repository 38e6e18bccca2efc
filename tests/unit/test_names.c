// links: m_names
/* The namespace: each operation's result and each of its errors. */
#include "tests/unit/names_world.h"

#include <linux/fs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "store/names/acl.h"
#include "store/util/bytes.h"

static const char long_name[] =
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static bool is_after(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void test_root(void **state)
{
	struct world *w = *state;
	struct inode root = get(w, NAMES_ROOT), up;

	assert_int_equal(root.mode, S_IFDIR | 0755);
	assert_int_equal(root.nlink, 2);
	assert_int_equal(root.uid, 7);
	assert_int_equal(root.gid, 8);
	assert_int_equal(names_lookup(w->names, NAMES_ROOT, "..", &up), 0);
	assert_int_equal(up.ino, NAMES_ROOT);
	assert_int_equal(names_get(w->names, 99, &up), -ENOENT);
}

static void test_lookup(void **state)
{
	struct world *w = *state;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0777),
		     file = make(w, dir.ino, "f", S_IFREG | 0666);
	struct inode got;

	assert_int_equal(names_lookup(w->names, dir.ino, "f", &got), 0);
	assert_memory_equal(&got, &file, sizeof got);
	assert_int_equal(names_lookup(w->names, dir.ino, ".", &got), 0);
	assert_int_equal(got.ino, dir.ino);
	assert_int_equal(names_lookup(w->names, dir.ino, "..", &got), 0);
	assert_int_equal(got.ino, NAMES_ROOT);
	assert_int_equal(names_lookup(w->names, dir.ino, "g", &got), -ENOENT);
	assert_int_equal(names_lookup(w->names, file.ino, "g", &got), -ENOTDIR);
	assert_int_equal(names_lookup(w->names, file.ino, ".", &got), -ENOTDIR);
	assert_int_equal(names_lookup(w->names, 99, "g", &got), -ENOENT);
	assert_int_equal(names_lookup(w->names, dir.ino, long_name, &got), -ENAMETOOLONG);
	assert_int_equal(names_lookup(w->names, dir.ino, long_name + 1, &got), -ENOENT);
	assert_int_equal(names_lookup(w->names, dir.ino, "a/b", &got), -EINVAL);
	assert_int_equal(names_lookup(w->names, dir.ino, "", &got), -EINVAL);
}

static int make_rc(
	struct world *w, uint64_t parent, const char *name, uint32_t mode, enum content_state content)
{
	return names_make(w->names, parent, name, mode, 0, &user, content, 0, NULL);
}

static void test_make(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 06666), gone;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0777);
	struct inode root = get(w, NAMES_ROOT), device;

	assert_int_equal(file.mode, S_IFREG | 06644);
	assert_int_equal(file.uid, 1000);
	assert_int_equal(file.gid, 100);
	assert_int_equal(file.nlink, 1);
	assert_int_equal(file.parent, 0);
	assert_true(is_same_time(file.mtime, file.btime));
	assert_int_equal(dir.nlink, 2);
	assert_int_equal(dir.parent, NAMES_ROOT);
	assert_int_equal(root.nlink, 3);
	assert_int_equal(root.size, 2);
	assert_true(is_same_time(root.mtime, dir.mtime) && is_same_time(root.ctime, dir.mtime));
	assert_int_equal(names_make(w->names, NAMES_ROOT, "null", S_IFCHR | 0600, makedev(1, 3), &user,
				 CONTENT_NONE, 0, &device),
		0);
	assert_int_equal(get(w, device.ino).rdev, makedev(1, 3));
	make(w, NAMES_ROOT, "fifo", S_IFIFO | 0600);
	make(w, NAMES_ROOT, "socket", S_IFSOCK | 0600);
	make(w, NAMES_ROOT, long_name + 1, S_IFREG | 0600);

	assert_int_equal(make_rc(w, NAMES_ROOT, "f", S_IFREG, CONTENT_NONE), -EEXIST);
	assert_int_equal(make_rc(w, NAMES_ROOT, "d", S_IFREG, CONTENT_NONE), -EEXIST);
	assert_int_equal(make_rc(w, 99, "x", S_IFREG, CONTENT_NONE), -ENOENT);
	assert_int_equal(make_rc(w, file.ino, "x", S_IFREG, CONTENT_NONE), -ENOTDIR);
	assert_int_equal(make_rc(w, NAMES_ROOT, long_name, S_IFREG, CONTENT_NONE), -ENAMETOOLONG);
	assert_int_equal(make_rc(w, NAMES_ROOT, ".", S_IFREG, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "..", S_IFREG, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "", S_IFREG, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "a/b", S_IFREG, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "x", 0644, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "x", S_IFLNK, CONTENT_NONE), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "x", S_IFDIR, CONTENT_STAGED), -EINVAL);
	assert_int_equal(make_rc(w, NAMES_ROOT, "x", S_IFREG, CONTENT_INLINE), -EINVAL);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "d", &gone), 0);
	assert_int_equal(make_rc(w, dir.ino, "x", S_IFREG, CONTENT_NONE), -ENOENT);
}

static void test_make_staged(void **state)
{
	struct world *w = *state;
	struct inode inode;
	uint8_t key[8], when[8];
	uint64_t ino;
	size_t len;

	assert_int_equal(names_reserve(w->names, &ino), 0);
	assert_int_equal(
		names_make(w->names, NAMES_ROOT, "f", S_IFREG | 0600, 0, &user, CONTENT_STAGED, ino, &inode),
		0);
	assert_int_equal(inode.ino, ino);
	assert_int_equal(get(w, ino).content, CONTENT_STAGED);
	put_be64(key, ino);
	assert_int_equal(kv_get(w->kv, KV_STAGED, key, sizeof key, when, sizeof when, &len), 0);
	assert_int_equal(len, 8);
	assert_int_equal(get_le64(when), inode.mtime.tv_sec);
}

static void test_unnamed(void **state)
{
	struct world *w = *state;
	struct inode inode, other;
	uint64_t files, directories, others;

	assert_int_equal(
		names_make_unnamed(w->names, NAMES_ROOT, S_IFREG | 0666, &user, CONTENT_STAGED, 0, &inode),
		0);
	assert_int_equal(inode.nlink, 0);
	assert_int_equal(inode.mode, S_IFREG | 0644);
	names_count(w->names, &files, &directories, &others);
	assert_int_equal(files, 0);
	assert_int_equal(get(w, NAMES_ROOT).size, 0);
	assert_int_equal(names_link(w->names, inode.ino, NAMES_ROOT, "named", &other), 0);
	assert_int_equal(other.nlink, 1);
	names_count(w->names, &files, &directories, &others);
	assert_int_equal(files, 1);
	assert_int_equal(
		names_make_unnamed(w->names, inode.ino, S_IFREG, &user, CONTENT_NONE, 0, &other), -ENOTDIR);
	assert_int_equal(
		names_make_unnamed(w->names, NAMES_ROOT, S_IFDIR, &user, CONTENT_NONE, 0, &other), -EINVAL);
	assert_int_equal(names_make_unnamed(w->names, 99, S_IFREG, &user, CONTENT_NONE, 0, &other), -ENOENT);
}

static void test_set_group_id_is_inherited(void **state)
{
	struct world *w = *state;
	const struct names_owner boss = {.uid = 1, .gid = 555, .umask = 0};
	struct inode dir, sub, file;

	assert_int_equal(
		names_make(w->names, NAMES_ROOT, "d", S_IFDIR | 02775, 0, &boss, CONTENT_NONE, 0, &dir), 0);
	sub = make(w, dir.ino, "sub", S_IFDIR | 0777);
	file = make(w, dir.ino, "file", S_IFREG | 0666);
	assert_int_equal(sub.gid, 555);
	assert_int_equal(sub.mode, S_IFDIR | 02755);
	assert_int_equal(file.gid, 555);
	assert_int_equal(file.mode, S_IFREG | 0644);
}

static void test_symlink(void **state)
{
	struct world *w = *state;
	char target[NAMES_SYMLINK_MAX + 2], got[NAMES_SYMLINK_MAX + 1];
	struct inode inode, gone;
	struct kv_batch *batch = kv_batch_new();

	memset(target, 'y', sizeof target);
	target[NAMES_SYMLINK_MAX] = 0;
	assert_int_equal(names_symlink(w->names, NAMES_ROOT, "l", target, &user, &inode), 0);
	assert_int_equal(inode.mode, S_IFLNK | 0777);
	assert_int_equal(inode.size, NAMES_SYMLINK_MAX);
	assert_int_equal(names_readlink(w->names, inode.ino, got, sizeof got), 0);
	assert_string_equal(got, target);
	assert_int_equal(names_readlink(w->names, inode.ino, got, sizeof got - 1), -ENAMETOOLONG);
	assert_int_equal(names_readlink(w->names, NAMES_ROOT, got, sizeof got), -EINVAL);
	assert_int_equal(names_readlink(w->names, 99, got, sizeof got), -ENOENT);
	assert_int_equal(names_symlink(w->names, NAMES_ROOT, "l", "x", &user, &inode), -EEXIST);
	assert_int_equal(names_symlink(w->names, NAMES_ROOT, "m", "", &user, &inode), -EINVAL);
	target[NAMES_SYMLINK_MAX] = 'y';
	target[NAMES_SYMLINK_MAX + 1] = 0;
	assert_int_equal(names_symlink(w->names, NAMES_ROOT, "m", target, &user, &inode), -ENAMETOOLONG);
	assert_int_equal(names_listxattr(w->names, inode.ino, NULL, 0), 0);

	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "l", &gone), 0);
	assert_int_equal(names_drop(w->names, batch, gone.ino, &(struct inode){0}), 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	struct kv_iter *it = kv_iter_new(w->kv, KV_XATTRS, NULL, 0);
	assert_false(kv_iter_valid(it));
	kv_iter_free(it);
}

static void test_link_and_unlink(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got, root;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0700);
	struct kv_batch *batch = kv_batch_new();

	assert_int_equal(names_link(w->names, file.ino, dir.ino, "g", &got), 0);
	assert_int_equal(got.nlink, 2);
	assert_true(is_after(got.ctime, file.ctime));
	assert_true(is_same_time(got.mtime, file.mtime));
	assert_true(is_same_time(get(w, dir.ino).mtime, got.ctime));
	assert_int_equal(names_link(w->names, file.ino, dir.ino, "g", &got), -EEXIST);
	assert_int_equal(names_link(w->names, dir.ino, dir.ino, "h", &got), -EPERM);
	assert_int_equal(names_link(w->names, 99, dir.ino, "h", &got), -ENOENT);
	assert_int_equal(names_link(w->names, file.ino, 99, "h", &got), -ENOENT);
	assert_int_equal(names_link(w->names, file.ino, file.ino, "h", &got), -ENOTDIR);
	assert_int_equal(names_link(w->names, file.ino, dir.ino, long_name, &got), -ENAMETOOLONG);

	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "d", &got), -EISDIR);
	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "x", &got), -ENOENT);
	assert_int_equal(names_unlink(w->names, file.ino, "x", &got), -ENOTDIR);
	assert_int_equal(names_unlink(w->names, NAMES_ROOT, ".", &got), -EINVAL);
	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "f", &got), 0);
	assert_int_equal(got.nlink, 1);
	assert_int_equal(names_drop(w->names, batch, file.ino, &(struct inode){0}), -EBUSY);
	assert_int_equal(names_unlink(w->names, dir.ino, "g", &got), 0);
	assert_int_equal(got.nlink, 0);
	root = get(w, dir.ino);
	assert_true(is_same_time(root.mtime, got.ctime));
	assert_int_equal(root.size, 0);

	/* an orphan may get a name again, and loses it again */
	assert_int_equal(names_link(w->names, file.ino, NAMES_ROOT, "back", &got), 0);
	assert_int_equal(got.nlink, 1);
	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "back", NULL), 0);
	assert_int_equal(names_drop(w->names, batch, file.ino, &(struct inode){0}), 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	assert_int_equal(names_get(w->names, file.ino, &got), -ENOENT);
	assert_int_equal(names_drop(w->names, batch, file.ino, &(struct inode){0}), -ENOENT);
	assert_int_equal(names_link(w->names, file.ino, NAMES_ROOT, "back", &got), -ENOENT);
	kv_batch_free(batch);
}

/* Writes a record as it is, for states that would take long to reach. */
static void force(struct world *w, const struct inode *inode)
{
	struct kv_batch *batch = kv_batch_new();

	inode_store(w->names, batch, inode);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
}

static void test_too_many_links(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got;
	struct inode a = make(w, NAMES_ROOT, "a", S_IFDIR | 0700),
		     b = make(w, NAMES_ROOT, "b", S_IFDIR | 0700);
	struct inode dir = make(w, a.ino, "dir", S_IFDIR | 0700);

	make(w, b.ino, "file", S_IFREG | 0600);
	file.nlink = NAMES_LINK_MAX;
	force(w, &file);
	assert_int_equal(names_link(w->names, file.ino, NAMES_ROOT, "g", &got), -EMLINK);
	b = get(w, b.ino);
	b.nlink = NAMES_LINK_MAX;
	force(w, &b);
	assert_int_equal(make_rc(w, b.ino, "sub", S_IFDIR | 0700, CONTENT_NONE), -EMLINK);
	assert_int_equal(make_rc(w, b.ino, "plain", S_IFREG | 0700, CONTENT_NONE), 0);
	assert_int_equal(names_rename(w->names, a.ino, "dir", b.ino, "dir", 0, NULL), -EMLINK);
	assert_int_equal(names_rename(w->names, a.ino, "dir", b.ino, "file", RENAME_EXCHANGE, NULL), -EMLINK);
	assert_int_equal(names_rename(w->names, b.ino, "file", a.ino, "dir", RENAME_EXCHANGE, NULL), -EMLINK);
	assert_int_equal(get(w, dir.ino).parent, a.ino);
	/* an orphan's key gone: a record that nothing leads to */
	file.nlink = 0;
	force(w, &file);
	assert_int_equal(names_link(w->names, file.ino, NAMES_ROOT, "g", &got), -ENOENT);
}

static void test_rmdir(void **state)
{
	struct world *w = *state;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0700), got;

	make(w, dir.ino, "sub", S_IFDIR | 0700);
	make(w, NAMES_ROOT, "f", S_IFREG | 0700);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "d", &got), -ENOTEMPTY);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "f", &got), -ENOTDIR);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "x", &got), -ENOENT);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, ".", &got), -EINVAL);
	assert_int_equal(names_rmdir(w->names, dir.ino, "sub", &got), 0);
	assert_int_equal(got.nlink, 0);
	assert_int_equal(get(w, dir.ino).nlink, 2);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "d", &got), 0);
	assert_int_equal(get(w, NAMES_ROOT).nlink, 2);
	assert_int_equal(get(w, NAMES_ROOT).size, 1);
}

static void expect_at(struct world *w, uint64_t parent, const char *name, uint64_t ino)
{
	struct inode got;
	int rc = names_lookup(w->names, parent, name, &got);

	if (!ino) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(got.ino, ino);
}

static int move(struct world *w, const struct inode *from, const char *name, const struct inode *to,
	const char *new_name, unsigned flags, struct inode *gone)
{
	struct names_renamed renamed;
	int rc = names_rename(w->names, from->ino, name, to->ino, new_name, flags, &renamed);

	if (gone)
		*gone = (struct inode){.ino = renamed.gone};
	return rc;
}

static void test_rename(void **state)
{
	struct world *w = *state;
	struct inode a = make(w, NAMES_ROOT, "a", S_IFDIR | 0700),
		     b = make(w, NAMES_ROOT, "b", S_IFDIR | 0700);
	struct inode f = make(w, a.ino, "f", S_IFREG | 0600), g = make(w, b.ino, "g", S_IFREG | 0600), gone,
		     got;
	struct inode sub = make(w, a.ino, "sub", S_IFDIR | 0700), root = get(w, NAMES_ROOT);

	assert_int_equal(move(w, &a, "f", &a, "f2", 0, &gone), 0);
	assert_int_equal(gone.ino, 0);
	expect_at(w, a.ino, "f", 0);
	expect_at(w, a.ino, "f2", f.ino);
	got = get(w, f.ino);
	assert_true(is_after(got.ctime, f.ctime) && is_same_time(got.mtime, f.mtime));
	assert_true(is_same_time(get(w, a.ino).mtime, got.ctime));

	assert_int_equal(move(w, &a, "f2", &b, "g", RENAME_NOREPLACE, &gone), -EEXIST);
	assert_int_equal(move(w, &a, "f2", &b, "g", 0, &gone), 0);
	assert_int_equal(gone.ino, g.ino);
	assert_int_equal(gone.nlink, 0);
	expect_at(w, b.ino, "g", f.ino);
	assert_int_equal(get(w, a.ino).size, 1);
	assert_int_equal(get(w, b.ino).size, 1);
	assert_true(is_same_time(get(w, a.ino).ctime, get(w, b.ino).ctime));

	assert_int_equal(move(w, &a, "sub", &b, "sub", RENAME_NOREPLACE, &gone), 0);
	assert_int_equal(get(w, sub.ino).parent, b.ino);
	assert_int_equal(get(w, a.ino).nlink, 2);
	assert_int_equal(get(w, b.ino).nlink, 3);
	assert_int_equal(names_lookup(w->names, sub.ino, "..", &got), 0);
	assert_int_equal(got.ino, b.ino);

	/* over an empty directory, and a full one */
	assert_int_equal(move(w, &root, "a", &b, "sub", 0, &gone), 0);
	assert_int_equal(gone.ino, sub.ino);
	assert_int_equal(get(w, b.ino).nlink, 3);
	assert_int_equal(get(w, NAMES_ROOT).nlink, 3);
	assert_int_equal(get(w, a.ino).parent, b.ino);
	make(w, a.ino, "x", S_IFREG | 0600);
	make(w, b.ino, "other", S_IFDIR | 0700);
	assert_int_equal(move(w, &b, "other", &b, "sub", 0, &gone), -ENOTEMPTY);
	assert_int_equal(move(w, &b, "other", &b, "g", 0, &gone), -ENOTDIR);
	assert_int_equal(move(w, &b, "g", &b, "other", 0, &gone), -EISDIR);
	assert_int_equal(move(w, &root, "b", &a, "loop", 0, &gone), -EINVAL);
	assert_int_equal(move(w, &root, "b", &b, "loop", 0, &gone), -EINVAL);
	assert_int_equal(move(w, &a, "x", &root, "b", RENAME_EXCHANGE, &gone), -EINVAL);
	assert_int_equal(move(w, &a, "x", &root, "b", 0, &gone), -EISDIR);
	assert_int_equal(move(w, &a, "none", &b, "y", 0, &gone), -ENOENT);
	assert_int_equal(move(w, &a, "x", &b, "none", RENAME_EXCHANGE, &gone), -ENOENT);
	assert_int_equal(move(w, &f, "x", &b, "y", 0, &gone), -ENOTDIR);
	assert_int_equal(move(w, &a, "x", &f, "y", 0, &gone), -ENOTDIR);
	assert_int_equal(move(w, &a, "x", &sub, "y", 0, &gone), -ENOENT);
	assert_int_equal(move(w, &a, "x", &b, long_name, 0, &gone), -ENAMETOOLONG);
	assert_int_equal(move(w, &a, "x", &b, "..", 0, &gone), -EINVAL);
	assert_int_equal(move(w, &a, "x", &b, "y", RENAME_WHITEOUT, &gone), -EINVAL);
	assert_int_equal(move(w, &a, "x", &b, "y", RENAME_EXCHANGE | RENAME_NOREPLACE, &gone), -EINVAL);
}

static void test_rename_of_links(void **state)
{
	struct world *w = *state;
	struct inode root = get(w, NAMES_ROOT), f = make(w, NAMES_ROOT, "f", S_IFREG | 0600), gone;
	struct inode g = make(w, NAMES_ROOT, "g", S_IFREG | 0600);

	names_link(w->names, f.ino, NAMES_ROOT, "f2", NULL);
	assert_int_equal(move(w, &root, "f", &root, "f2", 0, &gone), 0);
	expect_at(w, NAMES_ROOT, "f", f.ino);
	expect_at(w, NAMES_ROOT, "f2", f.ino);
	assert_int_equal(move(w, &root, "f", &root, "f", 0, &gone), 0);
	assert_int_equal(move(w, &root, "f", &root, "f2", RENAME_EXCHANGE, &gone), 0);
	assert_int_equal(move(w, &root, "f", &root, "f2", RENAME_NOREPLACE, &gone), -EEXIST);
	assert_int_equal(move(w, &root, "g", &root, "f2", 0, &gone), 0);
	assert_int_equal(gone.ino, 0);
	assert_int_equal(get(w, f.ino).nlink, 1);
	expect_at(w, NAMES_ROOT, "f2", g.ino);
}

static void test_exchange(void **state)
{
	struct world *w = *state;
	struct inode a = make(w, NAMES_ROOT, "a", S_IFDIR | 0700),
		     b = make(w, NAMES_ROOT, "b", S_IFDIR | 0700);
	struct inode dir = make(w, a.ino, "dir", S_IFDIR | 0700),
		     file = make(w, b.ino, "file", S_IFREG | 0600);

	make(w, dir.ino, "inside", S_IFREG | 0600);
	assert_int_equal(move(w, &a, "dir", &b, "file", RENAME_EXCHANGE, NULL), 0);
	expect_at(w, a.ino, "dir", file.ino);
	expect_at(w, b.ino, "file", dir.ino);
	assert_int_equal(get(w, a.ino).nlink, 2);
	assert_int_equal(get(w, b.ino).nlink, 3);
	assert_int_equal(get(w, dir.ino).parent, b.ino);
	assert_int_equal(get(w, file.ino).parent, 0);
	assert_int_equal(get(w, a.ino).size, 1);
	assert_int_equal(move(w, &a, "dir", &b, "file", RENAME_EXCHANGE, NULL), 0);
	assert_int_equal(get(w, a.ino).nlink, 3);
	assert_int_equal(get(w, dir.ino).parent, a.ino);
	make(w, a.ino, "f2", S_IFREG | 0600);
	assert_int_equal(move(w, &a, "dir", &a, "f2", RENAME_EXCHANGE, NULL), 0);
	expect_at(w, a.ino, "f2", dir.ino);
	assert_int_equal(get(w, a.ino).nlink, 3);
}

static void test_setattr(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got;
	struct inode attr = {.mode = S_IFDIR | 06755,
		.uid = 3,
		.gid = 4,
		.atime = {-5, 999999999},
		.mtime = {7, 1},
		.ctime = {9, 2}};

	assert_int_equal(names_setattr(w->names, file.ino, &attr, NAMES_SET_MODE, &got), 0);
	assert_int_equal(got.mode, S_IFREG | 06755);
	assert_int_equal(got.uid, 1000);
	assert_true(is_after(got.ctime, file.ctime));
	assert_int_equal(
		names_setattr(w->names, file.ino, &attr,
			NAMES_SET_UID | NAMES_SET_GID | NAMES_SET_ATIME | NAMES_SET_MTIME | NAMES_SET_CTIME,
			&got),
		0);
	got = get(w, file.ino);
	assert_int_equal(got.uid, 3);
	assert_int_equal(got.gid, 4);
	assert_true(is_same_time(got.atime, attr.atime) && is_same_time(got.mtime, attr.mtime));
	assert_true(is_same_time(got.ctime, attr.ctime));
	assert_int_equal(got.mode, S_IFREG | 06755);
	assert_int_equal(names_setattr(w->names, 99, &attr, NAMES_SET_UID, &got), -ENOENT);
	attr.mtime.tv_nsec = 1000000000;
	assert_int_equal(names_setattr(w->names, file.ino, &attr, NAMES_SET_MTIME, &got), -EINVAL);
}

static void test_kill_privileges(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 06755), got;
	struct inode locked = make(w, NAMES_ROOT, "g", S_IFREG | 02644);
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 02775);

	assert_int_equal(names_setxattr(w->names, file.ino, "security.capability", "c", 1, 0), 0);
	assert_int_equal(names_setxattr(w->names, file.ino, "user.stays", "s", 1, 0), 0);
	assert_int_equal(names_setattr(w->names, file.ino, &file, NAMES_KILL_PRIV, &got), 0);
	assert_int_equal(got.mode, S_IFREG | 0755);
	assert_int_equal(names_getxattr(w->names, file.ino, "security.capability", NULL, 0), -ENODATA);
	assert_int_equal(names_getxattr(w->names, file.ino, "user.stays", NULL, 0), 1);
	assert_int_equal(names_setattr(w->names, locked.ino, &file, NAMES_KILL_PRIV, &got), 0);
	assert_int_equal(got.mode, S_IFREG | 02644);
	assert_true(is_same_time(got.ctime, locked.ctime));
	assert_int_equal(names_setattr(w->names, dir.ino, &file, NAMES_KILL_PRIV, &got), 0);
	assert_int_equal(got.mode, S_IFDIR | 02755);
}

static void test_xattrs(void **state)
{
	struct world *w = *state;
	uint64_t ino = make(w, NAMES_ROOT, "f", S_IFREG | 0600).ino;
	char buffer[64], name[300];
	char *big = calloc(1, NAMES_XATTR_SIZE_MAX + 1);
	int rc = 0;

	assert_int_equal(names_listxattr(w->names, ino, NULL, 0), 0);
	assert_int_equal(names_getxattr(w->names, ino, "user.a", buffer, 64), -ENODATA);
	assert_int_equal(names_setxattr(w->names, ino, "user.a", "1", 1, XATTR_REPLACE), -ENODATA);
	assert_int_equal(names_setxattr(w->names, ino, "user.a", "first", 5, XATTR_CREATE), 0);
	assert_int_equal(names_setxattr(w->names, ino, "user.a", "x", 1, XATTR_CREATE), -EEXIST);
	assert_int_equal(names_setxattr(w->names, ino, "user.a", "second", 6, XATTR_REPLACE), 0);
	assert_int_equal(names_setxattr(w->names, ino, "user.empty", NULL, 0, 0), 0);
	assert_int_equal(names_setxattr(w->names, ino, "user.a", "x", 1, 8), -EINVAL);
	assert_int_equal(names_getxattr(w->names, ino, "user.a", NULL, 0), 6);
	assert_int_equal(names_getxattr(w->names, ino, "user.a", buffer, 5), -ERANGE);
	assert_int_equal(names_getxattr(w->names, ino, "user.a", buffer, 6), 6);
	assert_memory_equal(buffer, "second", 6);
	assert_int_equal(names_getxattr(w->names, ino, "user.empty", buffer, 6), 0);
	assert_int_equal(names_getxattr(w->names, ino, "user.none", buffer, 6), -ENODATA);
	assert_int_equal(names_listxattr(w->names, ino, NULL, 0), 18);
	assert_int_equal(names_listxattr(w->names, ino, buffer, 17), -ERANGE);
	assert_int_equal(names_listxattr(w->names, ino, buffer, 18), 18);
	assert_memory_equal(buffer, "user.a\0user.empty", 18);
	assert_int_equal(names_setxattr(w->names, ino, "user.big", big, NAMES_XATTR_SIZE_MAX + 1, 0), -E2BIG);
	assert_int_equal(names_setxattr(w->names, ino, "user.big", big, NAMES_XATTR_SIZE_MAX, 0), 0);
	assert_int_equal(names_setxattr(w->names, ino, "", "x", 1, 0), -ERANGE);
	assert_int_equal(names_setxattr(w->names, ino, long_name, "x", 1, 0), -ERANGE);
	assert_int_equal(names_setxattr(w->names, ino, long_name + 1, "x", 1, 0), 0);
	assert_int_equal(names_setxattr(w->names, 99, "user.a", "x", 1, 0), -ENOENT);
	assert_int_equal(names_getxattr(w->names, 99, "user.a", buffer, 1), -ENOENT);
	assert_int_equal(names_listxattr(w->names, 99, buffer, 1), -ENOENT);
	assert_int_equal(names_removexattr(w->names, 99, "user.a"), -ENOENT);

	assert_int_equal(names_removexattr(w->names, ino, "user.none"), -ENODATA);
	assert_int_equal(names_removexattr(w->names, ino, "user.a"), 0);
	assert_int_equal(names_removexattr(w->names, ino, "user.empty"), 0);
	assert_int_equal(names_removexattr(w->names, ino, "user.big"), 0);
	assert_true(get(w, ino).flags & INODE_XATTRS);
	assert_int_equal(names_removexattr(w->names, ino, long_name + 1), 0);
	assert_false(get(w, ino).flags & INODE_XATTRS);
	for (unsigned i = 0; i < 1000 && !rc; i++) {
		snprintf(name, sizeof name, "user.%0245u", i);
		rc = names_setxattr(w->names, ino, name, "", 0, 0);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_in_range(
		names_listxattr(w->names, ino, NULL, 0), NAMES_XATTR_LIST_MAX - 251, NAMES_XATTR_LIST_MAX);
	free(big);
}

/* "u::7 u:5:6 g::4 m::6 o::0" and so on, into the kernel's form. */
static size_t acl(uint8_t *dst, unsigned count, const unsigned entries[][3])
{
	put_le32(dst, 2);
	for (unsigned i = 0; i < count; i++) {
		put_le16(dst + 4 + 8 * i, (uint16_t)entries[i][0]);
		put_le16(dst + 6 + 8 * i, (uint16_t)entries[i][1]);
		put_le32(dst + 8 + 8 * i, entries[i][2]);
	}
	return 4 + 8 * count;
}

#define NO_ID 0xffffffffu
static const unsigned rich[][3] = {
	{1, 7, NO_ID}, {2, 6, 55}, {4, 5, NO_ID}, {8, 7, 66}, {16, 6, NO_ID}, {32, 1, NO_ID}};
static const unsigned plain[][3] = {{1, 6, NO_ID}, {4, 4, NO_ID}, {32, 2, NO_ID}};

static void test_acl_check(void **state)
{
	uint8_t a[128];
	size_t len = acl(a, 6, rich);

	(void)state;
	assert_int_equal(acl_check(a, len), 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(acl_check(a, cut), 0);
	assert_int_equal(acl_check(a, acl(a, 3, plain)), 0);
	put_le32(a, 1);
	assert_int_equal(acl_check(a, 28), -EOPNOTSUPP);
	assert_int_equal(acl_check(a, acl(a, 2, plain)), -EINVAL);
	assert_int_equal(acl_check(a, acl(a, 2, plain + 1)), -EINVAL);
	/* named entries need a mask */
	const unsigned bare[][3] = {{1, 7, NO_ID}, {2, 7, 5}, {4, 7, NO_ID}, {32, 7, NO_ID}};
	assert_int_equal(acl_check(a, acl(a, 4, bare)), -EINVAL);
	const unsigned twice[][3] = {{1, 7, NO_ID}, {1, 7, NO_ID}, {4, 7, NO_ID}, {32, 7, NO_ID}};
	assert_int_equal(acl_check(a, acl(a, 4, twice)), -EINVAL);
	const unsigned wide[][3] = {{1, 8, NO_ID}, {4, 7, NO_ID}, {32, 7, NO_ID}};
	assert_int_equal(acl_check(a, acl(a, 3, wide)), -EINVAL);
	const unsigned tail[][3] = {{1, 7, NO_ID}, {4, 7, NO_ID}, {32, 7, NO_ID}, {16, 7, NO_ID}};
	assert_int_equal(acl_check(a, acl(a, 4, tail)), -EINVAL);
}

static uint16_t acl_perm(struct world *w, uint64_t ino, const char *name, unsigned index)
{
	uint8_t a[128];

	assert_true(names_getxattr(w->names, ino, name, a, sizeof a) > 4 + 8 * (ssize_t)index);
	return get_le16(a + 6 + 8 * index);
}

static void test_access_acl(void **state)
{
	struct world *w = *state;
	uint64_t ino = make(w, NAMES_ROOT, "f", S_IFREG | 04600).ino;
	struct inode attr = {.mode = 0413};
	uint8_t a[128];
	size_t len = acl(a, 6, rich);

	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_ACCESS, a, len, 0), 0);
	assert_int_equal(get(w, ino).mode, S_IFREG | 04761);
	assert_int_equal(names_getxattr(w->names, ino, XATTR_ACL_ACCESS, NULL, 0), len);
	/* chmod changes the mask, not the group entry */
	assert_int_equal(names_setattr(w->names, ino, &attr, NAMES_SET_MODE, NULL), 0);
	assert_int_equal(acl_perm(w, ino, XATTR_ACL_ACCESS, 0), 4);
	assert_int_equal(acl_perm(w, ino, XATTR_ACL_ACCESS, 1), 6);
	assert_int_equal(acl_perm(w, ino, XATTR_ACL_ACCESS, 2), 5);
	assert_int_equal(acl_perm(w, ino, XATTR_ACL_ACCESS, 4), 1);
	assert_int_equal(acl_perm(w, ino, XATTR_ACL_ACCESS, 5), 3);
	/* an ACL that says no more than the mode is the mode */
	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_ACCESS, a, acl(a, 3, plain), 0), 0);
	assert_int_equal(get(w, ino).mode, S_IFREG | 0642);
	assert_int_equal(names_getxattr(w->names, ino, XATTR_ACL_ACCESS, NULL, 0), -ENODATA);
	assert_int_equal(get(w, ino).flags, 0);
	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_ACCESS, a, 27, 0), -EINVAL);
	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_ACCESS, "\1\0\0\0", 4, 0), -EOPNOTSUPP);
	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_DEFAULT, a, 28, 0), -EACCES);
	assert_int_equal(names_removexattr(w->names, ino, XATTR_ACL_ACCESS), 0);
	assert_int_equal(names_setxattr(w->names, ino, XATTR_ACL_ACCESS, a, acl(a, 6, rich), 0), 0);
	assert_int_equal(names_removexattr(w->names, ino, XATTR_ACL_ACCESS), 0);
	assert_int_equal(get(w, ino).mode, S_IFREG | 0761);
	assert_int_equal(names_getxattr(w->names, ino, XATTR_ACL_ACCESS, NULL, 0), -ENODATA);
}

static void test_default_acl(void **state)
{
	struct world *w = *state;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0755), sub, file, link;
	uint8_t a[128], b[128];
	size_t len = acl(a, 6, rich);

	assert_int_equal(names_setxattr(w->names, dir.ino, XATTR_ACL_DEFAULT, a, len, 0), 0);
	assert_int_equal(get(w, dir.ino).mode, S_IFDIR | 0755);
	file = make(w, dir.ino, "f", S_IFREG | 0666); /* the umask of 022 does not count */
	assert_int_equal(file.mode, S_IFREG | 0660);
	assert_int_equal(acl_perm(w, file.ino, XATTR_ACL_ACCESS, 0), 6);
	assert_int_equal(acl_perm(w, file.ino, XATTR_ACL_ACCESS, 1), 6);
	assert_int_equal(acl_perm(w, file.ino, XATTR_ACL_ACCESS, 2), 5);
	assert_int_equal(acl_perm(w, file.ino, XATTR_ACL_ACCESS, 4), 6);
	assert_int_equal(acl_perm(w, file.ino, XATTR_ACL_ACCESS, 5), 0);
	assert_int_equal(names_getxattr(w->names, file.ino, XATTR_ACL_DEFAULT, NULL, 0), -ENODATA);
	sub = make(w, dir.ino, "sub", S_IFDIR | 0700);
	assert_int_equal(sub.mode, S_IFDIR | 0700);
	assert_int_equal(acl_perm(w, sub.ino, XATTR_ACL_ACCESS, 4), 0);
	assert_int_equal(names_getxattr(w->names, sub.ino, XATTR_ACL_DEFAULT, b, sizeof b), len);
	assert_memory_equal(a, b, len);
	assert_int_equal(names_symlink(w->names, dir.ino, "l", "x", &user, &link), 0);
	assert_int_equal(link.mode, S_IFLNK | 0777);
	assert_int_equal(link.flags, 0);
	/* a default ACL of three entries gives a mode, and no access ACL */
	assert_int_equal(names_setxattr(w->names, sub.ino, XATTR_ACL_DEFAULT, a, acl(a, 3, plain), 0), 0);
	file = make(w, sub.ino, "g", S_IFREG | 0777);
	assert_int_equal(file.mode, S_IFREG | 0642);
	assert_int_equal(file.flags, 0);
	/* an empty one is none */
	assert_int_equal(names_setxattr(w->names, sub.ino, XATTR_ACL_DEFAULT, a, 4, 0), 0);
	assert_int_equal(names_getxattr(w->names, sub.ino, XATTR_ACL_DEFAULT, NULL, 0), -ENODATA);
	assert_int_equal(make(w, sub.ino, "h", S_IFREG | 0666).mode, S_IFREG | 0644);
}

static int count_orphan(void *ctx, uint64_t ino)
{
	(void)ino;
	return ++*(int *)ctx == 3 ? -ECANCELED : 0;
}

static void test_drop_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600);
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0700);
	struct kv_batch *batch = kv_batch_new();
	int orphans = 0;

	names_setxattr(w->names, file.ino, "user.a", "x", 1, 0);
	names_setxattr(w->names, file.ino, "user.b", "x", 1, 0);
	names_unlink(w->names, NAMES_ROOT, "f", NULL);
	names_rmdir(w->names, NAMES_ROOT, "d", NULL);
	assert_int_equal(names_orphans(w->names, count_orphan, &orphans), 0);
	assert_int_equal(orphans, 2);
	assert_int_equal(names_drop(w->names, batch, file.ino, &(struct inode){0}), 0);
	assert_int_equal(names_drop(w->names, batch, dir.ino, &(struct inode){0}), 0);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	for (int family = KV_INODES; family < KV_FAMILIES; family++) {
		struct kv_iter *it = kv_iter_new(w->kv, family, NULL, 0);
		if (family == KV_INODES)
			kv_iter_next(it); /* the root */
		assert_false(kv_iter_valid(it));
		kv_iter_free(it);
	}
	make(w, NAMES_ROOT, "1", S_IFREG);
	make(w, NAMES_ROOT, "2", S_IFREG);
	make(w, NAMES_ROOT, "3", S_IFREG);
	names_unlink(w->names, NAMES_ROOT, "1", NULL);
	names_unlink(w->names, NAMES_ROOT, "2", NULL);
	names_unlink(w->names, NAMES_ROOT, "3", NULL);
	orphans = 0;
	assert_int_equal(names_orphans(w->names, count_orphan, &orphans), -ECANCELED);
}

static void test_content(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got;
	struct kv_batch *batch = kv_batch_new();

	names_lock(w->names, file.ino);
	got = get(w, file.ino);
	got.content = CONTENT_ENCODED;
	got.recipe = 77;
	got.size = 1 << 20;
	got.blocks = 9;
	got.mtime = (struct timespec){11, 12};
	names_put_content(w->names, batch, &got);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	names_unlock(w->names, file.ino);
	got.version = file.version + 1;
	file = get(w, file.ino);
	assert_memory_equal(&file, &got, sizeof got);
	kv_batch_free(batch);
}

static void test_reopen(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0700), last;
	uint64_t files, directories, others;

	make(w, dir.ino, "fifo", S_IFIFO | 0700);
	names_symlink(w->names, dir.ino, "l", "x", &user, NULL);
	last = make(w, dir.ino, "o", S_IFREG | 0700);
	names_unlink(w->names, dir.ino, "o", NULL);
	for (int crash = 0; crash < 3; crash++) {
		if (crash) {
			world_crash(w);
		} else {
			world_shut(w);
			assert_int_equal(world_open(w), 0);
		}
		got = get(w, file.ino);
		assert_memory_equal(&got, &file, sizeof got);
		names_count(w->names, &files, &directories, &others);
		assert_int_equal(files, 1);
		assert_int_equal(directories, 1);
		assert_int_equal(others, 2);
		expect_at(w, NAMES_ROOT, "d", dir.ino);
		assert_int_equal(names_reserve(w->names, &files), 0);
		assert_true(files > last.ino);
	}
	assert_int_equal(names_sync(w->names), 0);
}

/* No number comes twice: not over many blocks, not over a close, not over a death. */
static void test_numbers(void **state)
{
	struct world *w = *state;
	uint64_t last = NAMES_ROOT, ino;
	struct names *again;

	for (int i = 0; i < 10000; i++) {
		assert_int_equal(names_reserve(w->names, &ino), 0);
		assert_true(ino > last);
		last = ino;
	}
	assert_int_equal(names_open(w->kv, 42, 0, 0, &again), 0); /* w->names dies here */
	assert_int_equal(names_reserve(again, &ino), 0);
	assert_true(ino > last);
	assert_true(ino < last + 5000);
	last = ino;
	names_close(w->names);
	w->names = again;
	world_shut(w);
	assert_int_equal(world_open(w), 0);
	assert_int_equal(names_reserve(w->names, &ino), 0);
	assert_true(ino > last);
}

static void test_record(void **state)
{
	struct inode a = {.ino = 5,
		.mode = S_IFREG | 04755,
		.uid = 1,
		.gid = 2,
		.nlink = 3,
		.rdev = 0,
		.size = 1ull << 40,
		.blocks = 6,
		.atime = {-1, 999999999},
		.mtime = {1ull << 40, 1},
		.ctime = {3, 2},
		.btime = {4, 3},
		.content = CONTENT_ENCODED,
		.recipe = 1ull << 63,
		.version = 8,
		.flags = INODE_XATTRS};
	uint8_t record[NAMES_RECORD_MAX], bad[NAMES_RECORD_MAX];
	struct inode b;
	size_t len = inode_encode(&a, record);

	(void)state;
	assert_int_equal(len, 120);
	assert_int_equal(inode_decode(&b, 5, record, len), 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(inode_decode(&b, 5, record, len - 1), -EBADMSG);
	assert_int_equal(inode_decode(&b, 5, record, len + 1), -EBADMSG);
	assert_int_equal(inode_decode(&b, 5, record, 0), -EBADMSG);
	static const struct {
		size_t at;
		uint8_t value;
	} damages[] = {{0, 2}, {1, 4}, {3, 1}, {5, 0}, {5, 0x41}, {6, 2}, {23, 0x80}, {59, 0x80}, {63, 0x80},
		{67, 0x80}, {68, 1}, {79, 0x80}, {96, 1}};
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		memcpy(bad, record, len);
		bad[damages[i].at] = damages[i].value;
		assert_int_equal(inode_decode(&b, 5, bad, len), -EBADMSG);
	}
}

static void test_damaged_record(void **state)
{
	struct world *w = *state;
	struct inode file = make(w, NAMES_ROOT, "f", S_IFREG | 0600), got;
	struct inode dir = make(w, NAMES_ROOT, "d", S_IFDIR | 0700);
	struct kv_batch *batch = kv_batch_new();
	uint8_t key[8];

	put_be64(key, file.ino);
	kv_batch_put(w->kv, batch, KV_INODES, key, sizeof key, "damage", 6);
	put_be64(key, dir.ino);
	kv_batch_delete(w->kv, batch, KV_INODES, key, sizeof key);
	assert_int_equal(kv_write(w->kv, batch, false), 0);
	kv_batch_free(batch);
	assert_int_equal(names_get(w->names, file.ino, &got), -EIO);
	assert_int_equal(names_lookup(w->names, NAMES_ROOT, "f", &got), -EIO);
	assert_int_equal(names_unlink(w->names, NAMES_ROOT, "f", &got), -EIO);
	assert_int_equal(names_rmdir(w->names, NAMES_ROOT, "d", &got), -EIO);
	assert_int_equal(names_rename(w->names, NAMES_ROOT, "d", NAMES_ROOT, "e", 0, NULL), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_lookup, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_make, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_make_staged, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unnamed, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_set_group_id_is_inherited, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_symlink, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_link_and_unlink, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_too_many_links, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_rmdir, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_rename, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_rename_of_links, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_exchange, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_setattr, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_kill_privileges, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_xattrs, world_setup, world_teardown),
		cmocka_unit_test(test_acl_check),
		cmocka_unit_test_setup_teardown(test_access_acl, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_default_acl, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_drop_leaves_nothing, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_content, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reopen, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_numbers, world_setup, world_teardown),
		cmocka_unit_test(test_record),
		cmocka_unit_test_setup_teardown(test_damaged_record, world_setup, world_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
