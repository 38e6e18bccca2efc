/*
 * What happens when the disk is full.
 *
 * normal --a write meets it--> broken --reserve given up, opened anew--> full --there is room--> normal
 *
 * In the full mode only batches that free space are written (kv_batch_frees); memtables are not written out,
 * so all that they need is room in the WAL, which the reserve left. Iterators keep a database from being
 * opened anew for as long as they live; until then nothing is written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "store/kv/internal.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define PLENTY (4 * RESERVE)
#define SLACK ((uint64_t)4 << 20)
#define LEAST ((uint64_t)1 << 20) /* what opening for writing takes */
#define RETRY_MS 200u
#define GATE_WAIT_MS 50u

uint64_t room_left(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return UINT64_MAX;
	return (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
}

static bool reserve_path(const char *path, char file[PATH_MAX])
{
	int n = snprintf(file, PATH_MAX, "%s/reserve", path);

	return n > 0 && n < PATH_MAX;
}

void room_reserve(const char *path)
{
	char file[PATH_MAX];
	int fd;

	if (!reserve_path(path, file) || room_left(path) < PLENTY)
		return;
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	if (fallocate(fd, 0, 0, (off_t)RESERVE))
		unlink(file); /* such a file system gives no promise anyway */
	close(fd);
}

static uint64_t reserved(const char *path)
{
	char file[PATH_MAX];
	struct stat st;

	if (!reserve_path(path, file) || stat(file, &st))
		return 0;
	return (uint64_t)st.st_blocks * 512;
}

void room_give_up(const char *path)
{
	char file[PATH_MAX];

	if (reserve_path(path, file))
		unlink(file);
}

static bool is_log(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, ".log") == 0;
}

/* Calls `each` with the descriptor of every WAL file until it gives an error. */
static int each_log(const char *path, int (*each)(int fd, void *ctx), void *ctx)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int fd, rc = 0;

	if (!dir)
		return -errno;
	while (!rc && (e = readdir(dir))) {
		if (!is_log(e->d_name))
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue; /* deleted meanwhile: it was not needed any more */
		rc = each(fd, ctx);
		close(fd);
	}
	closedir(dir);
	return rc;
}

static int add_bytes(int fd, void *ctx)
{
	struct stat st;

	if (!fstat(fd, &st))
		*(uint64_t *)ctx += (uint64_t)st.st_size;
	return 0;
}

uint64_t room_log_bytes(const char *path)
{
	uint64_t bytes = 0;

	each_log(path, add_bytes, &bytes);
	return bytes;
}

static int sync_one(int fd, void *ctx)
{
	(void)ctx;
	return fsync(fd) ? -errno : 0;
}

int room_sync_logs(const char *path)
{
	int rc = each_log(path, sync_one, NULL);

	return rc ? rc : io_sync_dir(path);
}

enum kv_mode room_mode(const char *path)
{
	uint64_t left = room_left(path);

	if (left == UINT64_MAX)
		return MODE_NORMAL;
	left += reserved(path);
	if (left >= RESERVE + SLACK + room_log_bytes(path))
		return MODE_NORMAL;
	return left >= LEAST ? MODE_FULL : MODE_READING;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Closes the database and opens it in that mode, or the nearest possible. */
static void turn(struct kv *kv, enum kv_mode mode)
{
	int rc;

	if (pthread_mutex_trylock(&kv->turning))
		return;
	if (gate_close(&kv->gate, GATE_WAIT_MS)) {
		rc = room_sync_logs(kv->path);
		kv_database_close(kv);
		if (!rc)
			rc = kv_database_open(kv, mode);
		if (rc) {
			log_error("%s: cannot go on after a full disk: %s", kv->path, strerror(-rc));
			atomic_store(&kv->failed, -EIO);
		}
		gate_open(&kv->gate);
	}
	atomic_store(&kv->next_turn, now_ms() + RETRY_MS);
	pthread_mutex_unlock(&kv->turning);
}

static int admitted(struct kv *kv, const struct kv_batch *batch)
{
	switch (atomic_load(&kv->mode)) {
	case MODE_NORMAL:
		return 0;
	case MODE_FULL:
		return batch && kv_batch_is_freeing(batch) ? 0 : -ENOSPC;
	default:
		return -ENOSPC;
	}
}

int room_admit(struct kv *kv, const struct kv_batch *batch)
{
	enum kv_mode mode = (enum kv_mode)atomic_load(&kv->mode), best;

	if (mode == MODE_NORMAL)
		return 0;
	if (now_ms() >= atomic_load(&kv->next_turn)) {
		best = room_mode(kv->path);
		if (mode == MODE_BROKEN || best < mode)
			turn(kv, best);
		else
			atomic_store(&kv->next_turn, now_ms() + RETRY_MS);
		if (mode != MODE_NORMAL && atomic_load(&kv->mode) == MODE_NORMAL)
			log_info("%s: there is room again", kv->path);
	}
	return admitted(kv, batch);
}

int room_broken(struct kv *kv, const struct kv_batch *batch)
{
	int mode = MODE_NORMAL;

	if (atomic_compare_exchange_strong(&kv->mode, &mode, MODE_BROKEN))
		log_warning("%s: the disk is full", kv->path);
	else if (mode == MODE_FULL)
		atomic_compare_exchange_strong(&kv->mode, &mode, MODE_BROKEN);
	if (mode != MODE_BROKEN)
		turn(kv, MODE_FULL);
	return admitted(kv, batch);
}
