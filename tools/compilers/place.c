#include "tools/compilers/place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tools/compilers/capture.h"

#define PATIENCE_MS 5000

int place_of(const char *root, const struct client *client, const struct fingerprint *machine,
	struct fingerprint *own, char dir[PATH_MAX])
{
	char id[FINGERPRINT_ID];

	fingerprint_select(machine, client->components, own);
	fingerprint_id(own, id);
	return snprintf(dir, PATH_MAX, "%s/%s/%s", root, client->name, id) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int make_dirs(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", slash ? (int)(slash - path) : PATH_MAX - 1, path);
		if (mkdir(part, 0777) && errno != EEXIST && !(slash && !access(part, X_OK)))
			return -errno;
		if (!slash)
			return 0;
	}
}

static int write_fingerprint(const char *dir, const struct fingerprint *own)
{
	char path[PATH_MAX + 32], temporary[PATH_MAX + 64], text[FINGERPRINT_TEXT];
	size_t len = fingerprint_format(own, text);
	int fd, ret = 0;

	snprintf(path, sizeof path, "%s" PLACE_SUFFIX, dir);
	if (!len || !access(path, F_OK))
		return 0;
	snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		ret = -ENOSPC;
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

static int make_one(const char *root, const struct client *client, const struct fingerprint *machine,
	const char *max_size)
{
	char dir[PATH_MAX];
	struct fingerprint own;
	bool there;
	int ret = place_of(root, client, machine, &own, dir);

	if (ret)
		return ret;
	there = !access(dir, F_OK);
	if (there && access(dir, W_OK))
		return -errno;
	if (!there)
		ret = make_dirs(dir);
	if (ret)
		return ret;
	/* Another file system than Mithril's need not take them. */
	if (!there)
		setxattr(dir, "user.mithril.profile", "cache", strlen("cache"), 0);
	if (max_size && setxattr(dir, "user.mithril.max-size", max_size, strlen(max_size), 0) &&
		errno == EINVAL)
		return -EINVAL;
	return write_fingerprint(dir, &own);
}

/* What a directory that may not be there yet is on. */
static int check_room(const char *root)
{
	char path[PATH_MAX];
	struct statvfs st;
	char *slash;

	snprintf(path, sizeof path, "%s", root);
	while (statvfs(path, &st)) {
		if (errno != ENOENT)
			return -errno;
		slash = strrchr(path, '/');
		if (!slash)
			return -ENOENT;
		slash[slash == path] = '\0';
	}
	if (st.f_flag & ST_RDONLY)
		return -EROFS;
	return (uint64_t)st.f_bavail * st.f_frsize < PLACE_FREE_MIN ? -ENOSPC : 0;
}

static int make_all(
	const char *root, const struct fingerprint *machine, const bool *use, const char *max_size)
{
	int ret = check_room(root);

	for (size_t i = 0; !ret && i < client_count; i++)
		if (use[i])
			ret = make_one(root, &clients[i], machine, max_size);
	return ret;
}

static int await(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	bool late = fd >= 0 && poll(&wait, 1, PATIENCE_MS) == 0;

	if (fd >= 0)
		close(fd);
	if (late) {
		kill(pid, SIGKILL);
		return -ETIMEDOUT;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int place_make(const char *root, const struct fingerprint *machine, const bool *use, const char *max_size)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-make_all(root, machine, use, max_size) & 0xff);
	return await(pid);
}

int place_read_fingerprint(const char *dir, struct fingerprint *out)
{
	char path[PATH_MAX + 32], text[FINGERPRINT_TEXT + 1];
	ssize_t len;

	snprintf(path, sizeof path, "%s" PLACE_SUFFIX, dir);
	len = capture_file(path, text, sizeof text);
	return len < 0 ? (int)len : fingerprint_parse(text, (size_t)len, out);
}
