#include "dedup/write/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/util/io.h"

#define BUFFER (1u << 18)
#define PIECES (1u << 14)

static int join(char path[PATH_MAX], const char *dir, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s%s%s", dir ? dir : "", dir ? "/" : "", name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int dedup_outfile_check(
	const char *dir, const char *name, const struct dedup_inputs *inputs, bool force, bool *is_input)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = join(path, dir, name);

	*is_input = false;
	if (rc)
		return rc;
	if (stat(path, &st))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->v[i].spool < 0 && inputs->v[i].dev == st.st_dev && inputs->v[i].ino == st.st_ino)
			*is_input = true;
	return force && !*is_input ? 0 : -EEXIST;
}

/* Makes the directories that the path lies in. */
static int make_parents(const char *file)
{
	char path[PATH_MAX];

	strcpy(path, file);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(path, 0777) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int name_temporary(struct dedup_outfile *file, uint64_t pid)
{
	const char *slash = strrchr(file->path, '/');
	int dir = slash ? (int)(slash + 1 - file->path) : 0;
	int n = snprintf(file->temporary, PATH_MAX, "%.*s.%s.%llu.part", dir, file->path, file->path + dir,
		(unsigned long long)pid);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int dedup_outfile_open(struct dedup_outfile *file, const char *dir, const char *name, enum dedup_codec codec)
{
	int rc;

	memset(file, 0, sizeof *file);
	file->fd = -1;
	rc = join(file->path, dir, name);
	rc = rc ? rc : name_temporary(file, (uint64_t)getpid());
	rc = rc ? rc : make_parents(file->path);
	if (rc)
		return rc;
	file->buffer = malloc(BUFFER + PIECES);
	if (!file->buffer)
		return -ENOMEM;
	file->pieces = file->buffer + BUFFER;
	file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return -errno;
	file->is_there = true;
	file->coder = dedup_codec_writer(codec);
	return file->coder ? file->coder->open(&file->state) : 0;
}

static int flush(struct dedup_outfile *file)
{
	int rc = io_pwrite_full(file->fd, file->buffer, file->len, file->off);

	file->off += rc ? 0 : file->len;
	file->len = 0;
	return rc;
}

static int write_coded(struct dedup_outfile *file, const char *data, size_t len, bool finish)
{
	struct dedup_buffers b = {.in = (const uint8_t *)data, .in_len = len};
	int rc = 0;

	while (!rc && (b.in_len || finish)) {
		b.out = file->buffer + file->len;
		b.out_len = BUFFER - file->len;
		rc = file->coder->step(file->state, &b, finish);
		file->len = BUFFER - b.out_len;
		if (rc >= 0 && file->len == BUFFER) {
			int flushed = flush(file);

			rc = flushed ? flushed : rc;
		}
	}
	return rc < 0 ? rc : 0;
}

static int flush_pieces(struct dedup_outfile *file)
{
	size_t len = file->pieces_len;

	file->pieces_len = 0;
	return write_coded(file, (const char *)file->pieces, len, false);
}

/* A coder does not like to be called for some bytes. */
static int write_pieces(struct dedup_outfile *file, const char *data, size_t len)
{
	int rc = len > PIECES - file->pieces_len ? flush_pieces(file) : 0;

	if (rc || len > PIECES)
		return rc ? rc : write_coded(file, data, len, false);
	memcpy(file->pieces + file->pieces_len, data, len);
	file->pieces_len += len;
	return 0;
}

static int write_plain(struct dedup_outfile *file, const char *data, size_t len)
{
	int rc = 0;

	if (len > BUFFER - file->len)
		rc = flush(file);
	if (!rc && len > BUFFER) {
		rc = io_pwrite_full(file->fd, data, len, file->off);
		file->off += len;
	} else if (!rc) {
		memcpy(file->buffer + file->len, data, len);
		file->len += len;
	}
	return rc;
}

int dedup_outfile_write(struct dedup_outfile *file, const char *data, size_t len)
{
	if (!len)
		return 0;
	return file->coder ? write_pieces(file, data, len) : write_plain(file, data, len);
}

uint64_t dedup_outfile_claim(struct dedup_outfile *file, size_t len)
{
	uint64_t off = file->off;

	file->off += len;
	return off;
}

int dedup_outfile_put_at(const struct dedup_outfile *file, uint64_t off, const char *data, size_t len)
{
	return io_pwrite_full(file->fd, data, len, off);
}

int dedup_outfile_finish(struct dedup_outfile *file)
{
	int rc = file->coder ? flush_pieces(file) : 0;

	if (!rc && file->coder)
		rc = write_coded(file, NULL, 0, true);
	rc = rc ? rc : flush(file);
	if (!rc && fsync(file->fd))
		rc = -errno;
	return rc;
}

static int sync_parent(const char *file)
{
	char path[PATH_MAX];
	char *slash;

	strcpy(path, file);
	slash = strrchr(path, '/');
	if (!slash)
		return io_sync_dir(".");
	slash[slash == path] = 0;
	return io_sync_dir(path);
}

int dedup_outfile_publish(struct dedup_outfile *file, bool force)
{
	int rc = renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, force ? 0 : RENAME_NOREPLACE);

	if (rc && errno == EINVAL && !force) /* a file system that cannot tell; it was looked at before */
		rc = rename(file->temporary, file->path);
	if (rc)
		return -errno;
	file->is_there = false;
	return sync_parent(file->path);
}

void dedup_outfile_remove_left(const char *dir, const char *name, uint64_t pid)
{
	struct dedup_outfile file = {.fd = -1};

	if (!join(file.path, dir, name) && !name_temporary(&file, pid))
		unlink(file.temporary);
}

void dedup_outfile_drop(struct dedup_outfile *file)
{
	if (file->coder)
		file->coder->close(file->state);
	if (file->buffer && file->fd >= 0)
		close(file->fd);
	if (file->is_there)
		unlink(file->temporary);
	free(file->buffer);
	file->coder = NULL;
	file->buffer = NULL;
	file->is_there = false;
}
