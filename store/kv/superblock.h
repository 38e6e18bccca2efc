/*
 * The superblock: the file that says that a directory is a store, of which version, and its identity.
 *
 * Layout of a store:  superblock  lock  control  kv/  packs/  staging/
 *
 * The file is 4096 bytes (mithril-format(5)): magic "MITHRIL\n", le32 version, le32 flags, 16-byte uuid, le64
 * hash seed, le64 creation time (s), le32 chunk size, zeros, and in the last 8 bytes XXH3-64 of all before
 * it.
 */
#ifndef MITHRIL_STORE_KV_SUPERBLOCK_H
#define MITHRIL_STORE_KV_SUPERBLOCK_H

#include <stddef.h>
#include <stdint.h>

#define SUPERBLOCK_SIZE 4096u
#define SUPERBLOCK_VERSION 1u

struct superblock {
	uint32_t version;
	uint8_t uuid[16];
	uint64_t hash_seed;  /* seeds chunk ids, so that nobody can prepare collisions */
	uint64_t created;    /* seconds since 1970 */
	uint32_t chunk_size; /* bytes, of tensor chunks */
};

/* Pure. Fills exactly SUPERBLOCK_SIZE bytes. */
void superblock_encode(const struct superblock *sb, uint8_t dst[SUPERBLOCK_SIZE]);

/* Pure. -EINVAL not a superblock; -EPROTONOSUPPORT newer version (sb->version is set); -EBADMSG damaged. */
int superblock_decode(struct superblock *sb, const uint8_t *src, size_t len);

/* Fresh identity from getrandom(2). */
int superblock_generate(struct superblock *sb);

/* Writes STORE/superblock by temporary name, fsync, rename, fsync of the directory. -errno. */
int superblock_write(const char *store, const struct superblock *sb);

/* -ENOENT there is none; errors of superblock_decode; -errno of open(2), read(2). */
int superblock_read(const char *store, struct superblock *sb);

/* One writer a store. Takes an exclusive flock(2) on STORE/lock and writes who holds it ("pid 123 host
 * name"). Returns a descriptor that holds the lock until closed, or -EWOULDBLOCK with `holder` (capacity
 * bytes, NUL-terminated) filled with the line of the one who has it, or -errno. */
int store_lock(const char *store, char *holder, size_t capacity);

/* The lock of readers, of whom there may be many while there is no writer. Writes nothing, so it works on a
 * read-only disk. As store_lock; -ENOENT also when the store was never written, and there is no lock yet. */
int store_lock_shared(const char *store, char *holder, size_t capacity);

#endif
