/*
 * What is mounted where, from /proc/self/mountinfo.
 */
#ifndef MITHRIL_FS_MOUNTINFO_H
#define MITHRIL_FS_MOUNTINFO_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define MOUNTINFO_TYPE "fuse.mithril"

struct mountinfo {
	dev_t dev;
	char point[PATH_MAX], source[PATH_MAX], type[64];
};

/* Pure: one line of the file (proc_pid_mountinfo(5)), its \ooo escapes resolved. -EINVAL not such a line;
 * -ENAMETOOLONG. */
int mountinfo_parse(const char *line, struct mountinfo *out);

/* The topmost mount on `point` (an absolute path without symbolic links), or, if `point` is NULL, one of
 * device `dev`. -ENOENT; -errno. */
int mountinfo_find(const char *point, dev_t dev, struct mountinfo *out);

/* Calls `each` with every mount of `type`, the oldest first; it returns false to end that. 0, or -errno. */
int mountinfo_each(const char *type, bool (*each)(void *ctx, const struct mountinfo *mount), void *ctx);

#endif
