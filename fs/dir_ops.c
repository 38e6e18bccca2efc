#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount.h"

/* A reply to readdir or readdirplus as it fills. */
struct listing {
	fuse_req_t req;
	struct mount *mount;
	bool plus;
	char *bytes;
	size_t len, capacity;
	int error;
};

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int emit_plain(struct listing *listing, const struct names_entry *entry)
{
	size_t room = listing->capacity - listing->len;
	struct stat st = {.st_ino = entry->ino, .st_mode = entry->type};
	size_t need = fuse_add_direntry(
		listing->req, listing->bytes + listing->len, room, entry->name, &st, (off_t)entry->next);

	if (need > room)
		return 1;
	listing->len += need;
	return 0;
}

/* Fills in an entry with its attributes. False: it is gone again, and left out. */
static bool describe(
	struct listing *listing, const struct names_entry *entry, struct fuse_entry_param *param, int *error)
{
	struct inode inode;

	*param = (struct fuse_entry_param){.attr.st_ino = entry->ino, .attr.st_mode = entry->type};
	if (is_dots(entry->name))
		return true;
	*error = names_get(listing->mount->names, entry->ino, &inode);
	if (*error == -ENOENT)
		*error = 0;
	else if (!*error) {
		content_fill(listing->mount->stage, &inode);
		*error = entry_of(listing->mount, &inode, param);
		return !*error;
	}
	return false;
}

static int emit_plus(struct listing *listing, const struct names_entry *entry)
{
	size_t room = listing->capacity - listing->len;
	struct fuse_entry_param param = {0};
	size_t need = fuse_add_direntry_plus(listing->req, NULL, 0, entry->name, &param, 0);

	if (need > room)
		return 1;
	if (!describe(listing, entry, &param, &listing->error))
		return listing->error != 0;
	listing->len += fuse_add_direntry_plus(
		listing->req, listing->bytes + listing->len, room, entry->name, &param, (off_t)entry->next);
	return 0;
}

static int emit(void *ctx, const struct names_entry *entry)
{
	struct listing *listing = ctx;

	return listing->plus ? emit_plus(listing, entry) : emit_plain(listing, entry);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct listing listing = {.req = req, .mount = mount_of(req), .plus = plus, .capacity = size};
	int ret = -ENOMEM;

	listing.bytes = malloc(size);
	if (listing.bytes)
		ret = names_readdir(listing.mount->names, ino, (uint64_t)off, emit, &listing);
	if (!ret)
		ret = listing.error;
	/* What was already gathered has been counted as looked up: it must go out. */
	if (ret && !listing.len)
		reply_status(req, ret);
	else
		fuse_reply_buf(req, listing.bytes, listing.len);
	free(listing.bytes);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_open(req, fi);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

static void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static void op_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	(void)fi;
	reply_status(req, names_sync(mount_of(req)->names));
}

void dir_ops(struct fuse_lowlevel_ops *ops)
{
	ops->opendir = op_opendir;
	ops->readdir = op_readdir;
	ops->readdirplus = op_readdirplus;
	ops->releasedir = op_releasedir;
	ops->fsyncdir = op_fsyncdir;
}
