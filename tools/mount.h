/*
 * Mounting: mithril mount, and the helper that mount(8) calls for -t mithril.
 */
#ifndef MITHRIL_TOOLS_MOUNT_H
#define MITHRIL_TOOLS_MOUNT_H

#include <stdbool.h>

#include "fs/fs.h"
#include "store/store.h"

#define MOUNT_HELPER "mount.mithril"

/* Everything -o can say. */
struct mount_options {
	struct fs_options fs;
	struct store_options store;
};

/* Adds a comma-separated list. Options that only matter to mount(8), fstab and systemd are skipped, unknown
 * ones too with `sloppy`. TOOL_OK, or the exit code of an error that has been reported. */
int mount_options_add(struct mount_options *options, const char *list, bool sloppy);

struct mount_order {
	const char *store, *mountpoint;
	struct mount_options options;
	bool foreground, verbose;
};

/* Checks, mounts, and (unless foreground) returns when the mount answers, leaving a daemon. An exit code;
 * errors have been reported. */
int mount_run(const struct mount_order *order);

/* mount.mithril STORE MNT [-sfnv] [-o OPTIONS]; mount(8)'s exit codes. */
int mount_helper(int argc, char **argv);

/* Opens and serves in this process until it is unmounted. `told` (may be < 0) is the pipe to the one who
 * waits; see daemon.c. */
int mount_serve(const struct mount_order *order, const char *store, const char *mountpoint, int told);
/* Forks a daemon that does mount_serve, and waits for what it tells. An exit code. */
int mount_daemon(const struct mount_order *order, const char *store, const char *mountpoint);

#endif
