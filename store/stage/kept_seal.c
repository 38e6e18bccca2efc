#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/clock.h"
#include "store/util/log.h"

#define WATCH_MS 200u

static struct kept_file *newest_unsealed(const struct kept *kept)
{
	struct kept_file *file = kept->list.newest;

	while (file && file->seal != KEPT_UNSEALED)
		file = file->older;
	return file;
}

/* -ESTALE: it is not the file any more that was given. */
static int make_durable(struct kept *kept, const struct kept_file *file)
{
	char name[STAGED_NAME];
	struct stat st;
	int fd, rc = 0;

	staged_name(file->ino, name);
	fd = openat(kept->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fdatasync(fd) || fsync(kept->dir_fd) || fstat(fd, &st))
		rc = -errno;
	else if (!kept_record_is_of(&file->record, &st))
		rc = -ESTALE;
	close(fd);
	return rc;
}

static int write_record(struct kept *kept, const struct kept_file *file)
{
	struct kv_batch *batch = kv_batch_new();
	int rc;

	if (!batch)
		return -ENOMEM;
	kept_record_put(kept->options.kv, batch, file->ino, &file->record);
	rc = kv_write(kept->options.kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

/* Locked. What has gone meanwhile, or was sealed by another, is left alone. */
static void end_seal(struct kept *kept, const struct kept_file *of, int rc)
{
	struct kept_file *file = kept_list_find(&kept->list, of->ino);

	if (!file || file->serial != of->serial || file->seal != KEPT_UNSEALED)
		return;
	if (!rc)
		rc = write_record(kept, file);
	file->seal = rc ? KEPT_UNSEALABLE : KEPT_SEALED;
	if (rc)
		log_warning("a raw copy will not outlive the mount, it cannot be made durable: %s",
			strerror(-rc));
}

/* False: there is nothing to seal. */
static bool seal_newest(struct kept *kept)
{
	struct kept_file *file, copy;
	int rc;

	pthread_mutex_lock(&kept->lock);
	file = newest_unsealed(kept);
	if (file)
		copy = *file;
	pthread_mutex_unlock(&kept->lock);
	if (!file)
		return false;
	rc = make_durable(kept, &copy);
	pthread_mutex_lock(&kept->lock);
	end_seal(kept, &copy, rc);
	pthread_mutex_unlock(&kept->lock);
	kv_sync(kept->options.kv);
	return true;
}

void kept_seal(struct kept *kept)
{
	while (seal_newest(kept))
		;
}

static void *seal_all(void *arg)
{
	struct kept *kept = arg;

	pthread_mutex_lock(&kept->lock);
	while (!kept->stop) {
		if (!newest_unsealed(kept)) {
			pthread_cond_wait(&kept->changed, &kept->lock);
			continue;
		}
		pthread_mutex_unlock(&kept->lock);
		seal_newest(kept);
		pthread_mutex_lock(&kept->lock);
	}
	pthread_mutex_unlock(&kept->lock);
	return NULL;
}

static void *watch_disk(void *arg)
{
	struct kept *kept = arg;

	pthread_mutex_lock(&kept->lock);
	while (!kept->stop) {
		struct timespec until = clock_deadline(WATCH_MS);
		if (kept->list.files)
			pthread_cond_timedwait(&kept->changed, &kept->lock, &until);
		else
			pthread_cond_wait(&kept->changed, &kept->lock);
		kept_fit_disk(kept);
	}
	pthread_mutex_unlock(&kept->lock);
	return NULL;
}

bool kept_threads_start(struct kept *kept)
{
	if (pthread_create(&kept->watcher, NULL, watch_disk, kept))
		return false;
	kept->running = !pthread_create(&kept->sealer, NULL, seal_all, kept);
	if (kept->running)
		return true;
	pthread_mutex_lock(&kept->lock);
	kept->stop = true;
	pthread_cond_broadcast(&kept->changed);
	pthread_mutex_unlock(&kept->lock);
	pthread_join(kept->watcher, NULL);
	return false;
}

void kept_threads_stop(struct kept *kept)
{
	if (!kept->running)
		return;
	pthread_mutex_lock(&kept->lock);
	kept->stop = true;
	pthread_cond_broadcast(&kept->changed);
	pthread_mutex_unlock(&kept->lock);
	pthread_join(kept->watcher, NULL);
	pthread_join(kept->sealer, NULL);
	kept->running = false;
}
