#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fs/mount.h"

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct mount *mount = mount_of(req);
	struct fuse_entry_param absent = {.entry_timeout = mount->timeout};
	struct inode inode = {0};
	int ret = names_lookup(mount->names, parent, name, &inode);

	if (ret == -ENOENT) {
		keeper_miss(mount->keeper, inode.cache);
		fuse_reply_entry(req, &absent);
		return;
	}
	if (ret) {
		reply_status(req, ret);
		return;
	}
	content_fill(mount->stage, &inode);
	reply_entry(req, &inode);
}

static void forget_one(struct mount *mount, uint64_t ino, uint64_t times)
{
	if (nodes_forget(mount->nodes, ino, times))
		drops_add(mount->drops, ino);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t times)
{
	forget_one(mount_of(req), ino, times);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget_one(mount_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void make(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct mount *mount = mount_of(req);
	const struct names_owner owner = owner_of(req);
	struct inode inode;
	int ret = names_make(mount->names, parent, name, mode, rdev, &owner, CONTENT_NONE, 0, &inode);

	if (ret)
		reply_status(req, ret);
	else
		reply_entry(req, &inode);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	make(req, parent, name, mode, rdev);
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	make(req, parent, name, (mode & ~(mode_t)S_IFMT) | S_IFDIR, 0);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct mount *mount = mount_of(req);
	const struct names_owner owner = owner_of(req);
	struct inode inode;
	int ret = names_symlink(mount->names, parent, name, target, &owner, &inode);

	if (ret)
		reply_status(req, ret);
	else
		reply_entry(req, &inode);
}

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	char target[NAMES_SYMLINK_MAX + 1];
	int ret = names_readlink(mount_of(req)->names, ino, target, sizeof target);

	if (ret)
		reply_status(req, ret);
	else
		fuse_reply_readlink(req, target);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct mount *mount = mount_of(req);
	struct inode inode;
	int ret = names_link(mount->names, ino, parent, name, &inode);

	if (ret) {
		reply_status(req, ret);
		return;
	}
	nodes_set_unlinked(mount->nodes, ino, false);
	content_fill(mount->stage, &inode);
	reply_entry(req, &inode);
}

static void removed(fuse_req_t req, int ret, const struct inode *gone)
{
	if (!ret && !(S_ISDIR(gone->mode) ? 0 : gone->nlink))
		note_unlinked(mount_of(req), gone->ino);
	reply_status(req, ret);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inode gone;

	removed(req, names_unlink(mount_of(req)->names, parent, name, &gone), &gone);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct inode gone;

	removed(req, names_rmdir(mount_of(req)->names, parent, name, &gone), &gone);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	const char *new_name, unsigned flags)
{
	struct mount *mount = mount_of(req);
	struct names_renamed renamed;
	int ret = names_rename(mount->names, parent, name, new_parent, new_name, flags, &renamed);

	/* What a rename puts in the place of another file should not come to disk long after its name, which
	 * is not there yet: only a sync brings it. */
	if (!ret && renamed.over_file && renamed.moved.content == CONTENT_STAGED)
		content_writeout(mount->stage, renamed.moved.ino);
	if (!ret && renamed.gone)
		note_unlinked(mount, renamed.gone);
	reply_status(req, ret);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct stage_counts counts;
	struct statvfs st;

	(void)ino;
	if (fstatvfs(mount_of(req)->store_fd, &st)) {
		fuse_reply_err(req, errno);
		return;
	}
	/* What is kept raw makes room for whoever wants it. */
	stage_counts(mount_of(req)->stage, &counts);
	st.f_bfree += counts.kept_idle_bytes / st.f_frsize;
	st.f_bavail += counts.kept_idle_bytes / st.f_frsize;
	st.f_namemax = NAMES_MAX;
	fuse_reply_statfs(req, &st);
}

void names_ops(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = op_lookup;
	ops->forget = op_forget;
	ops->forget_multi = op_forget_multi;
	ops->mknod = op_mknod;
	ops->mkdir = op_mkdir;
	ops->symlink = op_symlink;
	ops->readlink = op_readlink;
	ops->link = op_link;
	ops->unlink = op_unlink;
	ops->rmdir = op_rmdir;
	ops->rename = op_rename;
	ops->statfs = op_statfs;
}
