/*
 * What the files of store/kv share. Nobody else includes this, but for the tests.
 */
#ifndef MITHRIL_STORE_KV_INTERNAL_H
#define MITHRIL_STORE_KV_INTERNAL_H

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>

#include "store/kv/kv.h"

/* RocksDB insists on a family of this name; it stays empty. */
#define FAMILY_DEFAULT KV_FAMILIES
#define FAMILY_TOTAL (KV_FAMILIES + 1)

/*
 * Who is inside RocksDB, so that the database can be closed and opened anew under its users. Counted in
 * slots, one a thread, so that threads do not fight over one cache line.
 */
#define GATE_SLOTS 16u
struct gate {
	struct {
		_Alignas(64) _Atomic uint32_t users;
	} slots[GATE_SLOTS];
	_Atomic bool closed;
	pthread_mutex_t mutex; /* guards the change of `closed` */
	pthread_cond_t opened;
};
void gate_init(struct gate *gate);
void gate_release(struct gate *gate);
/* Waits while the gate is closed. The slot must be given to gate_leave. */
unsigned gate_enter(struct gate *gate);
void gate_leave(struct gate *gate, unsigned slot);
/* Closes it and waits until nobody is inside. False, and open again, if somebody still is after `wait_ms`. */
bool gate_close(struct gate *gate, unsigned wait_ms);
void gate_open(struct gate *gate);

/*
 * How the database is open. RocksDB 7.8 must not write to a WAL that met a full disk once (an assertion ends
 * the process, and where assertions are off the WAL is damaged), so a full disk means: open anew.
 */
enum kv_mode {
	MODE_NORMAL,
	MODE_BROKEN,  /* a write met a full disk: nothing may be written until it is open anew */
	MODE_FULL,    /* opened anew: WAL only, fed from the reserve, and only for what frees space */
	MODE_READING, /* not even that: reads only */
};

struct kv {
	char *path;
	struct kv_options asked;
	struct gate gate; /* guards what follows, up to `cache` */
	rocksdb_t *db;	  /* NULL when it could not be opened anew */
	rocksdb_column_family_handle_t *families[FAMILY_TOTAL];
	rocksdb_cache_t *cache;
	rocksdb_readoptions_t *read;
	rocksdb_writeoptions_t *write, *write_durable;
	_Atomic int mode;
	_Atomic int failed;	    /* 0, or the -EIO that every write now gets */
	_Atomic uint64_t next_turn; /* CLOCK_MONOTONIC, ms: no attempt to leave a full mode before it */
	_Atomic uint64_t next_look; /* the same: while there is much room, it is not looked at before */
	pthread_mutex_t turning;    /* one at a time */
	struct {
		int fd;		      /* of the log that is written to in MODE_FULL; else -1 */
		uint64_t used, fed;   /* bytes written, bytes allocated */
		pthread_mutex_t lock; /* guards those */
	} wal;
};

/* --- options.c --- */

/* `log_dir`: where RocksDB writes its log; NULL: into the database. */
void kv_options_make(
	struct kv *kv, enum kv_mode mode, const char *log_dir, rocksdb_options_t *options[FAMILY_TOTAL]);
void kv_options_free(rocksdb_options_t *options[FAMILY_TOTAL]);
const char *kv_family_name(size_t family);
/* Bytes of memtables in the normal mode. */
size_t kv_options_buffer(const struct kv_options *asked);

/* --- open.c --- */

/* Opens in that mode, or in the nearest one that is possible. With the gate closed, or before it is shared.
 */
int kv_database_open(struct kv *kv, enum kv_mode mode);
void kv_database_close(struct kv *kv);

/* --- room.c --- */

/* Bytes that the file system still has for this process; UINT64_MAX when it does not say. */
uint64_t room_left(const char *path);
/* Its size; UINT64_MAX when it does not say. */
uint64_t room_total(const char *path);
/* Bytes of the WAL files. */
uint64_t room_log_bytes(const char *path);
/* fsyncs the WAL files and their names behind RocksDB's back: it does not sync those that it recovers from
 * and keeps. */
int room_sync_logs(const char *path);
/* The mode that the free space allows. */
enum kv_mode room_mode(const char *path);
/* Tries to get into a mode in which the batch (NULL: anything but a batch) can be written. 0 or -ENOSPC. */
int room_admit(struct kv *kv, const struct kv_batch *batch);
/* A write met a full disk. 0 when the batch may be tried once more. */
int room_broken(struct kv *kv, const struct kv_batch *batch);

/* --- reserve.c --- */

/* A preallocated file of up to RESERVE bytes beside the database: filled while there is room, given up piece
 * by piece when there is none. */
#define RESERVE ((uint64_t)4 << 20)
uint64_t reserve_bytes(const char *path);
/* 0 it is whole; -ENOSPC it has what could be had; another error: such a file system cannot have one. */
int reserve_fill(const char *path);
/* Gives up to that many bytes back to the file system; how many. */
uint64_t reserve_give(const char *path, uint64_t bytes);

/* Around the time in which the database is open in MODE_FULL. */
void wal_begin(struct kv *kv);
void wal_end(struct kv *kv);
/* Allocates room for a write of `bytes` to the log. 0 or -ENOSPC. */
int wal_feed(struct kv *kv, size_t bytes);

/* --- iter.c --- */

/* Whether this thread has an iterator: then waiting for the gate to close is in vain. */
bool kv_iter_is_held(void);

/* --- batch.c --- */

/* Hands the batch to RocksDB. NULL, or its error string. */
char *kv_batch_apply(struct kv *kv, struct kv_batch *batch, bool durable);
bool kv_batch_is_freeing(const struct kv_batch *batch);
bool kv_batch_is_trading(const struct kv_batch *batch);

/* --- error.c --- */

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
