/*
 * The mount: FUSE requests in, store calls out. Knows handles, caches and replies; knows no RocksDB and no
 * codec.
 */
#ifndef MITHRIL_FS_FS_H
#define MITHRIL_FS_FS_H

#include <stdbool.h>

#include "store/store.h"

struct fs_options {
	bool no_passthrough; /* relay every read and write, even where the kernel would pass them through */
	bool read_only;	     /* mount read-only, as it must be when the store is open for reading only */
	bool allow_other;    /* let other users in (as an ordinary user: needs user_allow_other in
				/etc/fuse.conf) */
	bool suid, dev, noexec; /* default: nosuid, nodev, exec */
	bool no_control;	/* no control socket */
	bool nonempty;		/* mount over a directory that holds something */
	const char *fsname; /* what mount(8) shows as the source; NULL: the store's absolute path. Tools find
			       the store by it */
	const char *more;   /* further mount(8) options, comma separated, handed on as they are; NULL: none */
	double timeout;	    /* seconds the kernel may keep names and attributes; 0: a day */
	unsigned threads;   /* that serve requests, at most; 0: 64; they are made as they are needed */
	unsigned spin_us;   /* how long one idle thread polls before it sleeps, while requests keep coming; 0:
			       default, UINT_MAX: never */
	unsigned read_ahead_kb; /* of the mount, where we have the right to set it; 0: default */
};

/* What the mount got. */
struct fs_state {
	bool passthrough; /* the kernel granted it */
	bool read_only;
	unsigned threads;
};

/* Why mounting failed, in words a user can act on. */
struct fs_error {
	char text[512];
};

/*
 * Mounts `store` on directory `mountpoint` and serves it until it is unmounted or SIGINT, SIGTERM or SIGHUP
 * arrives; then unmounts, and returns. The store stays the caller's, open. Creates threads: call it in the
 * process that is to stay, after fork(2).
 *
 * `ready` (may be NULL) is called once, from another thread, when the mount answers: a caller that daemonises
 * tells its parent then, by a pipe say, and lets go of the terminal. If it is not called, fs_run fails.
 *
 * 0; -ENOENT, -ENOTDIR, -EACCES the mount point; -EBUSY it is a Mithril mount already; -ENOTEMPTY; -ENODEV no
 * /dev/fuse; -EPERM no right to mount; -EIO the kernel dropped the connection; else -errno. After a failure
 * `error` (may be NULL) says why.
 */
int fs_run(struct store *store, const char *mountpoint, const struct fs_options *options,
	void (*ready)(void *ctx, const struct fs_state *state), void *ctx, struct fs_error *error);

#endif
