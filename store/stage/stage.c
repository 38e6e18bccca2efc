#include "store/stage/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/bytes.h"
#include "store/util/dir.h"
#include "store/util/log.h"

#define QUIET_MS 1000u
#define RECOVER_QUIET_MS 2000u

static uint64_t default_budget(const char *dir)
{
	struct statvfs v;

	return statvfs(dir, &v) ? 1ull << 30 : (uint64_t)v.f_bavail * v.f_frsize / 4;
}

int stage_open(const char *dir, struct kv *kv, struct names *names, struct recipes *recipes,
	struct decoder *decoder, const struct stage_options *options, struct stage **out)
{
	struct stage *stage = calloc(1, sizeof *stage);
	pthread_condattr_t attr;
	int rc = -ENOMEM;

	if (!stage || small_init(stage))
		goto fail;
	stage->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (stage->dir_fd < 0) {
		rc = -errno;
		goto fail;
	}
	stage->kv = kv;
	stage->names = names;
	stage->recipes = recipes;
	stage->decoder = decoder;
	stage->budget = options->budget ? options->budget : default_budget(dir);
	stage->quiet_ms = options->quiet_ms ? options->quiet_ms : QUIET_MS;
	stage->read_only = options->read_only;
	for (size_t i = 0; i < TABLE_STRIPES; i++)
		pthread_mutex_init(&stage->stripes[i], NULL);
	pthread_mutex_init(&stage->queue_lock, NULL);
	pthread_mutex_init(&stage->watch_lock, NULL);
	tally_init(&stage->tally);
	spares_init(&stage->spares, options->read_only ? -1 : stage->dir_fd);
	kept_init(&stage->kept, &(struct kept_options){.staging_fd = stage->dir_fd,
					.kv = kv,
					.names = names,
					.budget = options->keep_raw,
					.as_is = options->read_only || options->keep_as_is});
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&stage->queue_cond, &attr);
	pthread_condattr_destroy(&attr);
	/* A lease that is asked for in the very moment of an open is broken by this signal; its default ends
	 * the process. */
	signal(SIGIO, SIG_IGN);
	*out = stage;
	return 0;
fail:
	if (stage)
		small_release(stage);
	free(stage);
	return rc;
}

void stage_close(struct stage *stage)
{
	if (!stage)
		return;
	for (size_t i = 0; i < TABLE_BUCKETS; i++)
		while (stage->buckets[i]) {
			stage->buckets[i]->refs = 1;
			table_unref(stage->buckets[i]);
		}
	queue_release(&stage->queue);
	tally_release(&stage->tally);
	kept_release(&stage->kept);
	spares_release(&stage->spares);
	small_release(stage);
	for (size_t i = 0; i < TABLE_STRIPES; i++)
		pthread_mutex_destroy(&stage->stripes[i]);
	pthread_mutex_destroy(&stage->queue_lock);
	pthread_mutex_destroy(&stage->watch_lock);
	pthread_cond_destroy(&stage->queue_cond);
	close(stage->dir_fd);
	free(stage);
}

static int drop_orphan(void *ctx, uint64_t ino)
{
	struct stage *stage = ctx;
	int rc = content_drop(stage, ino);

	if (rc)
		log_warning("inode %" PRIu64 ": cannot drop it: %s", ino, strerror(-rc));
	return 0;
}

struct sweep {
	struct stage *stage;
	uint64_t swept;
};

/* Counts a staged copy. One whose bytes are kept elsewhere by now, or whose file never got its name, goes. */
static int sweep_one(void *ctx, const char *name)
{
	struct sweep *sweep = ctx;
	struct stage *stage = sweep->stage;
	uint64_t ino = staged_ino(name);
	struct inode inode;
	struct stat st;

	if (!ino || names_get(stage->names, ino, &inode) || inode.content != CONTENT_STAGED)
		sweep->swept += !unlinkat(stage->dir_fd, name, 0);
	else if (!fstatat(stage->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		tally_set(&stage->tally, ino, (uint64_t)st.st_blocks * 512);
	return 0;
}

int stage_recover(struct stage *stage, uint64_t *swept_files, uint64_t *dropped_orphans)
{
	struct sweep sweep = {.stage = stage};
	uint64_t orphans = 0;
	struct kv_iter *it;
	int rc;

	if ((rc = dir_each(stage->dir_fd, sweep_one, &sweep)))
		return rc;
	if (!(it = kv_iter_new(stage->kv, KV_ORPHANS, NULL, 0)))
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it))
		orphans++;
	kv_iter_free(it);
	if ((rc = names_orphans(stage->names, drop_orphan, stage)))
		return rc;
	if (!(it = kv_iter_new(stage->kv, KV_STAGED, NULL, 0)))
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const void *key = kv_iter_key(it, &len);
		if (len == 8)
			stage_enqueue(stage, get_be64(key), RECOVER_QUIET_MS, 0, false);
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	if (swept_files)
		*swept_files = sweep.swept;
	if (dropped_orphans)
		*dropped_orphans = orphans;
	return rc;
}
