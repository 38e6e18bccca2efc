#include "store/kv/kv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/kv/internal.h"
#include "store/util/log.h"

#define BLOCK_CACHE ((size_t)64 << 20)
#define BUFFER_MIN ((size_t)1 << 20)
#define BUFFER_MAX ((size_t)64 << 20)
#define DISK_SHARE 64u
#define SMALL_FAMILY ((size_t)1 << 20)

/* RocksDB would make the directory before it says that there is no database in it. */
static bool is_database(const char *path)
{
	char current[PATH_MAX];
	int n = snprintf(current, sizeof current, "%s/CURRENT", path);

	return n > 0 && n < (int)sizeof current && (access(current, F_OK) == 0 || errno != ENOENT);
}

static void release(struct kv *kv)
{
	if (kv->cache)
		rocksdb_cache_destroy(kv->cache);
	rocksdb_readoptions_destroy(kv->read);
	rocksdb_writeoptions_destroy(kv->write);
	rocksdb_writeoptions_destroy(kv->write_durable);
	gate_release(&kv->gate);
	pthread_mutex_destroy(&kv->turning);
	pthread_mutex_destroy(&kv->wal.lock);
	free(kv->path);
	free(kv);
}

/* What waits in memory is in the log too, and that must not fill a small disk. */
static size_t buffer_for(uint64_t disk)
{
	uint64_t share = disk / DISK_SHARE;

	return share < BUFFER_MIN ? BUFFER_MIN : share < BUFFER_MAX ? (size_t)share : BUFFER_MAX;
}

static struct kv *prepare(const char *path, const struct kv_options *options)
{
	/* calloc does not promise the alignment of the gate's slots */
	struct kv *kv = aligned_alloc(_Alignof(struct kv), sizeof *kv);

	if (!kv)
		return NULL;
	memset(kv, 0, sizeof *kv);
	kv->path = strdup(path);
	if (!kv->path) {
		free(kv);
		return NULL;
	}
	kv->asked = *options;
	if (!kv->asked.write_buffer)
		kv->asked.write_buffer = buffer_for(room_total(path));
	gate_init(&kv->gate);
	pthread_mutex_init(&kv->turning, NULL);
	pthread_mutex_init(&kv->wal.lock, NULL);
	kv->wal.fd = -1;
	kv->cache = rocksdb_cache_create_lru(options->block_cache ? options->block_cache : BLOCK_CACHE);
	kv->read = rocksdb_readoptions_create();
	kv->write = rocksdb_writeoptions_create();
	kv->write_durable = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(kv->write_durable, 1);
	return kv;
}

int kv_open(const char *path, const struct kv_options *options, struct kv **out)
{
	struct kv *kv;
	int rc;

	if (!options->create && !is_database(path))
		return -ENOENT;
	kv = prepare(path, options);
	if (!kv)
		return -ENOMEM;
	rc = kv_database_open(kv, options->read_only ? MODE_READING : room_mode(path));
	if (rc) {
		release(kv);
		return rc;
	}
	*out = kv;
	return 0;
}

void kv_close(struct kv *kv)
{
	if (!kv)
		return;
	if (!kv->asked.read_only)
		kv_sync(kv);
	kv_database_close(kv);
	release(kv);
}

/* NULL with *rc set, or the value, to be destroyed. With the gate entered. */
static rocksdb_pinnableslice_t *get(
	struct kv *kv, enum kv_family family, const void *key, size_t key_len, int *rc)
{
	rocksdb_pinnableslice_t *value;
	char *error = NULL;

	*rc = -EIO;
	if (!kv->db)
		return NULL;
	value = rocksdb_get_pinned_cf(kv->db, kv->read, kv->families[family], key, key_len, &error);
	if (kv_error_log(error, kv_family_name(family)))
		return NULL;
	*rc = value ? 0 : -ENOENT;
	return value;
}

int kv_get(struct kv *kv, enum kv_family family, const void *key, size_t key_len, void *dst, size_t capacity,
	size_t *len)
{
	unsigned slot = gate_enter(&kv->gate);
	int rc;
	rocksdb_pinnableslice_t *value = get(kv, family, key, key_len, &rc);

	if (value) {
		const char *bytes = rocksdb_pinnableslice_value(value, len);
		if (*len > capacity)
			rc = -ENOBUFS;
		else if (*len)
			memcpy(dst, bytes, *len);
		rocksdb_pinnableslice_destroy(value);
	}
	gate_leave(&kv->gate, slot);
	return rc;
}

static int copy_value(const rocksdb_pinnableslice_t *value, void **out, size_t *len)
{
	const char *bytes = rocksdb_pinnableslice_value(value, len);
	char *copy = malloc(*len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, *len);
	copy[*len] = 0;
	*out = copy;
	return 0;
}

int kv_get_alloc(
	struct kv *kv, enum kv_family family, const void *key, size_t key_len, void **out, size_t *len)
{
	unsigned slot = gate_enter(&kv->gate);
	int rc;
	rocksdb_pinnableslice_t *value = get(kv, family, key, key_len, &rc);

	if (value) {
		rc = copy_value(value, out, len);
		rocksdb_pinnableslice_destroy(value);
	}
	gate_leave(&kv->gate, slot);
	return rc;
}

/* What the outcome of a write means from now on. A full disk passes; after any other error nobody knows what
 * the WAL holds. */
static int finish(struct kv *kv, char *error, const char *what)
{
	if (!error || kv_error_code(error) == -ENOSPC)
		return kv_error_take(error);
	log_error("%s failed, the store is read-only from now on", what);
	kv_error_log(error, what);
	atomic_store(&kv->failed, -EIO);
	return -EIO;
}

/* Whether a write may be tried. `batch` may be NULL for what is not a batch. */
static int may_write(struct kv *kv, const struct kv_batch *batch)
{
	int failed = atomic_load_explicit(&kv->failed, memory_order_relaxed);

	if (kv->asked.read_only)
		return -EROFS;
	return failed ? failed : room_admit(kv, batch);
}

/* *broken: RocksDB met the full disk, not merely the reserve its end. */
static int write_once(struct kv *kv, struct kv_batch *batch, bool durable, bool *broken)
{
	unsigned slot = gate_enter(&kv->gate);
	int mode = atomic_load(&kv->mode), rc = 0;

	/* Nobody changes the mode meanwhile but who sees a write break. */
	*broken = mode == MODE_BROKEN;
	if (mode == MODE_FULL)
		rc = wal_feed(kv, kv_batch_bytes(batch));
	else if (mode != MODE_NORMAL)
		rc = -ENOSPC;
	if (!rc) {
		rc = kv->db ? finish(kv, kv_batch_apply(kv, batch, durable), "writing the index") : -EIO;
		*broken = rc == -ENOSPC;
	}
	gate_leave(&kv->gate, slot);
	return rc;
}

int kv_write(struct kv *kv, struct kv_batch *batch, bool durable)
{
	int rc = may_write(kv, batch);
	bool broken;

	if (rc)
		return rc;
	rc = write_once(kv, batch, durable, &broken);
	if (!broken)
		return rc;
	rc = room_broken(kv, batch);
	return rc ? rc : write_once(kv, batch, durable, &broken);
}

int kv_sync(struct kv *kv)
{
	char *error = NULL;
	unsigned slot;
	int rc = may_write(kv, NULL);

	if (rc == -EROFS)
		return 0;
	if (rc == -ENOSPC) /* nothing was written since, or only to the WAL */
		return room_sync_logs(kv->path) ? -EIO : 0;
	if (rc)
		return rc;
	slot = gate_enter(&kv->gate);
	if (kv->db)
		rocksdb_flush_wal(kv->db, 1, &error);
	rc = finish(kv, error, "syncing the index");
	gate_leave(&kv->gate, slot);
	return rc == -ENOSPC ? room_broken(kv, NULL) : rc;
}

static int flush_family(struct kv *kv, size_t family)
{
	rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
	char *error = NULL;

	rocksdb_flushoptions_set_wait(flush, 1);
	rocksdb_flush_cf(kv->db, flush, kv->families[family], &error);
	rocksdb_flushoptions_destroy(flush);
	return finish(kv, error, "writing the index out");
}

static void compact_family(struct kv *kv, size_t family)
{
	rocksdb_compactoptions_t *compact = rocksdb_compactoptions_create();

	rocksdb_compactoptions_set_bottommost_level_compaction(compact, 3); /* force, but each file once */
	rocksdb_compact_range_cf_opt(kv->db, kv->families[family], compact, NULL, 0, NULL, 0);
	rocksdb_compactoptions_destroy(compact);
}

/* In several tables, each with an index and a filter of its own and in whole blocks of the disk, and little
 * enough to be merged in a moment. */
static bool is_scattered(struct kv *kv, size_t family)
{
	rocksdb_column_family_metadata_t *metadata =
		rocksdb_get_column_family_metadata_cf(kv->db, kv->families[family]);
	bool is = metadata && rocksdb_column_family_metadata_get_file_count(metadata) > 1 &&
		  rocksdb_column_family_metadata_get_size(metadata) <= SMALL_FAMILY;

	if (metadata)
		rocksdb_column_family_metadata_destroy(metadata);
	return is;
}

int kv_flush(struct kv *kv, bool compact)
{
	unsigned slot;
	int rc = may_write(kv, NULL);

	if (rc)
		return rc;
	slot = gate_enter(&kv->gate);
	rc = kv->db ? 0 : -EIO;
	for (size_t i = 0; i < FAMILY_TOTAL && !rc; i++)
		rc = flush_family(kv, i);
	for (size_t i = 0; i < FAMILY_TOTAL && !rc; i++)
		if (compact || is_scattered(kv, i))
			compact_family(kv, i);
	gate_leave(&kv->gate, slot);
	return rc == -ENOSPC ? room_broken(kv, NULL) : rc;
}

uint64_t kv_estimate_keys(struct kv *kv, enum kv_family family)
{
	unsigned slot = gate_enter(&kv->gate);
	uint64_t keys = 0;

	if (!kv->db ||
		rocksdb_property_int_cf(kv->db, kv->families[family], "rocksdb.estimate-num-keys", &keys))
		keys = 0;
	gate_leave(&kv->gate, slot);
	return keys;
}
