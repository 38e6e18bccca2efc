#include "tools/mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/control.h"
#include "tools/tool.h"

static int check_device(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return TOOL_OK;
	}
	if (errno == EACCES && geteuid() != 0)
		return TOOL_OK; /* fusermount3 may have the right */
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return tool_fail(TOOL_SYSTEM, "/dev/fuse",
			"modprobe fuse, or start the container with --device /dev/fuse",
			"this system has none");
	return tool_fail(TOOL_SYSTEM, "/dev/fuse",
		"start the container with --device /dev/fuse --cap-add SYS_ADMIN", "no right to use it: %m");
}

static int check_empty(const char *mountpoint, DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return tool_fail(TOOL_USAGE, mountpoint,
				"choose an empty directory, or hide what is in it with -o nonempty",
				"the mount point is not empty");
	return TOOL_OK;
}

/* The store must not come to lie below its own mount, nor the mount inside the store. */
static int check_apart(const char *store, const char *mountpoint)
{
	size_t s = strlen(store);

	if (strncmp(store, mountpoint, s) != 0 || (mountpoint[s] && mountpoint[s] != '/'))
		return TOOL_OK;
	return tool_fail(TOOL_USAGE, mountpoint, "choose a directory elsewhere",
		"the mount point lies inside the store");
}

/* What fusermount3 would refuse an ordinary user, in lines of its own. */
static int check_user(const struct mount_order *order, const char *mountpoint)
{
	char line[256];
	bool allowed = !order->options.fs.allow_other;
	FILE *conf;

	if (geteuid() == 0)
		return TOOL_OK;
	if (access(mountpoint, W_OK))
		return tool_fail(TOOL_SYSTEM, mountpoint, "use a directory of your own, or mount as root",
			"no right to mount there: you cannot write to it");
	conf = allowed ? NULL : fopen("/etc/fuse.conf", "re");
	while (conf && !allowed && fgets(line, sizeof line, conf))
		allowed = !strcmp(line, "user_allow_other\n");
	if (conf)
		fclose(conf);
	return allowed ? TOOL_OK
		       : tool_fail(TOOL_SYSTEM, "allow_other",
				 "add the line user_allow_other to /etc/fuse.conf, or mount as root",
				 "no right to let others in");
}

/* Resolves the mount point to an absolute path, and says what is wrong with it. */
static int check_mountpoint(const char *given, bool nonempty, char mountpoint[PATH_MAX])
{
	char store[PATH_MAX];
	int code, rc = control_store_of(given, store, sizeof store);
	DIR *dir;

	if (rc == -ENOTCONN)
		return tool_fail_errno(given, rc);
	if (!realpath(given, mountpoint)) {
		if (errno == ENOENT)
			return tool_fail(
				TOOL_USAGE, given, "make it with mkdir", "the mount point does not exist");
		return tool_fail_errno(given, -errno);
	}
	dir = opendir(mountpoint);
	if (!dir && errno == ENOTCONN)
		return tool_fail_errno(given, -ENOTCONN);
	if (!dir)
		return tool_fail(tool_exit_of(-errno), given, "name a directory", "the mount point: %m");
	if (!rc)
		code = tool_fail(TOOL_SYSTEM, given, "use it, or mithril umount it first",
			"busy: %s is mounted there", store);
	else
		code = nonempty ? TOOL_OK : check_empty(given, dir);
	closedir(dir);
	return code;
}

/* Says what is wrong with the store before anything is started. */
static int check_store(const char *given, char store[PATH_MAX])
{
	struct superblock sb;
	int rc;

	if (!realpath(given, store)) {
		if (errno == ENOENT)
			return tool_fail(
				TOOL_USAGE, given, "make it with mithril init", "there is no such store");
		return tool_fail_errno(given, -errno);
	}
	rc = superblock_read(store, &sb);
	switch (-rc) {
	case 0:
		return TOOL_OK;
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
		return tool_fail(
			TOOL_USAGE, given, "name a store, or make one with mithril init", "not a store");
	case EPROTONOSUPPORT:
		return tool_fail(TOOL_SYSTEM, given, "use a newer mithril",
			"the store has version %u, newer than this mithril's %u", (unsigned)sb.version,
			SUPERBLOCK_VERSION);
	case EBADMSG:
		return tool_fail(TOOL_DATA, given, "put the file STORE/superblock back from a backup",
			"the store's superblock is damaged");
	default:
		return tool_fail_errno(given, rc);
	}
}

int mount_run(const struct mount_order *order)
{
	char store[PATH_MAX], mountpoint[PATH_MAX];
	int code;

	code = check_store(order->store, store);
	if (!code)
		code = check_mountpoint(order->mountpoint, order->options.fs.nonempty, mountpoint);
	if (!code)
		code = check_apart(store, mountpoint);
	if (!code)
		code = check_user(order, mountpoint);
	if (!code)
		code = check_device();
	if (code)
		return code;
	if (order->foreground)
		return mount_serve(order, store, mountpoint, -1);
	return mount_daemon(order, store, mountpoint);
}

static bool option(void *ctx, int val, const char *value)
{
	struct mount_order *order = ctx;

	if (val == 'o')
		return mount_options_add(&order->options, value, false) == TOOL_OK;
	*(val == 'f' ? &order->foreground : &order->verbose) = true;
	return true;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {{"options", required_argument, NULL, 'o'},
		{"foreground", no_argument, NULL, 'f'}, {"verbose", no_argument, NULL, 'v'}, {0}};
	struct mount_order order = {0};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, options, option, &order, 2, 2);

	if (arguments.code >= 0)
		return arguments.code;
	order.store = arguments.v[0];
	order.mountpoint = arguments.v[1];
	return mount_run(&order);
}

const struct tool tool_mount = {
	.name = "mount",
	.arguments = "[-f] [-v] [-o OPTIONS] STORE MNT",
	.summary = "Mount a store on an empty directory",
	.help = "  -f, --foreground   stay in the foreground; Ctrl-C unmounts\n"
		"  -v, --verbose      say what the mount got\n"
		"  -o, --options A,B  ro                  nothing can be changed\n"
		"                     allow_other         other users may use the mount too\n"
		"                     relay               no kernel passthrough, even where it could be had\n"
		"                     stage_budget=SIZE   raw bytes that may await encoding before writers "
		"are slowed\n"
		"                     keep_raw=SIZE       raw copies kept of the newest encoded files: "
		"these are read\n"
		"                                         at the speed of the disk; default 0\n"
		"                     threads=N           cores for encoding and decoding\n"
		"                     level=LEVEL         fast, default or small\n"
		"                     fs_threads=N        threads that answer the kernel\n"
		"                     cache=SIZE          memory for decoded chunks\n"
		"                     quiet_ms=N          rest after the last close before a file is "
		"encoded\n"
		"                     nonempty            hide what the directory holds until it is "
		"unmounted\n"
		"                     suid, dev, noexec   as in mount(8); the default is "
		"nosuid,nodev,exec\n\n"
		"Returns when the mount answers; a daemon stays. Passthrough (writes at the speed of the "
		"disk below) needs\n"
		"root; an ordinary user's mount relays. Options of fstab(5) that concern mount(8) only are "
		"accepted.\n",
	.run = run,
};
