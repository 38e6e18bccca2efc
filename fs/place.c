#include "fs/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/mountinfo.h"

struct reason {
	char *text;
	size_t capacity;
};

static int refuse(const struct reason *reason, int error, const char *format, ...)
{
	va_list ap;

	if (reason->text) {
		va_start(ap, format);
		vsnprintf(reason->text, reason->capacity, format, ap);
		va_end(ap);
	}
	return error;
}

static int check_device(const struct reason *reason)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == EACCES || errno == EPERM)
		return refuse(reason, -EPERM, "/dev/fuse: %s; %s", strerror(errno),
			geteuid() ? "mount as root, or have root chmod 666 /dev/fuse, which is its usual mode"
				  : "start the container with --device /dev/fuse --cap-add SYS_ADMIN");
	return refuse(reason, -ENODEV,
		"/dev/fuse: %s; load the kernel's module (modprobe fuse) or, in a container, "
		"pass the device in (--device /dev/fuse --cap-add SYS_ADMIN)",
		strerror(errno));
}

static int check_empty(const char *path, const struct reason *reason)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return refuse(reason, -errno, "%s: %s", path, strerror(errno));
	while (!ret && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			ret = refuse(reason, -ENOTEMPTY,
				"%s: not empty; mounting would hide what is in it (give an empty directory, "
				"or -o nonempty)",
				path);
	}
	closedir(dir);
	return ret;
}

static int check_free(const char *path, const struct reason *reason)
{
	struct mountinfo *found = malloc(sizeof *found);
	int ret = 0;

	if (!found)
		return -ENOMEM;
	if (!mountinfo_find(path, 0, found) && !strcmp(found->type, MOUNTINFO_TYPE))
		ret = refuse(reason, -EBUSY, "%s: %s is mounted there already; mithril umount %s first", path,
			found->source, path);
	free(found);
	return ret;
}

int place_check(const char *mountpoint, const struct fs_options *options, char **resolved, char *text,
	size_t capacity)
{
	const struct reason reason = {text, capacity};
	struct stat st;
	char *path;
	int ret;

	if (stat(mountpoint, &st)) {
		if (errno == ENOTCONN)
			return refuse(&reason, -EBUSY,
				"%s: a mount whose daemon is gone is still there; umount %s first",
				mountpoint, mountpoint);
		if (errno == ENOENT)
			return refuse(&reason, -ENOENT, "%s: no such directory; mkdir -p %s first",
				mountpoint, mountpoint);
		return refuse(&reason, -errno, "%s: %s", mountpoint, strerror(errno));
	}
	if (!S_ISDIR(st.st_mode))
		return refuse(&reason, -ENOTDIR, "%s: not a directory", mountpoint);
	path = realpath(mountpoint, NULL);
	if (!path)
		return refuse(&reason, -errno, "%s: %s", mountpoint, strerror(errno));
	ret = check_free(path, &reason);
	if (!ret && !options->nonempty)
		ret = check_empty(path, &reason);
	if (!ret)
		ret = check_device(&reason);
	if (ret)
		free(path);
	else
		*resolved = path;
	return ret;
}

/* A value for libfuse's option parser: commas and backslashes are escaped. */
static void put_escaped(FILE *to, const char *value)
{
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			fputc('\\', to);
		fputc(*value, to);
	}
}

int place_arguments(const char *store, const struct fs_options *options, char **arguments)
{
	char *absolute = options->fsname ? NULL : realpath(store, NULL);
	size_t size;
	FILE *to;

	*arguments = NULL;
	to = open_memstream(arguments, &size);
	if (!to || (!options->fsname && !absolute)) {
		int ret = -errno;

		if (to)
			fclose(to);
		free(absolute);
		free(*arguments);
		*arguments = NULL;
		return ret;
	}
	fputs("default_permissions,subtype=mithril,fsname=", to);
	put_escaped(to, options->fsname ? options->fsname : absolute);
	fprintf(to, ",%s,%s%s%s%s", options->suid ? "suid" : "nosuid", options->dev ? "dev" : "nodev",
		options->noexec ? ",noexec" : "", options->read_only ? ",ro" : "",
		options->allow_other ? ",allow_other" : "");
	if (options->more && *options->more)
		fprintf(to, ",%s", options->more);
	free(absolute);
	return fclose(to) ? -ENOMEM : 0;
}
