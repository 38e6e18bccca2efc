/*
 * What the kernel says and libfuse does not hand on: pure functions of FUSE messages as they cross /dev/fuse.
 *
 * libfuse 3.14 speaks protocol 7.38 and knows neither passthrough nor parallel directory operations nor which
 * writes must drop set-user-ID. So requests are adapted before libfuse parses them (what it would lose
 * travels in flag bits that Linux leaves unused), and the reply to FUSE_INIT is edited after libfuse has
 * written it. The wire is the same under every libfuse.
 */
#ifndef MITHRIL_FS_WIRE_H
#define MITHRIL_FS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* In fuse_file_info.flags of open, create and write; in st_mode of setattr; in flags of setxattr
 * (set-group-ID only): the caller may not keep privilege bits. */
#define WIRE_KILL_PRIV (1u << 30)
/* What precedes the bytes in a write request. */
#define WIRE_WRITE_HEAD 80u
/* The name of a file made by O_TMPFILE; such a request arrives as a create. */
#define WIRE_UNNAMED "/"

#define WIRE_FOPEN_PASSTHROUGH (1u << 7)

/* Reply to an open, as the kernel reads it since 7.40. */
struct wire_open {
	uint64_t fh;
	uint32_t open_flags;
	int32_t backing_id;
};

/* ioctls of /dev/fuse. */
struct wire_backing {
	int32_t fd;
	uint32_t flags;
	uint64_t padding;
};
#define WIRE_BACKING_OPEN _IOW(229, 1, struct wire_backing)
#define WIRE_BACKING_CLOSE _IOW(229, 2, uint32_t)

/* What was agreed on. */
struct wire_init {
	uint64_t unique;      /* of the INIT request; 0: not seen */
	uint64_t offered;     /* by the kernel */
	bool try_passthrough; /* wanted */
	uint32_t stack_depth; /* to ask for: one more than that of the file system below */
	bool passthrough;     /* granted, as far as the protocol says */
	bool direct_mmap;     /* granted: what is opened past the page cache can be mapped */
};

/* Adapts a request of `*len` bytes (header included) in place; it may shrink. Notes FUSE_INIT in `init`.
 * A message too short for its opcode is left alone; libfuse refuses it. */
void wire_adapt(void *message, size_t *len, struct wire_init *init);

/* FUSE_*; 0: too short to say. */
uint32_t wire_opcode(const void *message, size_t len);

/* How long serving a request is likely to take. */
enum wire_pace {
	WIRE_INSTANT, /* less than waking another thread does */
	WIRE_QUICK,
	WIRE_SLOW, /* another thread had better listen meanwhile */
};
enum wire_pace wire_pace(const void *message, size_t len);

/* If this is the reply to FUSE_INIT, edits it: of what the kernel offered, also what libfuse does not ask
 * for. Notifications leave `init` alone; replies come after it was edited. */
void wire_edit_init(const struct iovec *iov, int count, struct wire_init *init);

#endif
