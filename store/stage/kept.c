#include "store/stage/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/util/log.h"

#define PLACE "../kept"

static void drop_record(struct kept *kept, uint64_t ino)
{
	struct kv_batch *batch = kv_batch_new();

	/* One that stays fits nothing, and goes at the next start. */
	if (!batch)
		return;
	kept_record_delete(kept->options.kv, batch, ino);
	kv_batch_frees(batch);
	kv_write(kept->options.kv, batch, false);
	kv_batch_free(batch);
}

void kept_remove(struct kept *kept, struct kept_file *file)
{
	char name[STAGED_NAME];

	staged_name(file->ino, name);
	unlinkat(kept->dir_fd, name, 0);
	if (file->seal == KEPT_SEALED)
		drop_record(kept, file->ino);
	kept_list_remove(&kept->list, file);
}

bool kept_make_room(struct kept *kept, uint64_t bytes, struct timespec mtime)
{
	uint64_t budget = kept->options.budget;

	if (bytes > budget)
		return false;
	while (kept->list.bytes > budget - bytes) {
		struct kept_file *oldest = kept_list_oldest_idle(&kept->list);

		if (!oldest || !kept_is_older(oldest->record.mtime, mtime))
			return false;
		kept_remove(kept, oldest);
	}
	return true;
}

void kept_fit_disk(struct kept *kept)
{
	struct kept_file *oldest;
	struct statvfs v;

	if (!kept->list.files || fstatvfs(kept->dir_fd, &v))
		return;
	for (uint64_t left = (uint64_t)v.f_bavail * v.f_frsize;
		kept->list.bytes > left && (oldest = kept_list_oldest_idle(&kept->list));) {
		left += oldest->bytes;
		kept_remove(kept, oldest);
	}
}

static void init_lock(struct kept *kept)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&kept->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&kept->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void forget_all(struct kept *kept)
{
	for (struct kept_file *file; (file = kept->list.oldest);) {
		if (file->seal == KEPT_SEALED)
			kept_list_remove(&kept->list, file);
		else
			kept_remove(kept, file);
	}
	if (kept->dir_fd < 0)
		return;
	if (!kept->options.as_is)
		unlinkat(kept->options.staging_fd, PLACE, AT_REMOVEDIR); /* if nothing is in it */
	close(kept->dir_fd);
	kept->dir_fd = -1;
}

void kept_init(struct kept *kept, const struct kept_options *options)
{
	bool may_make = options->budget && !options->as_is;

	*kept = (struct kept){.options = *options, .dir_fd = -1};
	init_lock(kept);
	if (may_make)
		mkdirat(options->staging_fd, PLACE, 0700);
	kept->dir_fd = openat(options->staging_fd, PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	kept_load(kept);
	if (!options->as_is && (!may_make || kept->dir_fd < 0 || !kept_threads_start(kept)))
		forget_all(kept);
}

void kept_release(struct kept *kept)
{
	kept_threads_stop(kept);
	if (!kept->options.as_is)
		kept_seal(kept);
	forget_all(kept);
	pthread_cond_destroy(&kept->changed);
	pthread_mutex_destroy(&kept->lock);
}

static struct kept_file *new_file(
	struct kept *kept, const struct kept_content *content, const struct stat *st, bool held)
{
	struct kept_file *file = malloc(sizeof *file);

	if (file)
		*file = (struct kept_file){.ino = content->ino,
			.bytes = (uint64_t)st->st_blocks * 512,
			.serial = ++kept->serials,
			.record = {.version = content->version,
				.recipe = content->recipe,
				.size = content->size,
				.mtime = st->st_mtim},
			.held = held};
	return file;
}

/* The move is a change of the copy, too: only after it is it what its record will name. */
static bool move_in(struct kept *kept, struct kept_file *file, int fd)
{
	char name[STAGED_NAME];
	struct stat st;

	staged_name(file->ino, name);
	if (renameat(kept->options.staging_fd, name, kept->dir_fd, name))
		return false;
	if (fstat(fd, &st))
		file->seal = KEPT_UNSEALABLE;
	else
		kept_record_name(&file->record, &st);
	return true;
}

bool kept_give(struct kept *kept, const struct kept_content *content, int fd, bool held)
{
	struct kept_file *file, *old;
	struct stat st;
	bool taken;

	if (kept->dir_fd < 0 || kept->options.as_is || fstat(fd, &st) || st.st_nlink != 1 ||
		(uint64_t)st.st_blocks * 512 < KEPT_MIN || (uint64_t)st.st_size != content->size)
		return false;
	pthread_mutex_lock(&kept->lock);
	old = kept_list_find(&kept->list, content->ino);
	if (old)
		kept_remove(kept, old);
	file = new_file(kept, content, &st, held);
	taken = file && kept_make_room(kept, file->bytes, st.st_mtim) && move_in(kept, file, fd);
	if (taken) {
		kept_list_enter(&kept->list, file);
		kept_fit_disk(kept);
		pthread_cond_broadcast(&kept->changed);
	} else {
		free(file);
	}
	pthread_mutex_unlock(&kept->lock);
	return taken;
}

/* Locked. */
static int open_copy(struct kept *kept, const struct kept_file *file)
{
	char name[STAGED_NAME];
	struct stat st;
	int fd;

	staged_name(file->ino, name);
	fd = openat(kept->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || (!fstat(fd, &st) && kept_record_is_of(&file->record, &st)))
		return fd < 0 ? -ENOENT : fd;
	log_warning("kept/%s was changed by somebody else; it is not used any more", name);
	close(fd);
	return -ENOENT;
}

int kept_open(struct kept *kept, uint64_t ino, uint64_t version)
{
	struct kept_file *file;
	int fd = -ENOENT;

	if (kept->dir_fd < 0)
		return -ENOENT;
	pthread_mutex_lock(&kept->lock);
	file = kept_list_find(&kept->list, ino);
	if (file && !file->held) {
		if (file->record.version == version)
			fd = open_copy(kept, file);
		if (fd >= 0)
			file->held = true;
		else if (!kept->options.as_is)
			kept_remove(kept, file);
	}
	pthread_mutex_unlock(&kept->lock);
	return fd;
}

void kept_close(struct kept *kept, uint64_t ino)
{
	struct kept_file *file;

	pthread_mutex_lock(&kept->lock);
	file = kept_list_find(&kept->list, ino);
	if (file)
		file->held = false;
	pthread_mutex_unlock(&kept->lock);
}

int kept_take(struct kept *kept, uint64_t ino, int fd, bool *moved)
{
	struct kept_file *file;
	char name[STAGED_NAME];
	bool sealed = false;
	int rc = 0;

	staged_name(ino, name);
	pthread_mutex_lock(&kept->lock);
	file = kept_list_find(&kept->list, ino);
	if (!file || renameat(kept->dir_fd, name, kept->options.staging_fd, name))
		rc = file ? -errno : -ENOENT;
	*moved = !rc;
	if (!rc) {
		sealed = file->seal == KEPT_SEALED;
		kept_list_remove(&kept->list, file);
	}
	pthread_mutex_unlock(&kept->lock);
	/* What was durable as encoded stays so when the index says "staged". */
	if (!rc && ((!sealed && fdatasync(fd)) || fsync(kept->options.staging_fd)))
		rc = -errno;
	return rc;
}

void kept_drop(struct kept *kept, uint64_t ino)
{
	struct kept_file *file;

	if (kept->dir_fd < 0 || kept->options.as_is)
		return;
	pthread_mutex_lock(&kept->lock);
	file = kept_list_find(&kept->list, ino);
	if (file)
		kept_remove(kept, file);
	pthread_mutex_unlock(&kept->lock);
}

void kept_sums(struct kept *kept, struct kept_sums *out)
{
	pthread_mutex_lock(&kept->lock);
	*out = (struct kept_sums){kept->list.files, kept->list.bytes, kept->list.bytes};
	for (const struct kept_file *file = kept->list.oldest; file; file = file->newer)
		out->idle_bytes -= file->held ? file->bytes : 0;
	pthread_mutex_unlock(&kept->lock);
}
