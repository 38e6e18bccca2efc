#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/kv/superblock.h"
#include "store/util/io.h"

/* Fills `holder` with the first line of the lock file; empty when it cannot be read. */
static void read_holder(int fd, char *holder, size_t capacity)
{
	ssize_t n;

	if (!capacity)
		return;
	n = io_pread_some(fd, holder, capacity - 1, 0);
	holder[n > 0 ? n : 0] = 0;
	holder[strcspn(holder, "\n")] = 0;
}

/* For people only; the lock holds without it, so a full disk does not matter here. */
static void write_holder(int fd)
{
	char host[HOST_NAME_MAX + 1] = "?", line[HOST_NAME_MAX + 64];
	int n;

	gethostname(host, sizeof host - 1);
	n = snprintf(line, sizeof line, "pid %ld host %s\n", (long)getpid(), host);
	if (io_pwrite_full(fd, line, (size_t)n, 0) == 0 && ftruncate(fd, n))
		return;
}

/* Readers write no line; the one that is there is of a writer before them. */
static void name_holder(int fd, char *holder, size_t capacity)
{
	if (flock(fd, LOCK_SH | LOCK_NB))
		read_holder(fd, holder, capacity);
	else
		snprintf(holder, capacity, "a read-only mount");
}

static int take(const char *store, int flags, int how, char *holder, size_t capacity)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/lock", store);
	int fd, rc;

	if (n < 0 || n >= (int)sizeof path)
		return -ENAMETOOLONG;
	if (capacity)
		holder[0] = 0;
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (!flock(fd, how | LOCK_NB))
		return fd;
	rc = -errno;
	if (rc == -EWOULDBLOCK)
		name_holder(fd, holder, capacity);
	close(fd);
	return rc;
}

int store_lock(const char *store, char *holder, size_t capacity)
{
	int fd = take(store, O_RDWR | O_CREAT, LOCK_EX, holder, capacity);

	if (fd >= 0)
		write_holder(fd);
	return fd;
}

int store_lock_shared(const char *store, char *holder, size_t capacity)
{
	return take(store, O_RDONLY, LOCK_SH, holder, capacity);
}
