/*
 * The namespace: inodes, directory entries, hard links, symbolic links, extended attributes, ACLs.
 *
 * Every operation is one atomic batch: it happens whole or not at all, to observers and across crashes. None
 * is synced; names_sync makes all that happened before durable. POSIX semantics throughout, but no permission
 * checks: the kernel does them (default_permissions). The caller's uid and gid only say who owns what is
 * made.
 *
 * Concurrency: any thread. Read-modify-write sequences take striped locks by inode number, in ascending
 * order, so an operation on two directories cannot deadlock. names_lock/names_unlock offer the stripe to the
 * content modules (store/stage), which change an inode's content under it.
 *
 * Inode numbers are never reused. The root directory is NAMES_ROOT. Numbers are reserved in blocks; a crash
 * loses the rest of a block.
 *
 * Directory order: entries are keyed by a 62-bit hash of their name, and a readdir offset is a hash, so a
 * walk stays right while entries come and go: what is there throughout is seen exactly once.
 */
#ifndef MITHRIL_STORE_NAMES_NAMES_H
#define MITHRIL_STORE_NAMES_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "store/kv/kv.h"

#define NAMES_ROOT 1u
#define NAMES_MAX 255u /* bytes of a name */
#define NAMES_SYMLINK_MAX 4095u
#define NAMES_LINK_MAX 1000000u
#define NAMES_XATTR_NAME_MAX 255u
#define NAMES_XATTR_SIZE_MAX 65536u
#define NAMES_XATTR_LIST_MAX 65536u

/* Where a regular file's bytes are. On disk: never renumber. */
enum content_state {
	CONTENT_NONE = 0,    /* not a regular file; or a regular file of `size` zero bytes (a hole) */
	CONTENT_INLINE = 1,  /* in KV_INLINE */
	CONTENT_STAGED = 2,  /* in staging/; the staged file's fstat is the truth for size and mtime */
	CONTENT_ENCODED = 3, /* by recipe */
};

struct inode {
	uint64_t ino;
	uint32_t mode, uid, gid, nlink;
	uint64_t rdev;
	uint64_t size;	 /* of a directory: its entries; of a staged file: as last recorded */
	uint64_t blocks; /* 512-byte units to show in st_blocks; for a symlink or directory 0 */
	struct timespec atime, mtime, ctime, btime;
	uint64_t parent; /* directories: the parent, for ".."; the root's is itself. 0 otherwise */
	enum content_state content;
	uint64_t recipe;  /* of encoded content; 0 otherwise */
	uint64_t version; /* content version: grows with each change of `content` */
	uint32_t flags;	  /* enum inode_flags; callers pass them on as they are */
	uint64_t cache;	  /* files and directories with INODE_CACHE: the directory of their cache; else 0 */
};

/* What else the inode has, so that most need not be asked for it. On disk: never renumber. */
enum inode_flags {
	INODE_XATTRS = 1, /* extended attributes, ACLs among them */
	INODE_ACL = 2,	  /* an access ACL */
	INODE_DEFAULT_ACL = 4,
	INODE_CAPABILITY = 8, /* security.capability */
	INODE_CACHE = 16,     /* it has the cache profile */
	INODE_EVICTED = 32, /* its last name went with its group: an orphan that nobody is to open any more */
};

struct names;

/* `seed` seeds the name hash. Makes the root directory (mode 0755, owner uid/gid) if there is none. -errno.
 */
int names_open(struct kv *kv, uint64_t seed, uint32_t root_uid, uint32_t root_gid, struct names **out);
void names_close(struct names *names);

/* Who makes something, and with which permissions. */
struct names_owner {
	uint32_t uid, gid;
	uint32_t umask; /* applied unless the parent has a default ACL, which then takes its place */
};

/* -ENOENT. */
int names_get(struct names *names, uint64_t ino, struct inode *out);

/* Looks `name` up in directory `parent`. "." and ".." work. -ENOENT (if the directory is there, *out is it),
 * -ENOTDIR, -ENAMETOOLONG, -EINVAL ('/' or NUL in it). */
int names_lookup(struct names *names, uint64_t parent, const char *name, struct inode *out);

/* Reserves an inode number. 0 or -EIO, -ENOSPC. */
int names_reserve(struct names *names, uint64_t *ino);

/* Makes an entry and its inode. `ino`: from names_reserve, or 0 to have one reserved. `mode` carries the type
 * (S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK). A set-group-ID parent gives its group, and to
 * directories the bit. `content` is CONTENT_NONE, or CONTENT_STAGED for a regular file whose staged file
 * exists already (KV_STAGED gets its key in the same batch). -EEXIST, -ENOENT (parent gone), -ENOTDIR,
 * -ENAMETOOLONG, -EINVAL, -EMLINK, -ENOSPC, -EIO. */
int names_make(struct names *names, uint64_t parent, const char *name, uint32_t mode, uint64_t rdev,
	const struct names_owner *owner, enum content_state content, uint64_t ino, struct inode *out);

/* As names_make for a regular file without a name (O_TMPFILE): nlink 0, an orphan until linked. */
int names_make_unnamed(struct names *names, uint64_t parent, uint32_t mode, const struct names_owner *owner,
	enum content_state content, uint64_t ino, struct inode *out);

int names_symlink(struct names *names, uint64_t parent, const char *name, const char *target,
	const struct names_owner *owner, struct inode *out);

/* Copies the target into dst (capacity at least NAMES_SYMLINK_MAX + 1), NUL-terminated. -EINVAL not a
 * symlink. */
int names_readlink(struct names *names, uint64_t ino, char *dst, size_t capacity);

/* -EPERM a directory; -EEXIST; -EMLINK; -ENOENT an inode without names that is no orphan. */
int names_link(struct names *names, uint64_t ino, uint64_t parent, const char *name, struct inode *out);

/* Removes an entry; not a directory (-EISDIR). At nlink 0 the inode becomes an orphan: it stays, with its
 * content, until names_drop. `out` (may be NULL) is the inode after it. */
int names_unlink(struct names *names, uint64_t parent, const char *name, struct inode *out);

/* -ENOTEMPTY, -ENOTDIR, -EBUSY (the root), -EINVAL ("."). The directory becomes an orphan. */
int names_rmdir(struct names *names, uint64_t parent, const char *name, struct inode *out);

/* rename(2) with flags 0, RENAME_NOREPLACE or RENAME_EXCHANGE (others: -EINVAL). A directory cannot move
 * below itself (-EINVAL); a target directory must be empty (-ENOTEMPTY). `out` may be NULL. */
struct names_renamed {
	struct inode moved;
	bool over_file; /* the new name stood for a regular file */
	uint64_t gone;	/* the inode whose last name was replaced, now an orphan; or 0 */
};
int names_rename(struct names *names, uint64_t parent, const char *name, uint64_t new_parent,
	const char *new_name, unsigned flags, struct names_renamed *out);

/* Which fields names_setattr takes from `attr`. */
enum {
	NAMES_SET_MODE = 1, /* permission bits only; also rewrites the access ACL's mask, as acl(5) says */
	NAMES_SET_UID = 2,
	NAMES_SET_GID = 4,
	NAMES_SET_ATIME = 8,
	NAMES_SET_MTIME = 16,
	NAMES_SET_CTIME = 32, /* else ctime becomes now */
	/* Clear set-user-ID, set-group-ID if group-executable, and security.capability. */
	NAMES_KILL_PRIV = 64,
};
int names_setattr(
	struct names *names, uint64_t ino, const struct inode *attr, unsigned fields, struct inode *out);

/* One entry of a walk. */
struct names_entry {
	const char *name; /* NUL-terminated; good until the callback returns */
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
	uint64_t next; /* offset to continue after this entry */
};

/* Calls `emit` for each entry of directory `ino` from `offset` (0: the beginning, "." and ".." first) until
 * it returns non-zero (which entry was then not taken) or the directory ends. -ENOENT, -ENOTDIR, -EIO. */
int names_readdir(struct names *names, uint64_t ino, uint64_t offset,
	int (*emit)(void *ctx, const struct names_entry *entry), void *ctx);

/* Extended attributes. `flags` of setxattr(2). The values of system.posix_acl_access and
 * system.posix_acl_default are the kernel's xattr form of an ACL (version 2), checked; setting an access ACL
 * also sets the mode bits. -ENODATA none; -ERANGE capacity too small (capacity 0 asks for the length);
 * -EEXIST, -ENODATA (by flags); -ENOSPC too many; -E2BIG. get and list give the length. */
int names_setxattr(
	struct names *names, uint64_t ino, const char *name, const void *value, size_t len, int flags);
ssize_t names_getxattr(struct names *names, uint64_t ino, const char *name, void *dst, size_t capacity);
ssize_t names_listxattr(struct names *names, uint64_t ino, char *dst, size_t capacity);
int names_removexattr(struct names *names, uint64_t ino, const char *name);

/* The cache profile. A directory that is given NAMES_PROFILE "cache" is a *cache*: it, and every file and
 * directory made below it from then on, has INODE_CACHE and its number as `cache`; one below it that is given
 * the profile itself is another. "default", or to remove it, takes it from the inode, and a cache that was
 * one is one no more. NAMES_MAX_SIZE is the bound of a cache, in bytes of its files: a number, or one with K,
 * M, G, T, KiB, .. (powers of 1024) or KB, .. (of 1000); 0 or to remove it: none. Both are given to a
 * directory alone
 * (-ENOTDIR), the second to a cache alone; -EINVAL what is neither. They are kept in the inode and in
 * KV_META, listed where the cache is, and told of all that inherits them. */
#define NAMES_PROFILE "user.mithril.profile"
#define NAMES_MAX_SIZE "user.mithril.max-size"
/* Calls `each` for every cache, by number, until it gives non-zero, which is then returned.
 * max_size 0: no bound. -EIO, -ENOMEM. */
int names_caches(struct names *names, int (*each)(void *ctx, uint64_t ino, uint64_t max_size), void *ctx);
/* It was used then: the access time, if it is later than that of the record, and nothing else. */
int names_used(struct names *names, uint64_t ino, struct timespec when);

/* Takes names away from a directory, all at once: who looks sees all of them or none. Each must still be that
 * inode's, which is no directory. `whole`: only if the directory has no more than `others` entries beside
 * them. `self` (may be NULL) is the name of the directory `directory` itself in `parent`: it goes too if
 * nothing is left in it. -ESTALE a name is gone or another's by now, or `ready` (may be NULL; called with
 * everything locked, so it takes no lock of names) says no: then nothing has changed. -ENOENT, -ENOTDIR,
 * -EIO, -ENOSPC, -ENOMEM. */
struct names_group {
	uint64_t directory, parent;
	const char *self;
	struct names_member {
		const char *name;
		uint64_t ino;
		uint32_t type; /* set: S_IFMT bits */
		bool unlinked; /* set: that was its last name, it is an orphan now */
	} * members;
	size_t count;
	bool whole;
	uint64_t others;
	bool (*ready)(void *ctx);
	void *ctx;
	bool directory_gone; /* set */
};
int names_remove_group(struct names *names, struct names_group *group);

/* Content changes, for store/stage. Hold the inode's stripe from reading the record to names_put_content. */
void names_lock(struct names *names, uint64_t ino);
void names_unlock(struct names *names, uint64_t ino);
/* Adds the inode's record with the given content, recipe, size, blocks, mtime, ctime and a version one higher
 * to `batch`; the caller writes the batch while it holds the stripe. */
void names_put_content(struct names *names, struct kv_batch *batch, const struct inode *inode);

/* Adds to `batch` what removes an orphan inode (its record, xattrs, orphan key; the content of a regular file
 * is the caller's), and marks it by kv_batch_frees. *out: what it was. Hold the inode's stripe from here
 * until the batch is written. -ENOENT, -EBUSY it has a name again. */
int names_drop(struct names *names, struct kv_batch *batch, uint64_t ino, struct inode *out);

/* Calls `each` for every orphan. Not while others make them: at start only. */
int names_orphans(struct names *names, int (*each)(void *ctx, uint64_t ino), void *ctx);

/* Files, directories and all other inodes that have a name; exact, kept in memory, counted at open. */
void names_count(struct names *names, uint64_t *files, uint64_t *directories, uint64_t *others);

/* Everything acknowledged so far becomes durable. */
int names_sync(struct names *names);

/*
 * Pure: the record's bytes (mithril-format(5)). encode returns the length (<= NAMES_RECORD_MAX); decode
 * -EBADMSG.
 *
 *   offset size              offset size                offset size
 *        0    1  1 (version)     24    8  atime, s          72    8  size
 *        1    1  content         32    8  mtime, s          80    8  blocks
 *        2    2  flags           40    8  ctime, s          88    8  rdev
 *        4    4  mode            48    8  btime, s          96    8  parent
 *        8    4  uid             56    4  mtime, ns        104    8  recipe
 *       12    4  gid             60    4  ctime, ns        112    8  version of the content
 *       16    4  nlink           64    4  btime, ns        120       end
 *       20    4  atime, ns       68    4  0
 *
 * Valid if and only if: 120 bytes, version 1, content and flags known, a file type in mode and no bits above
 * 0177777, content only in regular files, nanoseconds below 10^9, size below 2^63, and a parent in
 * directories alone.
 */
#define NAMES_RECORD_MAX 256u
size_t inode_encode(const struct inode *inode, uint8_t dst[NAMES_RECORD_MAX]);
int inode_decode(struct inode *inode, uint64_t ino, const uint8_t *src, size_t len);

#endif
