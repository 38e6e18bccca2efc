#include "store/stage/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/stage/sweep.h"
#include "store/util/clock.h"

#define PLACE "../kept"
#define WATCH_MS 200u

struct kept_file {
	uint64_t ino, version, bytes;
	struct timespec mtime;
	struct kept_file *next; /* in its bucket */
	struct kept_file *newer, *older;
};

static struct kept_file **find(struct kept *kept, uint64_t ino)
{
	struct kept_file **link = &kept->buckets[ino % KEPT_BUCKETS];

	while (*link && (*link)->ino != ino)
		link = &(*link)->next;
	return link;
}

/* Forgets it; its copy is the caller's to remove. */
static void forget(struct kept *kept, struct kept_file *file)
{
	*find(kept, file->ino) = file->next;
	*(file->newer ? &file->newer->older : &kept->newest) = file->older;
	*(file->older ? &file->older->newer : &kept->oldest) = file->newer;
	kept->files--;
	kept->bytes -= file->bytes;
	free(file);
}

static void drop(struct kept *kept, struct kept_file *file)
{
	char name[STAGED_NAME];

	staged_name(file->ino, name);
	unlinkat(kept->dir_fd, name, 0);
	forget(kept, file);
}

static bool is_older(const struct kept_file *a, const struct kept_file *b)
{
	return a->mtime.tv_sec < b->mtime.tv_sec ||
	       (a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec < b->mtime.tv_nsec);
}

static void enter(struct kept *kept, struct kept_file *file)
{
	struct kept_file **link = find(kept, file->ino), *newer = NULL, *older = kept->newest;

	*link = file;
	while (older && is_older(file, older)) {
		newer = older;
		older = older->older;
	}
	file->newer = newer;
	file->older = older;
	*(newer ? &newer->older : &kept->newest) = file;
	*(older ? &older->newer : &kept->oldest) = file;
	kept->files++;
	kept->bytes += file->bytes;
}

/* Drops the oldest until no more is kept than is free besides. Locked. */
static void fit_disk(struct kept *kept)
{
	struct statvfs v;

	if (!kept->oldest || fstatvfs(kept->dir_fd, &v))
		return;
	for (uint64_t left = (uint64_t)v.f_bavail * v.f_frsize; kept->oldest && kept->bytes > left;) {
		left += kept->oldest->bytes;
		drop(kept, kept->oldest);
	}
}

static void *watch(void *arg)
{
	struct kept *kept = arg;

	pthread_mutex_lock(&kept->lock);
	while (!kept->stop) {
		struct timespec until = clock_deadline(WATCH_MS);
		if (kept->files)
			pthread_cond_timedwait(&kept->changed, &kept->lock, &until);
		else
			pthread_cond_wait(&kept->changed, &kept->lock);
		fit_disk(kept);
	}
	pthread_mutex_unlock(&kept->lock);
	return NULL;
}

void kept_init(struct kept *kept, int staging_fd, uint64_t budget)
{
	pthread_condattr_t attr;

	*kept = (struct kept){.staging_fd = staging_fd, .dir_fd = -1, .budget = budget};
	pthread_mutex_init(&kept->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&kept->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (staging_fd < 0 || (budget && mkdirat(staging_fd, PLACE, 0700) && errno != EEXIST))
		return;
	kept->dir_fd = openat(staging_fd, PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (kept->dir_fd < 0)
		return;
	sweep_dir(kept->dir_fd);
	if (budget)
		kept->watched = !pthread_create(&kept->watcher, NULL, watch, kept);
	if (kept->watched)
		return;
	unlinkat(staging_fd, PLACE, AT_REMOVEDIR);
	close(kept->dir_fd);
	kept->dir_fd = -1;
}

void kept_release(struct kept *kept)
{
	pthread_mutex_lock(&kept->lock);
	kept->stop = true;
	pthread_cond_signal(&kept->changed);
	pthread_mutex_unlock(&kept->lock);
	if (kept->watched)
		pthread_join(kept->watcher, NULL);
	while (kept->oldest)
		drop(kept, kept->oldest);
	if (kept->dir_fd >= 0) {
		unlinkat(kept->staging_fd, PLACE, AT_REMOVEDIR);
		close(kept->dir_fd);
	}
	pthread_cond_destroy(&kept->changed);
	pthread_mutex_destroy(&kept->lock);
}

/* Makes room for `file` at the cost of older ones. */
static bool make_room(struct kept *kept, const struct kept_file *file)
{
	if (file->bytes > kept->budget)
		return false;
	while (kept->bytes > kept->budget - file->bytes) {
		if (!is_older(kept->oldest, file))
			return false;
		drop(kept, kept->oldest);
	}
	return true;
}

bool kept_give(struct kept *kept, uint64_t ino, uint64_t version, int fd)
{
	struct kept_file *file, *old;
	struct stat st;
	char name[STAGED_NAME];
	bool taken;

	if (kept->dir_fd < 0 || fstat(fd, &st) || (uint64_t)st.st_blocks * 512 < KEPT_MIN || st.st_nlink != 1)
		return false;
	file = malloc(sizeof *file);
	if (!file)
		return false;
	*file = (struct kept_file){
		.ino = ino, .version = version, .bytes = (uint64_t)st.st_blocks * 512, .mtime = st.st_mtim};
	staged_name(ino, name);
	pthread_mutex_lock(&kept->lock);
	old = *find(kept, ino);
	if (old)
		drop(kept, old);
	taken = make_room(kept, file) && !renameat(kept->staging_fd, name, kept->dir_fd, name);
	if (taken) {
		enter(kept, file);
		fit_disk(kept);
		pthread_cond_signal(&kept->changed);
	}
	pthread_mutex_unlock(&kept->lock);
	if (!taken)
		free(file);
	return taken;
}

bool kept_take(struct kept *kept, uint64_t ino, uint64_t version)
{
	struct kept_file *file;
	char name[STAGED_NAME];
	bool taken = false;

	if (kept->dir_fd < 0)
		return false;
	staged_name(ino, name);
	pthread_mutex_lock(&kept->lock);
	file = *find(kept, ino);
	if (file && file->version == version && !renameat(kept->dir_fd, name, kept->staging_fd, name)) {
		forget(kept, file);
		taken = true;
	} else if (file) {
		drop(kept, file);
	}
	pthread_mutex_unlock(&kept->lock);
	return taken;
}

void kept_drop(struct kept *kept, uint64_t ino)
{
	struct kept_file *file;

	if (kept->dir_fd < 0)
		return;
	pthread_mutex_lock(&kept->lock);
	file = *find(kept, ino);
	if (file)
		drop(kept, file);
	pthread_mutex_unlock(&kept->lock);
}

void kept_sums(struct kept *kept, uint64_t *files, uint64_t *bytes)
{
	pthread_mutex_lock(&kept->lock);
	*files = kept->files;
	*bytes = kept->bytes;
	pthread_mutex_unlock(&kept->lock);
}
