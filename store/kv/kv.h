/*
 * The key-value side of the store: everything small. The only module that sees RocksDB.
 *
 * Families (column families) and who owns their keys and values:
 *   KV_META     store/store.c: counters and settings, text keys; store/names: keys "names.*";
 *               store/stage: keys "kept." and a be64 ino
 *   KV_INODES   store/names: be64 ino -> inode record
 *   KV_ENTRIES  store/names: be64 parent, be64 name hash, name -> le64 child, u8 type (mode >> 12)
 *   KV_XATTRS   store/names: be64 ino, name -> value; without a name: the target of a symbolic link
 *   KV_ORPHANS  store/names: be64 ino of files without a name that may still be open
 *   KV_INLINE   store/stage: be64 ino -> the whole content of a small file (zstd-compressed by RocksDB)
 *   KV_STAGED   store/stage: be64 ino -> when; the queue of files, staged or inline, that await encoding
 *   KV_RECIPES  store/recipes: be64 recipe, page kind, be64 offset -> page
 *   KV_TENSORS  store/recipes: 16-byte tensor key, be64 ~recipe -> where; the search for bases
 *   KV_DEAD     store/recipes: be64 recipe whose file is gone; garbage collection removes its pages
 *   KV_CHUNKS   store/chunks: 16-byte chunk id -> chunk record
 *
 * Writing: a batch is atomic. RocksDB joins batches that arrive together into one group with one commit
 * leader and, if any of them asks to be durable, one WAL sync for the group. A write that is not durable
 * survives the death of the process, not a power cut. After a WAL error the store is read-only: every later
 * write gives -EIO. A full disk gives -ENOSPC, and the store goes on by itself when there is room.
 *
 * All functions are safe from any thread; a batch and an iterator belong to one thread at a time.
 */
#ifndef MITHRIL_STORE_KV_KV_H
#define MITHRIL_STORE_KV_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kv_family {
	KV_META,
	KV_INODES,
	KV_ENTRIES,
	KV_XATTRS,
	KV_ORPHANS,
	KV_INLINE,
	KV_STAGED,
	KV_RECIPES,
	KV_TENSORS,
	KV_DEAD,
	KV_CHUNKS,
	KV_FAMILIES
};

struct kv;
struct kv_batch;
struct kv_iter;

struct kv_options {
	bool create;	     /* make the database if the directory holds none */
	bool read_only;	     /* no lock taken, nothing written; sees the last flushed state and the WAL */
	size_t block_cache;  /* bytes; 0: 64 MiB */
	size_t write_buffer; /* bytes of memtables over all families; 0: 64 MiB, less on a small disk */
};

/* Opens the database in directory `path`. On success *out is owned by the caller (kv_close).
 * -ENOENT no database there and !create; -EBUSY another process has it; -EUCLEAN damaged (the log line says
 * what); -ENOSPC; -EACCES; -ENOMEM; -EIO anything else. Logs RocksDB's own message. */
int kv_open(const char *path, const struct kv_options *options, struct kv **out);

/* Syncs the WAL and closes. NULL is fine. No other thread may be inside a call. */
void kv_close(struct kv *kv);

/* Copies a value into `dst` of `capacity` bytes and sets *len to its length. -ENOENT; -ENOBUFS when it is
 * longer than capacity (*len is then the needed length); -EIO. */
int kv_get(struct kv *kv, enum kv_family family, const void *key, size_t key_len, void *dst, size_t capacity,
	size_t *len);

/* As kv_get, into memory that the caller frees with free(3). One byte more than *len is allocated and zeroed.
 * -ENOENT, -ENOMEM, -EIO. */
int kv_get_alloc(
	struct kv *kv, enum kv_family family, const void *key, size_t key_len, void **value, size_t *len);

/* A set of puts and deletes that is applied whole or not at all. NULL when memory is out. */
struct kv_batch *kv_batch_new(void);
void kv_batch_free(struct kv_batch *batch);
void kv_batch_clear(struct kv_batch *batch);
size_t kv_batch_count(const struct kv_batch *batch);
size_t kv_batch_bytes(const struct kv_batch *batch);
/* Keys and values are copied. `kv` gives the family's handle. */
void kv_batch_put(struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *key,
	size_t key_len, const void *value, size_t value_len);
void kv_batch_delete(
	struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *key, size_t key_len);
/* Deletes every key k with from <= k < to. */
void kv_batch_delete_range(struct kv *kv, struct kv_batch *batch, enum kv_family family, const void *from,
	size_t from_len, const void *to, size_t to_len);

/* Marks the batch as one that gives space back (an unlink, a drop, a collection): it is written even on a
 * full disk, out of a reserve of a few MiB that the store keeps for that. */
void kv_batch_frees(struct kv_batch *batch);
/* Marks the batch as one that takes a little and lets much more go right after it (a staged file that is
 * encoded): it is written on a full disk too, as long as half of the reserve is there for deletions. */
void kv_batch_trades(struct kv_batch *batch);
/* Whether even those would get -ENOSPC now. Cheap while there is room. */
bool kv_is_full(struct kv *kv);

/* Bytes of the directory that hold nothing and are that reserve. */
uint64_t kv_reserve_bytes(const struct kv *kv);

/* Applies the batch. `durable`: the WAL is synced before this returns. The batch stays the caller's.
 * -ENOSPC, -EROFS (opened read-only), -EIO. */
int kv_write(struct kv *kv, struct kv_batch *batch, bool durable);

/* Makes everything written so far durable. -EIO. */
int kv_sync(struct kv *kv);

/* Writes the memtables out and drops the WAL they came from; with `compact` also merges what is dead away,
 * which is slow; without, only families of at most 1 MiB in several tables. After it the directory's
 * size says what the data takes. */
int kv_flush(struct kv *kv, bool compact);

/* Walks a family in key order over the state at the time of the call. Keys outside `prefix` end the walk
 * (prefix_len 0: the whole family). Starts at the first key of the prefix. NULL when memory is out. */
struct kv_iter *kv_iter_new(struct kv *kv, enum kv_family family, const void *prefix, size_t prefix_len);
void kv_iter_free(struct kv_iter *it);
/* Goes to the first key >= `key`. */
void kv_iter_seek(struct kv_iter *it, const void *key, size_t key_len);
/* Goes to the last key <= `key`. */
void kv_iter_seek_for_prev(struct kv_iter *it, const void *key, size_t key_len);
/* False at the end and on an error; kv_iter_error tells which. */
bool kv_iter_valid(const struct kv_iter *it);
void kv_iter_next(struct kv_iter *it);
/* Pointers stay good until the iterator moves. */
const void *kv_iter_key(const struct kv_iter *it, size_t *len);
const void *kv_iter_value(const struct kv_iter *it, size_t *len);
/* 0, or -EIO when the walk ended early because of damage. */
int kv_iter_error(const struct kv_iter *it);

/* An estimate of the keys in a family, cheap. */
uint64_t kv_estimate_keys(struct kv *kv, enum kv_family family);

#endif
