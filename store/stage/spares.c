#include "store/stage/spares.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/util/dir.h"

#define PLACE "../spare"

static void name_of(uint32_t id, char name[16])
{
	snprintf(name, 16, "%" PRIx32, id);
}

static int remove_one(void *ctx, const char *name)
{
	const struct spares *spares = ctx;

	unlinkat(spares->dir_fd, name, 0);
	return 0;
}

/* What cannot be removed stays. */
static void remove_all(struct spares *spares)
{
	dir_each(spares->dir_fd, remove_one, spares);
}

void spares_init(struct spares *spares, int staging_fd)
{
	*spares = (struct spares){.staging_fd = staging_fd, .dir_fd = -1};
	pthread_mutex_init(&spares->lock, NULL);
	if (staging_fd < 0 || (mkdirat(staging_fd, PLACE, 0700) && errno != EEXIST))
		return;
	spares->dir_fd = openat(staging_fd, PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (spares->dir_fd >= 0)
		remove_all(spares);
}

void spares_release(struct spares *spares)
{
	if (spares->dir_fd >= 0) {
		remove_all(spares);
		unlinkat(spares->staging_fd, PLACE, AT_REMOVEDIR);
		close(spares->dir_fd);
	}
	pthread_mutex_destroy(&spares->lock);
}

static bool pop(struct spares *spares, uint32_t *id)
{
	bool some;

	pthread_mutex_lock(&spares->lock);
	some = spares->count > 0;
	if (some)
		*id = spares->ids[--spares->count];
	pthread_mutex_unlock(&spares->lock);
	return some;
}

/* A name that no other spare has; false when there are enough. */
static bool new_id(struct spares *spares, uint32_t *id)
{
	bool room;

	pthread_mutex_lock(&spares->lock);
	room = spares->count < SPARES_MAX;
	*id = spares->next++;
	pthread_mutex_unlock(&spares->lock);
	return room;
}

static bool push(struct spares *spares, uint32_t id)
{
	bool room;

	pthread_mutex_lock(&spares->lock);
	room = spares->count < SPARES_MAX;
	if (room)
		spares->ids[spares->count++] = id;
	pthread_mutex_unlock(&spares->lock);
	return room;
}

int spares_take(struct spares *spares, const char *name)
{
	char spare[16];
	uint32_t id;
	int fd;

	if (spares->dir_fd >= 0 && pop(spares, &id)) {
		name_of(id, spare);
		if (renameat2(spares->dir_fd, spare, spares->staging_fd, name, RENAME_NOREPLACE)) {
			unlinkat(spares->dir_fd, spare, 0);
		} else {
			fd = openat(spares->staging_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
			if (fd >= 0 && !futimens(fd, NULL))
				return fd;
			if (fd >= 0)
				close(fd);
			unlinkat(spares->staging_fd, name, 0);
		}
	}
	fd = openat(spares->staging_fd, name, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* A write lease is granted only to the one who alone has the file open; a mapping keeps it open. */
static bool is_ours_alone(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		return false;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return true;
}

/* A file system without a fixed number of inodes says 0. */
static bool inodes_are_short(const struct spares *spares)
{
	struct statvfs v;

	return !fstatvfs(spares->dir_fd, &v) && v.f_files && v.f_ffree < SPARES_LEFT;
}

static void drop_one(struct spares *spares)
{
	char spare[16];
	uint32_t id;

	if (!pop(spares, &id))
		return;
	name_of(id, spare);
	unlinkat(spares->dir_fd, spare, 0);
}

static bool may_keep(struct spares *spares, int fd)
{
	struct stat st;

	return spares->dir_fd >= 0 && fd >= 0 && !fstat(fd, &st) && st.st_nlink == 1 &&
	       (uint64_t)st.st_blocks * 512 <= SPARES_BYTES && is_ours_alone(fd);
}

/* Empties staging/NAME, which `fd` alone has open, and moves it to spare/. */
static bool keep(struct spares *spares, const char *name, int fd)
{
	char spare[16];
	uint32_t id;
	int wfd;

	if (!may_keep(spares, fd))
		return false;
	if (inodes_are_short(spares)) {
		drop_one(spares);
		return false;
	}
	if (!new_id(spares, &id))
		return false;
	name_of(id, spare);
	if (renameat(spares->staging_fd, name, spares->dir_fd, spare))
		return false;
	wfd = openat(spares->dir_fd, spare, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (wfd < 0 || close(wfd) || !push(spares, id))
		unlinkat(spares->dir_fd, spare, 0);
	return true;
}

void spares_give(struct spares *spares, const char *name, int fd)
{
	int own = -1;

	if (fd < 0)
		fd = own = openat(spares->staging_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (!keep(spares, name, fd))
		unlinkat(spares->staging_fd, name, 0);
	if (own >= 0)
		close(own);
}
