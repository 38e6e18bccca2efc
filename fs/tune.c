#include "fs/tune.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fs/wire.h"

#define OVERLAYFS_MAGIC 0x794c7630
#define READ_AHEAD_KB 512u

uint32_t tune_stack_depth(const char *path)
{
	struct statfs st;

	return !statfs(path, &st) && st.f_type == OVERLAYFS_MAGIC ? 2 : 1;
}

bool tune_passthrough_works(const char *path, int dev_fd)
{
	struct wire_backing backing = {.fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)};
	uint32_t id;
	int ret;

	if (backing.fd < 0)
		return false;
	ret = ioctl(dev_fd, WIRE_BACKING_OPEN, &backing);
	close(backing.fd);
	if (ret <= 0)
		return false;
	id = (uint32_t)ret;
	ioctl(dev_fd, WIRE_BACKING_CLOSE, &id);
	return true;
}

void tune_read_ahead(dev_t dev, unsigned kb)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", major(dev), minor(dev));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	dprintf(fd, "%u\n", kb ? kb : READ_AHEAD_KB);
	close(fd);
}
