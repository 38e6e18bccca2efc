#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/util/log.h"
#include "tools/mount.h"
#include "tools/open.h"
#include "tools/tool.h"

#define MALLOC_ARENAS 4

/*
 * The daemon's mount tells the command that waits for it one message over a pipe, and closes it: a byte, 'R'
 * (ready) or 'E', and a line for the user. No message at all: the daemon died.
 */
struct serving {
	int told;	     /* -1: nobody waits */
	bool verbose, alone; /* alone: a daemon that has let go of the terminal */
	const char *store, *mountpoint;
};

static void tell(const struct serving *serving, char kind, const char *line)
{
	char message[2048];
	int n = snprintf(message, sizeof message, "%c%s", kind, line);

	if (n >= (int)sizeof message)
		n = sizeof message - 1;
	if (serving->told >= 0) {
		if (write(serving->told, message, (size_t)n) < 0)
			return;
	} else if (serving->alone) {
		log_error("%s", line);
	} else if (*line) {
		fprintf(stderr, "%s\n", line);
	}
}

static void let_go_of_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
}

static void on_ready(void *ctx, const struct fs_state *state)
{
	struct serving *serving = ctx;
	char line[1024] = "";

	if (serving->verbose)
		snprintf(line, sizeof line, "mithril: %.400s: %.400s, %s, %s", serving->mountpoint,
			serving->store, state->read_only ? "read-only" : "read-write",
			state->passthrough ? "passthrough" : "relay");
	tell(serving, 'R', line);
	if (serving->told >= 0) {
		close(serving->told);
		serving->told = -1;
		serving->alone = true;
		let_go_of_terminal();
	}
}

static int fail(const struct serving *serving, const char *what, int error, const char *text)
{
	char line[2048];

	tool_format_error(line, sizeof line, what, error, text);
	tell(serving, 'E', line);
	return tool_exit_of(error);
}

/* Dozens of threads with an arena each keep what they once needed: after a day of small files half a
 * gigabyte. */
static void bound_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, MALLOC_ARENAS);
#endif
}

/* For -o ro, a store on a read-only disk is opened as it is; elsewhere what awaits encoding is encoded. */
static int open_ordered(
	const struct mount_order *order, const char *path, struct store **store, struct store_error *error)
{
	struct store_options options = order->options.store;

	options.read_only = options.hold = order->options.fs.read_only && open_is_unwritable(path);
	options.keep_as_is = order->options.fs.read_only;
	return store_open(path, &options, store, error);
}

int mount_serve(const struct mount_order *order, const char *store_path, const char *mountpoint, int told)
{
	struct serving serving = {told, order->verbose, false, store_path, mountpoint};
	struct store_error store_error = {""};
	struct fs_error fs_error = {""};
	struct store *store;
	int rc;

	if (told < 0)
		log_setup(LOG_LEVEL_WARNING, 0);
	umask(077);
	bound_memory();
	rc = open_ordered(order, store_path, &store, &store_error);
	if (rc)
		return fail(&serving, store_path, rc, store_error.text);
	rc = fs_run(store, mountpoint, &order->options.fs, on_ready, &serving, &fs_error);
	store_close(store);
	return rc ? fail(&serving, mountpoint, rc, fs_error.text) : TOOL_OK;
}

static volatile sig_atomic_t daemon_pid;

/* Ctrl-C before the mount answers ends the daemon, which unmounts by itself. */
static void on_interrupt(int signal)
{
	(void)signal;
	if (daemon_pid > 0)
		kill(daemon_pid, SIGTERM);
}

static int daemon_died(const char *store, const char *mountpoint)
{
	struct statvfs disk;

	if (!statvfs(store, &disk) && (uint64_t)disk.f_bavail * disk.f_frsize < (1u << 20))
		return tool_fail(TOOL_SYSTEM, store, tool_next_step(-ENOSPC), "the disk it is on is full");
	return tool_fail(
		TOOL_SYSTEM, mountpoint, "see the system log", "the daemon ended before it had mounted");
}

static int wait_told(int told, pid_t pid, const char *store, const char *mountpoint)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
	char message[2048];
	size_t have = 0;
	ssize_t n;
	int status;

	daemon_pid = pid;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (have + 1 < sizeof message &&
		((n = read(told, message + have, sizeof message - 1 - have)) > 0 ||
			(n < 0 && errno == EINTR)))
		have += n > 0 ? (size_t)n : 0;
	message[have] = 0;
	if (have > 1)
		fprintf(stderr, "%s\n", message + 1);
	if (have && message[0] == 'R')
		return TOOL_OK;
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && have)
		return WEXITSTATUS(status);
	return daemon_died(store, mountpoint);
}

int mount_daemon(const struct mount_order *order, const char *store, const char *mountpoint)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return tool_fail_errno("pipe", -errno);
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return tool_fail_errno("fork", -errno);
	}
	if (!pid) {
		close(ends[0]);
		signal(SIGPIPE, SIG_IGN);
		setsid();
		if (chdir("/"))
			_exit(TOOL_SYSTEM);
		exit(mount_serve(order, store, mountpoint, ends[1]));
	}
	close(ends[1]);
	return wait_told(ends[0], pid, store, order->mountpoint);
}
