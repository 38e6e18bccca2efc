#include "store/kv/kv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/kv/internal.h"
#include "store/util/log.h"

static int open_database(struct kv *kv, const char *path)
{
	const char *names[FAMILY_TOTAL];
	char *error = NULL;

	for (size_t i = 0; i < FAMILY_TOTAL; i++)
		names[i] = kv_family_name(i);
	if (kv->read_only)
		kv->db = rocksdb_open_for_read_only_column_families(kv->options[0], path, FAMILY_TOTAL, names,
			(const rocksdb_options_t *const *)kv->options, kv->families, 0, &error);
	else
		kv->db = rocksdb_open_column_families(kv->options[0], path, FAMILY_TOTAL, names,
			(const rocksdb_options_t *const *)kv->options, kv->families, &error);
	return kv_error_log(error, path);
}

/* RocksDB would make the directory before it says that there is no database in it. */
static bool is_database(const char *path)
{
	char current[PATH_MAX];
	int n = snprintf(current, sizeof current, "%s/CURRENT", path);

	return n > 0 && n < (int)sizeof current && (access(current, F_OK) == 0 || errno != ENOENT);
}

int kv_open(const char *path, const struct kv_options *options, struct kv **out)
{
	struct kv *kv;
	int rc;

	if (!options->create && !is_database(path))
		return -ENOENT;
	kv = calloc(1, sizeof *kv);
	if (!kv)
		return -ENOMEM;
	kv->read_only = options->read_only;
	kv_options_fill(kv, options);
	rc = open_database(kv, path);
	if (rc) {
		kv_options_release(kv);
		free(kv);
		return rc;
	}
	*out = kv;
	return 0;
}

void kv_close(struct kv *kv)
{
	if (!kv)
		return;
	if (!kv->read_only)
		kv_sync(kv);
	for (size_t i = 0; i < FAMILY_TOTAL; i++)
		rocksdb_column_family_handle_destroy(kv->families[i]);
	rocksdb_close(kv->db);
	kv_options_release(kv);
	free(kv);
}

/* NULL with *rc set, or the value, to be destroyed. */
static rocksdb_pinnableslice_t *get(
	struct kv *kv, enum kv_family family, const void *key, size_t key_len, int *rc)
{
	char *error = NULL;
	rocksdb_pinnableslice_t *value =
		rocksdb_get_pinned_cf(kv->db, kv->read, kv->families[family], key, key_len, &error);

	if (error) {
		kv_error_log(error, kv_family_name(family));
		*rc = -EIO;
		return NULL;
	}
	*rc = value ? 0 : -ENOENT;
	return value;
}

int kv_get(struct kv *kv, enum kv_family family, const void *key, size_t key_len, void *dst, size_t capacity,
	size_t *len)
{
	int rc;
	rocksdb_pinnableslice_t *value = get(kv, family, key, key_len, &rc);
	const char *bytes;

	if (!value)
		return rc;
	bytes = rocksdb_pinnableslice_value(value, len);
	if (*len > capacity)
		rc = -ENOBUFS;
	else if (*len)
		memcpy(dst, bytes, *len);
	rocksdb_pinnableslice_destroy(value);
	return rc;
}

int kv_get_alloc(
	struct kv *kv, enum kv_family family, const void *key, size_t key_len, void **out, size_t *len)
{
	int rc;
	rocksdb_pinnableslice_t *value = get(kv, family, key, key_len, &rc);
	const char *bytes;
	char *copy;

	if (!value)
		return rc;
	bytes = rocksdb_pinnableslice_value(value, len);
	copy = malloc(*len + 1);
	if (copy) {
		if (*len)
			memcpy(copy, bytes, *len);
		copy[*len] = 0;
		*out = copy;
	} else {
		rc = -ENOMEM;
	}
	rocksdb_pinnableslice_destroy(value);
	return rc;
}

/*
 * What the outcome of a write means from now on. A full disk passes: RocksDB refuses writes with the same
 * message until it has found room, and then goes on by itself. After any other error nobody knows what the
 * WAL holds.
 */
static int finish(struct kv *kv, char *error, const char *what)
{
	bool full = atomic_load_explicit(&kv->full, memory_order_relaxed);

	if (!error) {
		if (full)
			atomic_store(&kv->full, false);
		return 0;
	}
	if (kv_error_code(error) == -ENOSPC) {
		atomic_store(&kv->full, true);
		if (full)
			return kv_error_take(error);
		return kv_error_log(error, what);
	}
	log_error("%s failed, the store is read-only from now on", what);
	kv_error_log(error, what);
	atomic_store(&kv->failed, -EIO);
	return -EIO;
}

int kv_write(struct kv *kv, struct kv_batch *batch, bool durable)
{
	int failed = atomic_load_explicit(&kv->failed, memory_order_relaxed);

	if (kv->read_only)
		return -EROFS;
	if (failed)
		return failed;
	return finish(kv, kv_batch_apply(kv, batch, durable), "writing the index");
}

int kv_sync(struct kv *kv)
{
	char *error = NULL;
	int failed = atomic_load_explicit(&kv->failed, memory_order_relaxed);

	if (kv->read_only)
		return 0;
	if (failed)
		return failed;
	rocksdb_flush_wal(kv->db, 1, &error);
	return finish(kv, error, "syncing the index");
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

int kv_flush(struct kv *kv, bool compact)
{
	int failed = atomic_load(&kv->failed);
	int rc = 0;

	if (kv->read_only)
		return -EROFS;
	if (failed)
		return failed;
	for (size_t i = 0; i < FAMILY_TOTAL && !rc; i++)
		rc = flush_family(kv, i);
	for (size_t i = 0; i < FAMILY_TOTAL && !rc && compact; i++)
		compact_family(kv, i);
	return rc;
}

uint64_t kv_estimate_keys(struct kv *kv, enum kv_family family)
{
	uint64_t keys = 0;

	if (rocksdb_property_int_cf(kv->db, kv->families[family], "rocksdb.estimate-num-keys", &keys))
		return 0;
	return keys;
}
