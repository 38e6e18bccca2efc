/*
 * What the files of store/names share. Nobody else includes this, but for the tests.
 */
#ifndef MITHRIL_STORE_NAMES_INTERNAL_H
#define MITHRIL_STORE_NAMES_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/names/names.h"

#define STRIPES 1024u
#define FIRST_HASH 4u /* offsets below are "." and ".." */
#define XATTR_ACL_ACCESS "system.posix_acl_access"
#define XATTR_ACL_DEFAULT "system.posix_acl_default"
#define XATTR_CAPABILITY "security.capability"

struct names {
	struct kv *kv;
	uint64_t seed;
	uint64_t hash_mask; /* all ones, but where a test wants collisions */
	pthread_mutex_t stripes[STRIPES];
	pthread_mutex_t
		moving; /* held by renames that give a directory another parent; taken before stripes */
	pthread_mutex_t numbers;     /* guards the two below */
	uint64_t next_ino, last_ino; /* reserved: next_ino <= ino < last_ino */
	_Atomic uint64_t files, directories, others;
};

/* --- stripes.c --- */

/* Up to four inodes, locked together in stripe order. */
struct locks {
	unsigned count;
	unsigned stripe[6];
};
void locks_take(struct names *names, struct locks *locks, const uint64_t *inos, unsigned count);
/* Adds an inode to what is held, if that needs no waiting: who waits in this order could wait for ever. */
bool locks_try(struct names *names, struct locks *locks, uint64_t ino);
void locks_release(struct names *names, struct locks *locks);

/* --- inodes.c --- */

/* 0, -ENOENT, or -EIO for a damaged record, which is logged. */
int inode_load(struct names *names, uint64_t ino, struct inode *out);
/* As inode_load, of a directory that still has its place: -ENOENT when it was removed, -ENOTDIR. */
int directory_load(struct names *names, uint64_t ino, struct inode *out);
void inode_store(struct names *names, struct kv_batch *batch, const struct inode *inode);
struct timespec inode_now(void);
/* Marks the directory changed. */
void directory_touch(struct inode *directory, struct timespec now);
/* One more (+1) or one less (-1) inode of that type has a name. */
void names_counted(struct names *names, uint32_t mode, int change);
void orphan_add(struct names *names, struct kv_batch *batch, uint64_t ino);
void orphan_remove(struct names *names, struct kv_batch *batch, uint64_t ino);
bool orphan_exists(struct names *names, uint64_t ino);

/* --- entries.c --- */

struct entry {
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
};
#define ENTRY_KEY_MAX (16u + NAMES_MAX)
#define ENTRY_VALUE_SIZE 9u

/* 0; -ENAMETOOLONG; -EINVAL for "", ".", ".." and what holds a '/'. */
int name_check(const char *name);
uint64_t name_hash(const struct names *names, const char *name, size_t len);
/* 0, -ENOENT, -EIO. */
int entry_get(struct names *names, uint64_t parent, const char *name, struct entry *out);
void entry_put(struct names *names, struct kv_batch *batch, uint64_t parent, const char *name,
	const struct inode *child);
void entry_delete(struct names *names, struct kv_batch *batch, uint64_t parent, const char *name);
/* Why a name is not there: -ENOTDIR, -ENOENT, -EIO. */
int entry_absent(struct names *names, uint64_t parent);
/* Finds the entry and locks it together with its directory; what was found holds until locks_release. */
int entry_lock(
	struct names *names, uint64_t parent, const char *name, struct entry *out, struct locks *locks);
/* The inode of an entry: missing, of another type or without names it is damage, -EIO. */
int child_load(struct names *names, const struct entry *entry, struct inode *out);
/* Decodes a value. 0 or -EBADMSG. */
int entry_decode(struct entry *out, const uint8_t *value, size_t len);

/* --- xattrs.c --- */

void xattr_put(struct names *names, struct kv_batch *batch, uint64_t ino, const char *name, const void *value,
	size_t len);
void xattr_delete(struct names *names, struct kv_batch *batch, uint64_t ino, const char *name);
/* Value into malloc'd memory. -ENODATA, -EIO, -ENOMEM. */
int xattr_load(struct names *names, uint64_t ino, const char *name, void **value, size_t *len);
/* Writes the inode, changed now. */
int store_inode(struct names *names, struct kv_batch *batch, struct inode *inode);
/* Adds the removal of all of them. */
int xattr_delete_all(struct names *names, struct kv_batch *batch, uint64_t ino);

/* --- profile.c --- */

/* Whether the attribute is one of those that the inode and KV_META hold. */
bool is_profile(const char *name);
/* As names_getxattr. */
ssize_t profile_get(
	struct names *names, const struct inode *inode, const char *name, void *dst, size_t capacity);
/* Copies the names that fit and gives the length of all, as xattrs.c does with its own. */
ssize_t profile_list(struct names *names, const struct inode *inode, char *dst, size_t capacity);
/* value NULL: removes it. Writes the batch. With the inode's stripe held. */
int profile_set(struct names *names, struct kv_batch *batch, struct inode *inode, const char *name,
	const void *value, size_t len, int flags);
/* Pure: "10", "10G", "10GiB", "10GB". -EINVAL. */
int profile_parse_bound(const char *text, uint64_t *out);
/* Adds: the directory is no cache any more. */
void profile_forget(struct names *names, struct kv_batch *batch, uint64_t ino);

#endif
