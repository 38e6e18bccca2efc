/*
 * What the files of store/kv share. Nobody else includes this.
 */
#ifndef MITHRIL_STORE_KV_INTERNAL_H
#define MITHRIL_STORE_KV_INTERNAL_H

#include <rocksdb/c.h>
#include <stdatomic.h>

#include "store/kv/kv.h"

/* RocksDB insists on a family of this name; it stays empty. */
#define FAMILY_DEFAULT KV_FAMILIES
#define FAMILY_TOTAL (KV_FAMILIES + 1)

struct kv {
	rocksdb_t *db;
	rocksdb_column_family_handle_t *families[FAMILY_TOTAL];
	rocksdb_options_t *options[FAMILY_TOTAL];
	rocksdb_cache_t *cache;
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *write, *write_durable;
	bool read_only;
	_Atomic int failed; /* 0, or the -EIO that every write now gets */
	_Atomic bool full;  /* the last write met a full disk */
};

/* Fills kv->options and kv->cache; the caller releases them with kv_options_release whatever happens. */
void kv_options_fill(struct kv *kv, const struct kv_options *options);
void kv_options_release(struct kv *kv);

/* Hands the batch to RocksDB. NULL, or its error string. */
char *kv_batch_apply(struct kv *kv, struct kv_batch *batch, bool durable);

/* The family's name on disk. */
const char *kv_family_name(size_t family);

/*
 * What RocksDB's error string means as -errno; 0 for NULL. The text is all that the C API tells.
 *   -ENOSPC   no space, or no quota, left
 *   -EBUSY    another process, or this one, has the lock
 *   -EACCES   permission denied, or a read-only file system
 *   -ENOMEM   out of memory
 *   -EUCLEAN  corruption, or anything that RocksDB calls invalid in what it reads
 *   -EIO      anything else
 */
int kv_error_code(const char *error);

/* As kv_error_code, and frees the string. */
int kv_error_take(char *error);

/* As kv_error_take, and logs "WHAT: RocksDB's text". */
int kv_error_log(char *error, const char *what);

#endif
