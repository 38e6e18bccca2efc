#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "dedup/spill/layout.h"
#include "dedup/spill/table.h"
#include "store/util/array.h"
#include "store/util/bytes.h"
#include "store/util/io.h"

static int append(struct dedup_table_writer *w, const void *data, size_t len)
{
	int rc = io_pwrite_full(w->fd, data, len, w->off);

	w->off += rc ? 0 : len;
	return rc;
}

static int put_head(
	struct dedup_table_writer *w, enum dedup_table_kind kind, const struct dedup_digest *digest)
{
	uint8_t head[HEAD] = MAGIC;

	put_le32(head + HEAD_VERSION, VERSION);
	put_le32(head + HEAD_KIND, kind);
	memcpy(head + HEAD_DIGEST, digest->bytes, sizeof digest->bytes);
	put_le64(head + HEAD_SUM, XXH3_64bits(head, HEAD_SUM));
	return append(w, head, HEAD);
}

/* What a killed process has left is taken over; what another one is writing, or has just given its name, is
 * not. */
static bool is_ours(const struct dedup_table_writer *w)
{
	struct stat opened, there;

	return !flock(w->fd, LOCK_EX | LOCK_NB) && !fstat(w->fd, &opened) && !stat(w->temporary, &there) &&
	       opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

int dedup_table_create(struct dedup_table_writer *w, const char *dir, const char *name,
	enum dedup_table_kind kind, const struct dedup_digest *digest)
{
	memset(w, 0, sizeof *w);
	w->fd = -1;
	if (snprintf(w->path, sizeof w->path, "%s/%s", dir, name) >= PATH_MAX ||
		snprintf(w->temporary, sizeof w->temporary, "%s/%s.part", dir, name) >= PATH_MAX)
		return -ENAMETOOLONG;
	w->block = malloc(BLOCK_HEAD + DEDUP_TABLE_BLOCK);
	if (!w->block)
		return -ENOMEM;
	w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (w->fd < 0)
		return -errno;
	if (!is_ours(w)) {
		close(w->fd);
		w->fd = -1;
		return -EBUSY;
	}
	return ftruncate(w->fd, 0) ? -errno : put_head(w, kind, digest);
}

static int flush(struct dedup_table_writer *w)
{
	int rc;

	if (!w->len)
		return 0;
	memset(w->block, 0, BLOCK_HEAD);
	put_le32(w->block, (uint32_t)w->len);
	put_le64(w->block + BLOCK_SUM, XXH3_64bits_withSeed(w->block + BLOCK_HEAD, w->len, w->off));
	rc = append(w, w->block, BLOCK_HEAD + w->len);
	w->runs[w->run_count - 1].bytes += rc ? 0 : BLOCK_HEAD + w->len;
	w->len = 0;
	return rc;
}

int dedup_table_begin(struct dedup_table_writer *w, uint32_t part)
{
	struct dedup_table_run *grown;
	int rc = flush(w);

	if (rc)
		return rc;
	if (w->run_count == DEDUP_TABLE_PARTS_MAX)
		return -EOVERFLOW;
	grown = array_grow(w->runs, w->run_count, &w->run_capacity, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	w->runs = grown;
	grown[w->run_count++] = (struct dedup_table_run){.part = part, .off = w->off};
	return 0;
}

int dedup_table_put(struct dedup_table_writer *w, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		size_t room = DEDUP_TABLE_BLOCK - w->len, n = len < room ? len : room;

		memcpy(w->block + BLOCK_HEAD + w->len, from, n);
		w->len += n;
		from += n;
		len -= n;
		if (w->len == DEDUP_TABLE_BLOCK) {
			int rc = flush(w);

			if (rc)
				return rc;
		}
	}
	return 0;
}

static int put_foot(struct dedup_table_writer *w)
{
	size_t foot = w->run_count * RUN + DEDUP_TABLE_COUNTS * 8;
	uint8_t *bytes = malloc(foot + TAIL), *at = bytes, *tail = bytes + foot;
	int rc;

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < w->run_count; i++, at += RUN) {
		put_le32(at, w->runs[i].part);
		put_le64(at + 4, w->runs[i].off);
		put_le64(at + 12, w->runs[i].bytes);
	}
	for (unsigned i = 0; i < DEDUP_TABLE_COUNTS; i++, at += 8)
		put_le64(at, w->counts[i]);
	put_le64(tail, w->run_count);
	put_le64(tail + TAIL_OFF, w->off);
	put_le64(tail + TAIL_SUM, XXH3_64bits(bytes, foot + TAIL_SUM));
	memcpy(tail + TAIL_MAGIC, FOOT_MAGIC, 8);
	rc = append(w, bytes, foot + TAIL);
	free(bytes);
	return rc;
}

int dedup_table_finish(struct dedup_table_writer *w)
{
	char dir[PATH_MAX];
	int rc = flush(w);

	rc = rc ? rc : put_foot(w);
	if (!rc && fsync(w->fd))
		rc = -errno;
	if (!rc && rename(w->temporary, w->path))
		rc = -errno;
	if (rc)
		return rc;
	close(w->fd);
	w->fd = -1;
	strcpy(dir, w->path);
	*strrchr(dir, '/') = 0;
	return io_sync_dir(dir);
}

void dedup_table_drop(struct dedup_table_writer *w)
{
	if (w->fd >= 0) {
		unlink(w->temporary);
		close(w->fd);
	}
	free(w->runs);
	free(w->block);
	w->runs = NULL;
	w->block = NULL;
	w->fd = -1;
}
