#include "fs/wire.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <string.h>

#define INIT_DIRECT_IO_ALLOW_MMAP (1ull << 36)
#define INIT_PASSTHROUGH (1ull << 37)
#define INIT_MINOR 40u
#define SMALL_READ (32u << 10)

_Static_assert(
	WIRE_WRITE_HEAD == sizeof(struct fuse_in_header) + sizeof(struct fuse_write_in), "bytes of a write");

static void *body_of(void *message, size_t len, size_t need)
{
	if (len < sizeof(struct fuse_in_header) + need)
		return NULL;
	return (char *)message + sizeof(struct fuse_in_header);
}

static void note_init(
	const struct fuse_in_header *in, const struct fuse_init_in *body, struct wire_init *init)
{
	init->unique = in->unique;
	init->offered = body->flags;
	if (body->flags & FUSE_INIT_EXT)
		init->offered |= (uint64_t)body->flags2 << 32;
}

static void adapt_open(struct fuse_open_in *body)
{
	body->flags &= ~WIRE_KILL_PRIV;
	if (body->open_flags & FUSE_OPEN_KILL_SUIDGID)
		body->flags |= WIRE_KILL_PRIV;
}

static void adapt_create(struct fuse_in_header *in, struct fuse_create_in *body)
{
	in->opcode = FUSE_CREATE;
	body->flags &= ~WIRE_KILL_PRIV;
	if (body->open_flags & FUSE_OPEN_KILL_SUIDGID)
		body->flags |= WIRE_KILL_PRIV;
}

static void adapt_write(struct fuse_write_in *body)
{
	body->flags &= ~WIRE_KILL_PRIV;
	if (body->write_flags & FUSE_WRITE_KILL_SUIDGID)
		body->flags |= WIRE_KILL_PRIV;
}

/* Besides the explicit bit: a request that sets nothing is what is left of the kernel's own attempt to clear
 * privilege bits before a write that it passes through. */
static void adapt_setattr(struct fuse_setattr_in *body)
{
	const uint32_t what =
		FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_SIZE | FATTR_ATIME | FATTR_MTIME | FATTR_CTIME;

	body->mode &= ~WIRE_KILL_PRIV;
	if ((body->valid & FATTR_KILL_SUIDGID) || !(body->valid & what))
		body->mode |= WIRE_KILL_PRIV;
}

/* The extended form becomes the old one, which is shorter. */
static void adapt_setxattr(struct fuse_in_header *in, struct fuse_setxattr_in *body, size_t *len)
{
	const size_t gap = sizeof *body - FUSE_COMPAT_SETXATTR_IN_SIZE;
	char *tail = (char *)body + sizeof *body;
	size_t tail_len = *len - sizeof *in - sizeof *body;

	body->flags &= ~WIRE_KILL_PRIV;
	if (body->setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID)
		body->flags |= WIRE_KILL_PRIV;
	memmove(tail - gap, tail, tail_len);
	*len -= gap;
	in->len = (uint32_t)*len;
}

void wire_adapt(void *message, size_t *len, struct wire_init *init)
{
	struct fuse_in_header *in = message;
	void *body;

	if (*len < sizeof *in)
		return;
	switch (in->opcode) {
	case FUSE_INIT:
		if ((body = body_of(message, *len, sizeof(struct fuse_init_in))))
			note_init(in, body, init);
		break;
	case FUSE_OPEN:
		if ((body = body_of(message, *len, sizeof(struct fuse_open_in))))
			adapt_open(body);
		break;
	case FUSE_CREATE:
	case FUSE_TMPFILE:
		if ((body = body_of(message, *len, sizeof(struct fuse_create_in))))
			adapt_create(in, body);
		break;
	case FUSE_WRITE:
		if ((body = body_of(message, *len, sizeof(struct fuse_write_in))))
			adapt_write(body);
		break;
	case FUSE_SETATTR:
		if ((body = body_of(message, *len, sizeof(struct fuse_setattr_in))))
			adapt_setattr(body);
		break;
	case FUSE_SETXATTR:
		if (!(init->offered & FUSE_SETXATTR_EXT))
			break;
		if ((body = body_of(message, *len, sizeof(struct fuse_setxattr_in))))
			adapt_setxattr(in, body, len);
		break;
	}
}

static enum wire_pace slow_if(bool slow)
{
	return slow ? WIRE_SLOW : WIRE_QUICK;
}

uint32_t wire_opcode(const void *message, size_t len)
{
	const struct fuse_in_header *in = message;

	return len < sizeof *in ? 0 : in->opcode;
}

enum wire_pace wire_pace(const void *message, size_t len)
{
	const struct fuse_in_header *in = message;
	const union {
		struct fuse_read_in read;
		struct fuse_open_in open;
		struct fuse_setattr_in setattr;
	} *body = (const void *)(in + 1);

	if (len < sizeof *in)
		return WIRE_INSTANT;
	len -= sizeof *in;
	switch (in->opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_FLUSH:
	case FUSE_OPENDIR:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return WIRE_INSTANT;
	case FUSE_READ:
		return slow_if(len >= sizeof body->read && body->read.size > SMALL_READ);
	case FUSE_WRITE:
		return slow_if(len > SMALL_READ);
	case FUSE_OPEN:
		return slow_if(len >= sizeof body->open && (body->open.flags & O_ACCMODE) != O_RDONLY);
	case FUSE_SETATTR:
		return slow_if(len >= sizeof body->setattr && body->setattr.valid & FATTR_SIZE);
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_FALLOCATE:
	case FUSE_COPY_FILE_RANGE:
	case FUSE_LSEEK:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_STATFS:
		return WIRE_SLOW;
	default:
		return WIRE_QUICK;
	}
}

void wire_edit_init(const struct iovec *iov, int count, struct wire_init *init)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	struct fuse_init_out *body;
	uint64_t add = FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2 | FUSE_SETXATTR_EXT |
		       INIT_DIRECT_IO_ALLOW_MMAP;

	/* What is no reply may come from any thread at any time: it is not compared. */
	if (iov[0].iov_len < sizeof *out || !out->unique || out->unique != init->unique)
		return;
	init->unique = 0;
	if (out->error || count < 2 || iov[1].iov_len < sizeof *body)
		return;
	body = iov[1].iov_base;
	if (init->try_passthrough)
		add |= INIT_PASSTHROUGH;
	add &= init->offered;
	if (add >> 32)
		add |= FUSE_INIT_EXT;
	body->flags |= (uint32_t)add;
	body->flags2 |= (uint32_t)(add >> 32);
	init->direct_mmap = add & INIT_DIRECT_IO_ALLOW_MMAP;
	if (add & INIT_PASSTHROUGH) {
		if (body->minor < INIT_MINOR)
			body->minor = INIT_MINOR;
		body->unused[0] = init->stack_depth;
		init->passthrough = true;
	}
}
