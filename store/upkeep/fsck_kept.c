/* Raw copies in kept/ and their records: one without the other, or that does not fit. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/stage/kept_record.h"
#include "store/upkeep/fsck.h"
#include "store/util/dir.h"
#include "store/util/io.h"

#define BLOCK (1u << 20)

struct copies {
	struct fsck *fsck;
	struct numbers sound; /* inodes whose copy and record fit */
	int dir_fd;	      /* -1: there is no kept/ */
	uint8_t *kept, *decoded;
};

/* The copy's bytes from `off` on against the decoded ones, a block. 1 they differ, at *at; 0; -errno. */
static int compare_block(const struct copies *c, int fd, struct reader *reader, uint64_t off, uint64_t *at)
{
	ssize_t want = reader_read(reader, c->decoded, BLOCK, off), got;

	if (want < 0)
		return (int)want;
	got = io_pread_some(fd, c->kept, (size_t)want, off);
	if (got < 0)
		return (int)got;
	for (*at = off; *at < off + (uint64_t)got && c->kept[*at - off] == c->decoded[*at - off];)
		++*at;
	return *at < off + (uint64_t)want;
}

static int compare(struct copies *c, int fd, const struct kept_record *record, uint64_t *at)
{
	struct reader *reader;
	int rc = reader_open(c->fsck->parts->decoder, record->recipe, &reader);

	if (rc)
		return rc;
	for (uint64_t off = 0; !rc && off < record->size; off += BLOCK) {
		rc = compare_block(c, fd, reader, off, at);
		if (!rc)
			rc = fsck_step(c->fsck, "kept", (double)off / (double)record->size);
	}
	reader_close(reader);
	return rc;
}

/* Damage to what is encoded is the data phase's to tell. */
static int check_bytes(
	struct copies *c, const char *name, const struct kept_record *record, char *why, size_t len)
{
	int fd = openat(c->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t at = 0;
	int rc = fd < 0 ? -errno : compare(c, fd, record, &at);

	if (rc == 1)
		snprintf(why, len, "differs from its file at byte %" PRIu64, at);
	else if (rc == -EIO)
		snprintf(why, len, "cannot be read");
	if (fd >= 0)
		close(fd);
	return rc == -EINTR || rc == -ENOMEM ? rc : 0;
}

/* Sets why it cannot be trusted, or "". */
static int judge(struct copies *c, const char *name, uint64_t ino, char *why, size_t len)
{
	const struct parts *parts = c->fsck->parts;
	struct kept_record record;
	struct inode inode;
	struct stat st;
	int rc = ino ? kept_record_get(parts->kv, ino, &record) : -ENOENT;

	why[0] = 0;
	if (rc && rc != -ENOENT && rc != -EBADMSG)
		return rc;
	if (rc || names_get(parts->names, ino, &inode))
		snprintf(why, len, rc == -EBADMSG ? "has a damaged record" : "has no record or no file");
	else if (fstatat(c->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	else if (!kept_record_is_of(&record, &st))
		snprintf(why, len, "is not the copy that its record names");
	else if (!kept_record_fits(&record, &inode, &st))
		snprintf(why, len, "is not of what its file has now");
	else if (c->fsck->options->data)
		return check_bytes(c, name, &record, why, len);
	return 0;
}

static int check_copy(void *ctx, const char *name)
{
	struct copies *c = ctx;
	uint64_t ino = staged_ino(name), *sound;
	char why[128];
	int rc = judge(c, name, ino, why, sizeof why);

	if (rc)
		return rc;
	if (!why[0]) {
		sound = numbers_at(&c->sound, ino);
		return sound ? (int)(*sound = 1) - 1 : -ENOMEM;
	}
	if (!c->fsck->options->repair)
		fsck_found(c->fsck, "the raw copy kept/%s %s; --repair removes it", name, why);
	else if (unlinkat(c->dir_fd, name, 0))
		fsck_found(c->fsck, "the raw copy kept/%s %s and cannot be removed: %s", name, why,
			strerror(errno));
	else
		fsck_fixed(c->fsck, "the raw copy kept/%s %s: removed", name, why);
	return 0;
}

/* A copy may go before its record does; that is no damage, but it is told. */
static int check_record(void *ctx, uint64_t ino)
{
	struct copies *c = ctx;
	struct kv_batch *batch;
	int rc;

	if (numbers_get(&c->sound, ino))
		return 0;
	if (!c->fsck->options->repair) {
		fsck_found(c->fsck,
			"a record of a raw copy of inode %" PRIu64
			", which has none that fits; --repair or the next mount removes it",
			ino);
		return 0;
	}
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	kept_record_delete(c->fsck->parts->kv, batch, ino);
	rc = kv_write(c->fsck->parts->kv, batch, false);
	kv_batch_free(batch);
	if (!rc)
		fsck_fixed(c->fsck, "a record of a raw copy of inode %" PRIu64 " removed", ino);
	return rc;
}

static int open_kept(const struct fsck *fsck)
{
	char path[4096];

	if (!fsck->parts->path ||
		(size_t)snprintf(path, sizeof path, "%s/kept", fsck->parts->path) >= sizeof path)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int fsck_kept(struct fsck *fsck)
{
	struct copies c = {
		.fsck = fsck, .dir_fd = open_kept(fsck), .kept = malloc(BLOCK), .decoded = malloc(BLOCK)};
	int rc = c.kept && c.decoded ? fsck_step(fsck, "kept", 0) : -ENOMEM;

	if (!rc && c.dir_fd >= 0)
		rc = dir_each(c.dir_fd, check_copy, &c);
	if (!rc)
		rc = kept_records_each(fsck->parts->kv, check_record, &c);
	numbers_release(&c.sound);
	free(c.kept);
	free(c.decoded);
	if (c.dir_fd >= 0)
		close(c.dir_fd);
	return rc;
}
