/*
 * What happens when the disk is full.
 *
 * normal --little is left, or a write met a full disk--> full --there is room--> normal
 *
 * It is full some MiB before the last byte is taken, so that RocksDB itself hardly ever meets a full disk;
 * who writes to staged files past the store may still take the rest at any moment. In the full mode only
 * batches that free space are written (kv_batch_frees, kv_batch_trades); memtables are not written out, so
 * all that they need is room in the log, which the reserve gives. Iterators keep a database from being opened
 * anew for as long as they live; until then only what frees is written, and nothing if a write met the full
 * disk.
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
#include "store/util/clock.h"
#include "store/util/io.h"
#include "store/util/log.h"

#define LOW ((uint64_t)2 << 20)	    /* less than that is a full disk */
#define SLACK ((uint64_t)4 << 20)   /* more than that, and it is not full any more */
#define LEAST ((uint64_t)512 << 10) /* what opening for writing takes */
#define MUCH ((uint64_t)1 << 30)
#define LOOK_MS 20u
#define RETRY_MS 200u
#define GATE_WAIT_MS 50u
#define FREEING_WAIT_MS 10000u
#define OWN_RESERVE ((uint64_t)16 << 20) /* of ext4, the most */
#define TRADE_BUFFERS 4u		 /* so much memory may wait in the full mode for what is encoded */

/* ext4 keeps 2 % for itself, which f_bfree counts and nobody gets. */
static uint64_t hidden(const struct statvfs *fs)
{
	uint64_t most = fs->f_bfree > fs->f_bavail ? fs->f_bfree - fs->f_bavail : 0;

	if (most > fs->f_blocks / 50)
		most = fs->f_blocks / 50;
	return most * fs->f_frsize < OWN_RESERVE ? most : OWN_RESERVE / fs->f_frsize;
}

uint64_t room_left(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) || !fs.f_frsize)
		return UINT64_MAX;
	return (uint64_t)(geteuid() == 0 ? fs.f_bfree - hidden(&fs) : fs.f_bavail) * fs.f_frsize;
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

uint64_t room_total(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) ? UINT64_MAX : (uint64_t)fs.f_blocks * fs.f_frsize;
}

enum kv_mode room_mode(const char *path)
{
	uint64_t left = room_left(path);

	if (left == UINT64_MAX)
		return MODE_NORMAL;
	left += reserve_bytes(path);
	if (left >= RESERVE + SLACK + room_log_bytes(path))
		return MODE_NORMAL;
	return left >= LEAST ? MODE_FULL : MODE_READING;
}

/* Closes the database and opens it in that mode, or the nearest possible. */
static void turn(struct kv *kv, enum kv_mode mode)
{
	int rc;

	if (pthread_mutex_trylock(&kv->turning))
		return;
	/* Without the whole reserve the next full disk would be the last. */
	if (mode == MODE_NORMAL && reserve_fill(kv->path) == -ENOSPC)
		mode = MODE_FULL;
	if ((int)mode != atomic_load(&kv->mode) && gate_close(&kv->gate, GATE_WAIT_MS)) {
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
	atomic_store(&kv->next_turn, clock_now_ms() + RETRY_MS);
	pthread_mutex_unlock(&kv->turning);
}

static bool may_trade(struct kv *kv)
{
	return reserve_bytes(kv->path) >= RESERVE / 2 &&
	       room_log_bytes(kv->path) < TRADE_BUFFERS * kv_options_buffer(&kv->asked);
}

static int admitted(struct kv *kv, const struct kv_batch *batch, bool low)
{
	switch (atomic_load(&kv->mode)) {
	case MODE_NORMAL:
		return !low || (batch && (kv_batch_is_freeing(batch) || kv_batch_is_trading(batch)))
			       ? 0
			       : -ENOSPC;
	case MODE_FULL:
		if (batch && kv_batch_is_freeing(batch))
			return 0;
		return batch && kv_batch_is_trading(batch) && may_trade(kv) ? 0 : -ENOSPC;
	default:
		return -ENOSPC;
	}
}

/* In the normal mode. */
static bool is_low(struct kv *kv)
{
	uint64_t now = clock_now_ms(), left;

	if (now < atomic_load_explicit(&kv->next_look, memory_order_relaxed))
		return false;
	left = room_left(kv->path);
	if (left >= MUCH)
		atomic_store_explicit(&kv->next_look, now + LOOK_MS, memory_order_relaxed);
	return left < LOW;
}

static void leave_normal(struct kv *kv)
{
	if (clock_now_ms() < atomic_load(&kv->next_turn))
		return;
	turn(kv, MODE_FULL);
	if (atomic_load(&kv->mode) == MODE_FULL)
		log_warning("%s: the disk is full", kv->path);
}

static void leave_full(struct kv *kv)
{
	enum kv_mode mode = (enum kv_mode)atomic_load(&kv->mode), best;

	if (clock_now_ms() < atomic_load(&kv->next_turn))
		return;
	best = room_mode(kv->path);
	if (mode == MODE_BROKEN || best < mode) {
		turn(kv, mode == MODE_BROKEN ? MODE_FULL : best);
	} else {
		reserve_fill(kv->path);
		atomic_store(&kv->next_turn, clock_now_ms() + RETRY_MS);
	}
	if (atomic_load(&kv->mode) == MODE_NORMAL)
		log_info("%s: there is room again", kv->path);
}

static int admit(struct kv *kv, const struct kv_batch *batch)
{
	bool low = false;

	if (atomic_load(&kv->mode) != MODE_NORMAL)
		leave_full(kv);
	else if ((low = is_low(kv)))
		leave_normal(kv);
	return admitted(kv, batch, low);
}

int room_admit(struct kv *kv, const struct kv_batch *batch)
{
	uint64_t until = clock_now_ms() + FREEING_WAIT_MS;
	int rc = admit(kv, batch);

	/* What frees waits for those who walk, unless that is the caller itself. */
	while (rc && batch && kv_batch_is_freeing(batch) && atomic_load(&kv->mode) == MODE_BROKEN &&
		!kv_iter_is_held() && clock_now_ms() < until) {
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		rc = admit(kv, batch);
	}
	return rc;
}

int room_broken(struct kv *kv, const struct kv_batch *batch)
{
	int mode = MODE_NORMAL;

	if (atomic_compare_exchange_strong(&kv->mode, &mode, MODE_BROKEN))
		log_warning("%s: the disk is full", kv->path);
	else if (mode == MODE_FULL)
		atomic_compare_exchange_strong(&kv->mode, &mode, MODE_BROKEN);
	atomic_store(&kv->next_turn, 0);
	return room_admit(kv, batch);
}

bool kv_is_full(struct kv *kv)
{
	if (kv->asked.read_only)
		return true;
	if (atomic_load(&kv->mode) == MODE_NORMAL)
		return is_low(kv);
	leave_full(kv);
	return atomic_load(&kv->mode) != MODE_NORMAL &&
	       !(atomic_load(&kv->mode) == MODE_FULL && may_trade(kv));
}
