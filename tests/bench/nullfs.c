// links: PkgConfig::FUSE3
/*
 * What a request to a FUSE daemon costs that does nothing: bench_nullfs DIR REQUESTS PROCESSES
 *
 * Mounts a file system of one file on DIR (needs root), has its attributes asked for again and again by so
 * many processes, each time by a request, since they may not be kept, and prints requests a second. libfuse's
 * own threads serve them, each with a device of its own.
 */
#define FUSE_USE_VERSION 312
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/util/clock.h"

#define FILE_INO 2u
#define FOREVER 86400.0

static void fill(fuse_ino_t ino, struct stat *st)
{
	*st = (struct stat){
		.st_ino = ino, .st_nlink = 1, .st_mode = ino == FILE_INO ? S_IFREG | 0644 : S_IFDIR | 0755};
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.ino = FILE_INO, .entry_timeout = FOREVER};

	if (parent != FUSE_ROOT_ID || strcmp(name, "file")) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill(FILE_INO, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	fill(ino, &st);
	fuse_reply_attr(req, &st, ino == FILE_INO ? 0 : FOREVER);
}

static int serve(const char *dir)
{
	const struct fuse_lowlevel_ops ops = {.lookup = op_lookup, .getattr = op_getattr};
	char *argv[] = {"nullfs", NULL};
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_loop_config *how = fuse_loop_cfg_create();
	struct fuse_session *session = fuse_session_new(&args, &ops, sizeof ops, NULL);

	if (!session || !how || fuse_session_mount(session, dir))
		return 1;
	fuse_set_signal_handlers(session);
	fuse_loop_cfg_set_clone_fd(how, 1);
	fuse_session_loop_mt(session, how);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	fuse_loop_cfg_destroy(how);
	return 0;
}

static int ask(const char *path, long times)
{
	struct stat st;

	while (times--)
		if (stat(path, &st)) {
			perror(path);
			return 1;
		}
	return 0;
}

static int measure(const char *path, long requests, long processes)
{
	uint64_t started = clock_now_ns();
	int status, failed = 0;

	for (long i = 0; i < processes; i++)
		if (!fork())
			_exit(ask(path, requests / processes));
	for (long i = 0; i < processes; i++)
		failed |= wait(&status) < 0 || status;
	if (!failed)
		printf("%.1f\n", (double)(requests / processes * processes) /
					 ((double)(clock_now_ns() - started) / 1e9));
	return failed;
}

int main(int argc, char **argv)
{
	long requests = argc == 4 ? atol(argv[2]) : 0, processes = argc == 4 ? atol(argv[3]) : 0;
	char path[4096];
	struct stat st;
	pid_t daemon;
	int failed;

	if (processes < 1 || requests < processes) {
		fprintf(stderr, "usage: bench_nullfs DIR REQUESTS PROCESSES\n");
		return 2;
	}
	snprintf(path, sizeof path, "%s/file", argv[1]);
	daemon = fork();
	if (!daemon)
		_exit(serve(argv[1]));
	for (int i = 0; stat(path, &st) && i < 100; i++)
		usleep(50000);
	failed = measure(path, requests, processes);
	kill(daemon, SIGTERM);
	waitpid(daemon, NULL, 0);
	return failed;
}
