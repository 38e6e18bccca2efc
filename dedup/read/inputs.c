#include "dedup/read/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/util/array.h"
#include "store/util/io.h"

#define SPOOL_STEP (1u << 18)

int dedup_spool_open(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int spool(int from, int *to)
{
	char *buffer = malloc(SPOOL_STEP);
	uint64_t size = 0;
	ssize_t n = 0;
	int rc = buffer ? 0 : -ENOMEM;

	*to = rc ? -1 : dedup_spool_open();
	if (!rc && *to < 0)
		rc = *to;
	while (!rc && (n = read(from, buffer, SPOOL_STEP)) != 0) {
		if (n < 0 && errno != EINTR)
			rc = -errno;
		if (n > 0)
			rc = io_pwrite_full(*to, buffer, (size_t)n, size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (rc && *to >= 0) {
		close(*to);
		*to = -1;
	}
	free(buffer);
	return rc;
}

static bool ends_with(const char *name, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !strncmp(name + len - n, with, n);
}

static enum dedup_format format_of(const char *path, enum dedup_codec codec)
{
	size_t len = strlen(path);
	const char *suffix = dedup_codec_suffix(codec);

	if (ends_with(path, len, suffix))
		len -= strlen(suffix);
	return ends_with(path, len, ".txt") || ends_with(path, len, ".text") ? DEDUP_FORMAT_TEXT
									     : DEDUP_FORMAT_JSONL;
}

static int look(struct dedup_input *input, int fd)
{
	uint8_t head[DEDUP_CODEC_MAGIC];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	n = io_pread_some(fd, head, sizeof head, 0);
	if (n < 0)
		return (int)n;
	input->codec = dedup_codec_of(head, (size_t)n);
	input->size = (uint64_t)st.st_size;
	input->dev = st.st_dev;
	input->ino = st.st_ino;
	input->mtime = st.st_mtim;
	return 0;
}

static int open_named(const char *path, bool *regular)
{
	struct stat st;
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	if (rc) {
		close(fd);
		return rc;
	}
	*regular = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
	return fd;
}

static int add_input(struct dedup_inputs *inputs, const char *path, struct dedup_input input)
{
	struct dedup_input *grown = array_grow(inputs->v, inputs->count, &inputs->capacity, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	inputs->v = grown;
	input.path = strdup(path);
	if (!input.path)
		return -ENOMEM;
	inputs->v[inputs->count++] = input;
	return 0;
}

int dedup_inputs_add_source(struct dedup_inputs *inputs, const char *path, const struct dedup_source *source)
{
	struct dedup_input input = {.format = DEDUP_FORMAT_TEXTS, .spool = -1, .source = source};

	return add_input(inputs, path, input);
}

int dedup_inputs_add_spool(struct dedup_inputs *inputs, const char *path, int fd)
{
	struct dedup_input input = {.format = DEDUP_FORMAT_JSONL, .spool = fd};
	int rc = look(&input, fd);

	input.codec = DEDUP_CODEC_NONE;
	rc = rc ? rc : add_input(inputs, path, input);
	if (rc)
		close(fd);
	return rc;
}

static int add_file(struct dedup_inputs *inputs, const char *path, enum dedup_format format)
{
	struct dedup_input input = {.format = format, .spool = -1};
	bool regular = false;
	int fd, rc;

	fd = open_named(path, &regular);
	if (fd < 0)
		return fd;
	rc = regular ? 0 : spool(fd, &input.spool);
	rc = rc ? rc : look(&input, regular ? fd : input.spool);
	if (rc)
		goto out;
	rc = -EEXIST;
	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->v[i].dev == input.dev && inputs->v[i].ino == input.ino)
			goto out;
	if (format == DEDUP_FORMAT_AUTO)
		input.format = format_of(path, input.codec);
	rc = add_input(inputs, path, input);
out:
	close(fd);
	if (rc && input.spool >= 0)
		close(input.spool);
	return rc;
}

int dedup_inputs_add(struct dedup_inputs *inputs, const char *pattern, enum dedup_format format)
{
	glob_t found = {0};
	int rc;

	if (!strcmp(pattern, "-") || !strpbrk(pattern, "*?[") || !access(pattern, F_OK))
		return add_file(inputs, pattern, format);
	errno = 0;
	rc = glob(pattern, GLOB_ERR, NULL, &found);
	if (rc)
		rc = rc == GLOB_NOSPACE ? -ENOMEM : rc == GLOB_ABORTED && errno ? -errno : -ENOENT;
	for (size_t i = 0; !rc && i < found.gl_pathc; i++)
		rc = add_file(inputs, found.gl_pathv[i], format);
	globfree(&found);
	return rc;
}

/* The absolute path whose directories count: the link's own place, not what it points to. */
static char *place_of(const struct dedup_input *input)
{
	char *copy = strdup(input->path), *also = strdup(input->path), *dir = NULL, *path = NULL;

	if (copy && also)
		dir = realpath(dirname(copy), NULL);
	if (dir && asprintf(&path, "%s/%s", strcmp(dir, "/") ? dir : "", basename(also)) < 0)
		path = NULL;
	free(dir);
	free(copy);
	free(also);
	return path;
}

/* The length of the directory, its slash included, that both paths begin with. */
static size_t shared(const char *a, const char *b, size_t at_most)
{
	size_t len = 0;

	for (size_t i = 0; i < at_most && a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			len = i + 1;
	return len;
}

static int name_spool(struct dedup_input *input)
{
	const char *base = strcmp(input->path, "-") ? strrchr(input->path, '/') : "/stdin";

	return asprintf(&input->name, "%s%s%s", base ? base + 1 : input->path,
		       input->format == DEDUP_FORMAT_TEXT ? ".txt" : ".jsonl",
		       dedup_codec_suffix(input->codec)) < 0
		       ? -ENOMEM
		       : 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct dedup_input *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int check_names(const struct dedup_inputs *inputs)
{
	const struct dedup_input **sorted = malloc((inputs->count + 1) * sizeof *sorted);
	int rc = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < inputs->count; i++)
		sorted[i] = &inputs->v[i];
	qsort(sorted, inputs->count, sizeof *sorted, compare_names);
	for (size_t i = 1; i < inputs->count; i++)
		if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
			rc = -EEXIST;
	free(sorted);
	return rc;
}

int dedup_inputs_name(struct dedup_inputs *inputs)
{
	const struct dedup_input *first = NULL;
	size_t prefix = SIZE_MAX;

	for (size_t i = 0; i < inputs->count; i++) {
		struct dedup_input *input = &inputs->v[i];

		if (input->spool >= 0) {
			if (name_spool(input))
				return -ENOMEM;
			continue;
		}
		input->name = place_of(input);
		if (!input->name)
			return -ENOMEM;
		first = first ? first : input;
		prefix = shared(first->name, input->name, prefix);
	}
	for (size_t i = 0; i < inputs->count; i++)
		if (inputs->v[i].spool < 0)
			memmove(inputs->v[i].name, inputs->v[i].name + prefix,
				strlen(inputs->v[i].name + prefix) + 1);
	return check_names(inputs);
}

void dedup_inputs_release(struct dedup_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++) {
		free(inputs->v[i].path);
		free(inputs->v[i].name);
		if (inputs->v[i].spool >= 0)
			close(inputs->v[i].spool);
	}
	free(inputs->v);
	*inputs = (struct dedup_inputs){0};
}

int dedup_input_open(const struct dedup_input *input)
{
	struct stat st;
	int fd;

	if (input->spool >= 0)
		fd = fcntl(input->spool, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(input->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		int rc = -errno;
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (st.st_dev == input->dev && st.st_ino == input->ino && (uint64_t)st.st_size == input->size &&
		st.st_mtim.tv_sec == input->mtime.tv_sec && st.st_mtim.tv_nsec == input->mtime.tv_nsec)
		return fd;
	close(fd);
	return -ESTALE;
}
