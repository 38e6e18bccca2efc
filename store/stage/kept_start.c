#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/private.h"
#include "store/util/dir.h"
#include "store/util/log.h"

/* The copy by this name, if it may be trusted. */
static struct kept_file *trusted(struct kept *kept, const char *name)
{
	struct kept_record record;
	struct kept_file *file;
	struct inode inode;
	struct stat st;
	uint64_t ino = staged_ino(name);

	if (!ino || kept_record_get(kept->options.kv, ino, &record) ||
		names_get(kept->options.names, ino, &inode) ||
		fstatat(kept->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
		!kept_record_fits(&record, &inode, &st) || !(file = malloc(sizeof *file)))
		return NULL;
	*file = (struct kept_file){.ino = ino,
		.bytes = (uint64_t)st.st_blocks * 512,
		.serial = ++kept->serials,
		.record = record,
		.seal = KEPT_SEALED};
	return file;
}

static int load_one(void *ctx, const char *name)
{
	struct kept *kept = ctx;
	bool as_is = kept->options.as_is;
	struct kept_file *file = trusted(kept, name);

	if (file && (as_is || kept_make_room(kept, file->bytes, file->record.mtime))) {
		kept_list_enter(&kept->list, file);
		return 0;
	}
	free(file);
	if (!as_is)
		unlinkat(kept->dir_fd, name, 0);
	return 0;
}

struct cleaning {
	struct kept *kept;
	struct kv_batch *batch;
};

static int drop_without_copy(void *ctx, uint64_t ino)
{
	struct cleaning *cleaning = ctx;

	if (!kept_list_find(&cleaning->kept->list, ino))
		kept_record_delete(cleaning->kept->options.kv, cleaning->batch, ino);
	return 0;
}

static void clean_records(struct kept *kept)
{
	struct cleaning cleaning = {kept, kv_batch_new()};
	int rc = cleaning.batch ? kept_records_each(kept->options.kv, drop_without_copy, &cleaning) : -ENOMEM;

	if (!rc && kv_batch_count(cleaning.batch)) {
		kv_batch_frees(cleaning.batch);
		rc = kv_write(kept->options.kv, cleaning.batch, false);
	}
	kv_batch_free(cleaning.batch);
	if (rc)
		log_warning("records of raw copies that are gone cannot be removed: %s; the next mount tries "
			    "again",
			strerror(-rc));
}

void kept_load(struct kept *kept)
{
	if (kept->dir_fd >= 0)
		dir_each(kept->dir_fd, load_one, kept);
	if (kept->options.as_is)
		return;
	clean_records(kept);
	kept_fit_disk(kept);
}
