/*
 * One phase of the small-file benchmark: bench_smallfiles PHASE DIR FILES SIZE PROCESSES
 *
 * PHASE: create (create, write, close, rename), touch (create, close), stat, read (open, read, close),
 * delete. SIZE: bytes of a file, or LEAST-MOST. Each process works on its own directory DIR/N; the files are
 * divided among them. Prints operations a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/util/clock.h"

struct work {
	const char *dir;
	long files;		  /* of this process */
	size_t size, least, most; /* size: of the file at hand */
	int process;
	char *bytes;
};

static int die(const char *path)
{
	perror(path);
	return 1;
}

static void size_file(struct work *work, long file)
{
	uint64_t x = ((uint64_t)file + 1) * 0x9e3779b97f4a7c15u;

	work->size = work->least + (size_t)(x >> 33) % (work->most - work->least + 1);
}

/* Bytes that do not compress and that no two files share. */
static void fill(struct work *work, long file)
{
	uint64_t x = (uint64_t)file * 0x9e3779b97f4a7c15u + (uint64_t)work->process * 0xbf58476d1ce4e5b9u + 1;

	for (size_t i = 0; i < work->size; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(work->bytes + i, &x, 8);
	}
}

static void name_of(const struct work *work, long file, const char *suffix, char *path, size_t capacity)
{
	snprintf(path, capacity, "%s/%d/%06ld%s", work->dir, work->process, file, suffix);
}

static int do_create(struct work *work, long file)
{
	char temporary[4096], path[4096];
	int fd;

	name_of(work, file, ".tmp", temporary, sizeof temporary);
	name_of(work, file, "", path, sizeof path);
	fill(work, file);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || write(fd, work->bytes, work->size) != (ssize_t)work->size || close(fd) ||
		rename(temporary, path))
		return die(temporary);
	return 0;
}

static int do_touch(struct work *work, long file)
{
	char path[4096];
	int fd;

	name_of(work, file, "", path, sizeof path);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	return fd < 0 || close(fd) ? die(path) : 0;
}

static int do_stat(struct work *work, long file)
{
	char path[4096];
	struct stat st;

	name_of(work, file, "", path, sizeof path);
	if (stat(path, &st))
		return die(path);
	if ((size_t)st.st_size != work->size) {
		fprintf(stderr, "%s: %lld bytes\n", path, (long long)st.st_size);
		return 1;
	}
	return 0;
}

static int do_read(struct work *work, long file)
{
	char path[4096], bytes[65536];
	int fd;

	name_of(work, file, "", path, sizeof path);
	fill(work, file);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, bytes, sizeof bytes) != (ssize_t)work->size || close(fd))
		return die(path);
	if (memcmp(bytes, work->bytes, work->size) != 0) {
		fprintf(stderr, "%s: wrong bytes\n", path);
		return 1;
	}
	return 0;
}

static int do_delete(struct work *work, long file)
{
	char path[4096];

	name_of(work, file, "", path, sizeof path);
	return unlink(path) ? die(path) : 0;
}

typedef int (*phase_fn)(struct work *work, long file);

static phase_fn phase_of(const char *name)
{
	static const struct {
		const char *name;
		phase_fn phase;
	} phases[] = {{"create", do_create}, {"touch", do_touch}, {"stat", do_stat}, {"read", do_read},
		{"delete", do_delete}};

	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
		if (!strcmp(name, phases[i].name))
			return phases[i].phase;
	return NULL;
}

static int run(struct work *work, phase_fn phase)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%d", work->dir, work->process);
	if (mkdir(path, 0755) && errno != EEXIST)
		return die(path);
	for (long file = 0; file < work->files; file++) {
		size_file(work, file);
		if (phase(work, file))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct work work = {0};
	long files, processes, failed = 0;
	uint64_t started;
	phase_fn phase;
	char *dash;
	int status;

	if (argc != 6 || !(phase = phase_of(argv[1]))) {
		fprintf(stderr,
			"usage: bench_smallfiles create|touch|stat|read|delete DIR FILES SIZE PROCESSES\n");
		return 2;
	}
	work.dir = argv[2];
	files = atol(argv[3]);
	work.least = work.most = (size_t)atol(argv[4]);
	if ((dash = strchr(argv[4], '-')))
		work.most = (size_t)atol(dash + 1);
	processes = atol(argv[5]);
	if (processes < 1 || work.most > 65536 || work.most < work.least ||
		!(work.bytes = calloc(1, work.most + 8)))
		return 2;
	work.files = files / processes;
	started = clock_now_ns();
	for (work.process = 0; work.process < processes; work.process++)
		if (!fork())
			_exit(run(&work, phase));
	while (wait(&status) > 0)
		failed += status != 0;
	if (!failed)
		printf("%.1f\n",
			(double)(work.files * processes) / ((double)(clock_now_ns() - started) / 1e9));
	free(work.bytes);
	return failed != 0;
}
