/*
 * The reserve, and the log that lives on it while the disk is full.
 *
 * Space that is merely free belongs to whoever writes first. So a write on a full disk gets its room before
 * it is made: blocks are allocated behind the end of the log, taken from the reserve when nothing else is
 * left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/kv/internal.h"

#define STEP ((uint64_t)128 << 10)
#define LEAVE ((uint64_t)256 << 10) /* not taken into the reserve: ext4 needs some for itself */

static int reserve_open(const char *path, int flags)
{
	char file[PATH_MAX];
	int n = snprintf(file, sizeof file, "%s/reserve", path), fd;

	if (n < 0 || n >= (int)sizeof file)
		return -ENAMETOOLONG;
	fd = open(file, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* What of the file is really there. */
static uint64_t size_of(int fd)
{
	struct stat st;
	uint64_t blocks;

	if (fstat(fd, &st))
		return 0;
	blocks = (uint64_t)st.st_blocks * 512;
	return blocks < (uint64_t)st.st_size ? blocks : (uint64_t)st.st_size;
}

uint64_t reserve_bytes(const char *path)
{
	int fd = reserve_open(path, O_RDONLY);
	uint64_t bytes = fd < 0 ? 0 : size_of(fd);

	if (fd >= 0)
		close(fd);
	return bytes;
}

uint64_t kv_reserve_bytes(const struct kv *kv)
{
	return reserve_bytes(kv->path);
}

int reserve_fill(const char *path)
{
	uint64_t left = room_left(path), size;
	int fd = reserve_open(path, O_WRONLY | O_CREAT), rc = 0;

	if (fd < 0)
		return fd;
	size = size_of(fd);
	for (; !rc && size < RESERVE; size += STEP, left -= STEP) {
		if (left < LEAVE + STEP)
			rc = -ENOSPC;
		else if (fallocate(fd, 0, (off_t)size, (off_t)STEP))
			rc = -errno;
	}
	close(fd);
	return rc;
}

uint64_t reserve_give(const char *path, uint64_t bytes)
{
	int fd = reserve_open(path, O_WRONLY);
	uint64_t size;

	if (fd < 0)
		return 0;
	size = size_of(fd);
	if (bytes > size)
		bytes = size;
	if (bytes && ftruncate(fd, (off_t)(size - bytes)))
		bytes = 0;
	close(fd);
	return bytes;
}

static int wal_find(const char *path)
{
	unsigned long long number, newest = 0;
	char file[PATH_MAX];
	DIR *dir = opendir(path);
	struct dirent *e;
	int end, fd;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		end = 0;
		if (sscanf(e->d_name, "%llu.log%n", &number, &end) == 1 && end && !e->d_name[end] &&
			number > newest)
			newest = number;
	}
	snprintf(file, sizeof file, "%06llu.log", newest);
	fd = newest ? openat(dirfd(dir), file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	closedir(dir);
	return fd < 0 ? -ENOENT : fd;
}

/* Allocates one step behind what the log has. */
static int extend(struct kv *kv)
{
	int rc = 0;

	for (unsigned tries = 0; tries < 8; tries++) {
		rc = fallocate(kv->wal.fd, FALLOC_FL_KEEP_SIZE, (off_t)kv->wal.fed, (off_t)STEP) ? -errno : 0;
		if (rc != -ENOSPC || !reserve_give(kv->path, STEP))
			break;
	}
	if (!rc)
		kv->wal.fed += STEP;
	return rc;
}

void wal_begin(struct kv *kv)
{
	struct stat st;

	kv->wal.fd = wal_find(kv->path);
	kv->wal.used = kv->wal.fed = 0;
	if (kv->wal.fd >= 0 && !fstat(kv->wal.fd, &st))
		kv->wal.used = kv->wal.fed = (uint64_t)st.st_size;
	wal_feed(kv, 0);
}

void wal_end(struct kv *kv)
{
	struct stat st;

	if (kv->wal.fd < 0)
		return;
	/* What was allocated and not written goes back. */
	if (!fstat(kv->wal.fd, &st) && ftruncate(kv->wal.fd, st.st_size))
		kv->wal.fed = kv->wal.used;
	close(kv->wal.fd);
	kv->wal.fd = -1;
}

int wal_feed(struct kv *kv, size_t bytes)
{
	uint64_t need = bytes + bytes / 1024 + 128; /* with the log's own headers */
	int rc = 0;

	pthread_mutex_lock(&kv->wal.lock);
	while (kv->wal.fd >= 0 && !rc && kv->wal.used + need > kv->wal.fed)
		rc = extend(kv);
	if (rc && rc != -ENOSPC)
		rc = 0; /* such a file system gives no promise */
	if (!rc && bytes)
		kv->wal.used += need;
	pthread_mutex_unlock(&kv->wal.lock);
	return rc;
}
