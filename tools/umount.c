#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs/control.h"
#include "tools/print.h"
#include "tools/tool.h"

#define READERS_NAPS 50u

/* An ordinary user has no right to umount(2), but fusermount3 does it for the owner of the mount. */
static int fusermount(const char *mountpoint, bool lazy)
{
	const char *arguments[] = {"fusermount3", "-u", "-q", "--", mountpoint, NULL};
	const char *lazily[] = {"fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL};
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		execvp("fusermount3", (char **)(lazy ? lazily : arguments));
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOSYS;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EBUSY;
}

static int unmount(const char *given, bool lazy)
{
	int rc = umount2(given, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) ? -errno : 0;

	if (rc == -EPERM && geteuid() != 0)
		rc = fusermount(given, lazy);
	switch (-rc) {
	case 0:
		return TOOL_OK;
	case EBUSY:
		return tool_fail(
			TOOL_SYSTEM, given, "end what uses it (fuser -vm lists it), or use --lazy", "in use");
	case ENOSYS:
		return tool_fail(
			TOOL_SYSTEM, "fusermount3", "install fuse3, or unmount as root", "not found");
	case EINVAL:
		return tool_fail(
			TOOL_USAGE, given, "name the directory that was mounted on", "not a mount point");
	default:
		return tool_fail_errno(given, rc);
	}
}

/* Whether somebody may write the store, or still reads it and there is patience left for that: it may be
 * another read-only mount that stays. */
static bool is_held(int lock, unsigned *patience)
{
	if (!flock(lock, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return false;
	return (flock(lock, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK) || (*patience && (*patience)--);
}

/* The kernel lets a mount go before its daemon is through; the store's lock tells when it is. */
static void wait_released(const char *store)
{
	struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};
	unsigned patience = READERS_NAPS;
	struct print_progress progress = {0};
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof path, "%s/lock", store) >= (int)sizeof path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	while (is_held(fd, &patience)) {
		print_progress(&progress, "waiting for the daemon to write down what it has");
		nanosleep(&nap, NULL);
	}
	print_progress_end(&progress);
	close(fd);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {{"lazy", no_argument, NULL, 'l'}, {0}};
	bool lazy = false;
	struct tool_arguments arguments = tool_parse(tool, argc, argv, options, tool_set_flag, &lazy, 1, 1);
	char store[PATH_MAX], path[PATH_MAX];
	int rc, code;

	if (arguments.code >= 0)
		return arguments.code;
	if (!realpath(arguments.v[0], path)) /* a dead mount cannot be resolved, but can be named as it is */
		snprintf(path, sizeof path, "%s", arguments.v[0]);
	rc = control_store_of(path, store, sizeof store);
	if (rc == -ENOTTY)
		return tool_fail(TOOL_USAGE, arguments.v[0], "mithril mounts are in /proc/mounts",
			"not a Mithril mount");
	if (rc)
		return tool_fail_errno(arguments.v[0], rc);
	code = unmount(path, lazy);
	if (!code && !lazy)
		wait_released(store);
	return code;
}

const struct tool tool_umount = {
	.name = "umount",
	.arguments = "[-l] MNT",
	.summary = "Unmount, and wait until the store is closed",
	.help = "  -l, --lazy  take it out of the tree now and end it when nothing uses it any more\n\n"
		"When it returns, the store can be mounted again, copied or moved. What awaits encoding is "
		"encoded\n"
		"after the next mount.\n",
	.run = run,
};
