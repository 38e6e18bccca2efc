#include "tools/compilers/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/util/array.h"
#include "store/util/clock.h"

#define DEPTH_MAX 32u

struct walk {
	const char *client;
	struct scan *scan;
	dev_t dev;
	uint64_t deadline_ms;
	char path[PATH_MAX]; /* below the namespace */
};

static int add(struct walk *walk, const struct stat *st)
{
	struct scan *scan = walk->scan;
	struct artifact artifact;
	struct scan_file *grown;
	char *path;

	if (!artifact_of(walk->client, walk->path, &artifact))
		return 0;
	grown = array_grow(scan->files, scan->count, &scan->capacity, sizeof *grown);
	path = strdup(walk->path);
	if (grown)
		scan->files = grown;
	if (!grown || !path) {
		free(path);
		return -ENOMEM;
	}
	if (artifact.key)
		artifact.key = path + (artifact.key - walk->path);
	grown[scan->count++] = (struct scan_file){path, artifact, (uint64_t)st->st_size,
		(int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
	return 0;
}

static int walk_dir(struct walk *walk, int at, const char *name, unsigned depth);

static int visit(struct walk *walk, int at, const char *name, unsigned depth)
{
	size_t len = strlen(walk->path);
	struct stat st;
	int ret = 0;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != walk->dev)
		return 0;
	if (snprintf(walk->path + len, sizeof walk->path - len, "%s%s", len ? "/" : "", name) >=
		(int)(sizeof walk->path - len))
		ret = 0;
	else if (S_ISDIR(st.st_mode))
		ret = depth < DEPTH_MAX ? walk_dir(walk, at, name, depth + 1) : 0;
	else if (S_ISREG(st.st_mode))
		ret = add(walk, &st);
	walk->path[len] = '\0';
	return ret;
}

static int walk_dir(struct walk *walk, int at, const char *name, unsigned depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), ret = 0;
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!entries) {
		ret = -errno;
		if (fd >= 0)
			close(fd);
		return depth ? 0 : ret;
	}
	while (!ret && (entry = readdir(entries))) {
		if (walk->deadline_ms && clock_now_ms() > walk->deadline_ms)
			ret = -ETIMEDOUT;
		else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = visit(walk, dirfd(entries), entry->d_name, depth);
	}
	closedir(entries);
	return ret;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct scan_file *)a)->path, ((const struct scan_file *)b)->path);
}

int scan_read(const char *client, const char *dir, unsigned patience_ms, struct scan *out)
{
	struct walk *walk = calloc(1, sizeof *walk);
	struct stat st;
	int ret = 0;

	memset(out, 0, sizeof *out);
	if (!walk)
		return -ENOMEM;
	if (stat(dir, &st))
		ret = -errno;
	walk->client = client;
	walk->scan = out;
	walk->dev = st.st_dev;
	walk->deadline_ms = patience_ms ? clock_now_ms() + patience_ms : 0;
	if (!ret)
		ret = walk_dir(walk, AT_FDCWD, dir, 0);
	free(walk);
	if (ret)
		scan_free(out);
	else if (out->count)
		qsort(out->files, out->count, sizeof *out->files, by_path);
	return ret;
}

void scan_free(struct scan *scan)
{
	for (size_t i = 0; i < scan->count; i++)
		free(scan->files[i].path);
	free(scan->files);
	memset(scan, 0, sizeof *scan);
}

size_t scan_group_end(const struct scan *scan, size_t first)
{
	const struct scan_file *file = &scan->files[first];
	size_t len = file->artifact.group_len;

	for (first++; first < scan->count; first++)
		if (scan->files[first].artifact.group_len != len ||
			strncmp(scan->files[first].path, file->path, len) != 0)
			break;
	return first;
}
