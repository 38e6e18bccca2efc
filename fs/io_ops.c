#include <errno.h>
#include <fcntl.h>

#include "fs/handle.h"
#include "fs/read_buffers.h"
#include "store/util/log.h"

#define SMALL_READ (32u << 10)

static void note_damage(struct mount *mount, const struct handle *handle, size_t size, off_t off)
{
	log_error("inode %llu: damaged between offsets %lld and %lld; run mithril scrub for the extent of it",
		(unsigned long long)handle->ino, (long long)off, (long long)off + (long long)size);
	keeper_damaged(mount->keeper, content_cache(handle->content), handle->ino);
}

static void reply_error(fuse_req_t req, const struct handle *handle, int error, size_t size, off_t off)
{
	if (error == -EBADMSG)
		note_damage(mount_of(req), handle, size, off);
	reply_status(req, error);
}

static void reply_read(fuse_req_t req, struct handle *handle, char *dst, size_t size, off_t off)
{
	ssize_t n = content_read(handle->content, dst, size, (uint64_t)off);

	if (n < 0)
		reply_error(req, handle, (int)n, size, off);
	else
		fuse_reply_buf(req, dst, (size_t)n);
}

/* Straight from the decoded chunks. False: not answered. */
static bool reply_pinned(fuse_req_t req, struct handle *handle, size_t size, off_t off)
{
	struct reader_pins pins;
	ssize_t n = content_pin(handle->content, &pins, size, (uint64_t)off);

	if (n == -ENOBUFS)
		return false;
	if (n < 0) {
		reply_error(req, handle, (int)n, size, off);
		return true;
	}
	fuse_reply_iov(req, pins.parts, (int)pins.count);
	reader_unpin(&pins);
	return true;
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct read_buffers *buffers = mount_of(req)->buffers;
	char small[SMALL_READ];
	char *buffer;

	(void)ino;
	if (size <= sizeof small) {
		reply_read(req, handle_of(fi), small, size, off);
		return;
	}
	if (reply_pinned(req, handle_of(fi), size, off))
		return;
	buffer = read_buffer_get(buffers);
	if (!buffer) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	reply_read(req, handle_of(fi), buffer, size < BUFFER_SIZE ? size : BUFFER_SIZE, off);
	read_buffer_put(buffers, buffer);
}

static void op_write(
	fuse_req_t req, fuse_ino_t ino, const char *src, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct mount *mount = mount_of(req);
	struct handle *handle = handle_of(fi);
	struct inode inode;
	ssize_t n;
	int ret = 0;

	/* A page written back by mmap may come with any writer's handle, and never appends. */
	n = content_write(
		handle->content, src, size, (uint64_t)off, (fi->flags & O_APPEND) && !fi->writepage);
	if (n > 0 && ((unsigned)fi->flags & WIRE_KILL_PRIV))
		ret = kill_priv(mount, ino, &inode);
	/* Past the page cache the kernel leaves it to us to make a synchronous write durable. */
	if (n > 0 && !ret && handle->open.direct && (handle->flags & O_DSYNC))
		ret = content_fsync(handle->content, (handle->flags & O_SYNC) != O_SYNC);
	if (n < 0 || ret)
		reply_status(req, n < 0 ? (int)n : ret);
	else
		fuse_reply_write(req, (size_t)n);
}

static void op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static void op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	reply_status(req, content_fsync(handle_of(fi)->content, datasync));
}

static void op_fallocate(
	fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	(void)ino;
	if (off < 0 || len <= 0)
		fuse_reply_err(req, EINVAL);
	else
		reply_status(
			req, content_fallocate(handle_of(fi)->content, mode, (uint64_t)off, (uint64_t)len));
}

static void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	int64_t at;

	(void)ino;
	if (off < 0) {
		fuse_reply_err(req, ENXIO);
		return;
	}
	at = content_seek(handle_of(fi)->content, (uint64_t)off, whence);
	if (at < 0)
		reply_status(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}

static void op_copy(fuse_req_t req, fuse_ino_t from_ino, off_t from_off, struct fuse_file_info *from,
	fuse_ino_t to_ino, off_t to_off, struct fuse_file_info *to, size_t len, int flags)
{
	ssize_t n;

	(void)from_ino;
	(void)to_ino;
	if (from_off < 0 || to_off < 0 || flags) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	n = content_copy(
		handle_of(from)->content, (uint64_t)from_off, handle_of(to)->content, (uint64_t)to_off, len);
	if (n < 0)
		reply_status(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void io_ops(struct fuse_lowlevel_ops *ops)
{
	ops->read = op_read;
	ops->write = op_write;
	ops->flush = op_flush;
	ops->fsync = op_fsync;
	ops->fallocate = op_fallocate;
	ops->lseek = op_lseek;
	ops->copy_file_range = op_copy;
}
