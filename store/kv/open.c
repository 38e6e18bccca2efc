#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/kv/internal.h"
#include "store/util/log.h"

/*
 * RocksDB cannot do without a log of its own, and the second line of it that does not fit on a full disk ends
 * the process (the assertion that internal.h tells of). So the log is made in memory, and unlinked as soon as
 * it is open.
 */
#define LOG_DIR "/dev/shm/mithril-XXXXXX"
#define OPENING ((uint64_t)512 << 10) /* what it takes at most */

static void remove_log_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(path);
}

static int open_as(struct kv *kv, enum kv_mode mode)
{
	char log_template[] = LOG_DIR;
	char *log_dir = mkdtemp(log_template);
	rocksdb_options_t *options[FAMILY_TOTAL];
	const rocksdb_options_t *const *given = (const rocksdb_options_t *const *)options;
	const char *names[FAMILY_TOTAL];
	char *error = NULL;

	kv_options_make(kv, mode, log_dir, options);
	for (size_t i = 0; i < FAMILY_TOTAL; i++)
		names[i] = kv_family_name(i);
	if (mode == MODE_READING)
		kv->db = rocksdb_open_for_read_only_column_families(
			options[0], kv->path, FAMILY_TOTAL, names, given, kv->families, 0, &error);
	else
		kv->db = rocksdb_open_column_families(
			options[0], kv->path, FAMILY_TOTAL, names, given, kv->families, &error);
	kv_options_free(options);
	if (log_dir)
		remove_log_dir(log_dir);
	if (error) {
		kv->db = NULL;
		return kv_error_log(error, kv->path);
	}
	atomic_store(&kv->mode, mode);
	return 0;
}

static int open_normal(struct kv *kv)
{
	int rc = open_as(kv, MODE_NORMAL);

	if (!rc)
		reserve_fill(kv->path); /* a new database has its directory now */
	return rc;
}

/* Room that somebody else may take meanwhile is given up a piece at a time. */
static int open_full(struct kv *kv)
{
	int rc = room_sync_logs(kv->path);

	if (!rc) {
		if (room_left(kv->path) < OPENING)
			reserve_give(kv->path, OPENING);
		rc = open_as(kv, MODE_FULL);
	}
	if (!rc)
		wal_begin(kv);
	return rc;
}

int kv_database_open(struct kv *kv, enum kv_mode mode)
{
	int rc = -ENOSPC;

	if (kv->asked.read_only)
		return open_as(kv, MODE_READING);
	if (mode == MODE_NORMAL)
		rc = open_normal(kv);
	for (unsigned tries = 0; rc == -ENOSPC && mode != MODE_READING && tries < 4; tries++)
		rc = open_full(kv);
	if (rc == -ENOSPC && !open_as(kv, MODE_READING))
		rc = 0;
	return rc;
}

void kv_database_close(struct kv *kv)
{
	if (!kv->db)
		return;
	for (size_t i = 0; i < FAMILY_TOTAL; i++)
		rocksdb_column_family_handle_destroy(kv->families[i]);
	rocksdb_close(kv->db);
	kv->db = NULL;
	wal_end(kv);
}
