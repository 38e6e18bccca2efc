#include "fs/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fs/control.h"

#define BACKLOG 8

/* Opens the directory too: the address is good while *dir_fd is open. */
static int address_of(const char *store, struct sockaddr_un *address, int *dir_fd)
{
	*dir_fd = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir_fd < 0)
		return -errno;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" CONTROL_NAME, *dir_fd);
	return 0;
}

static int listen_at(int fd, int dir_fd, const struct sockaddr_un *address)
{
	if (unlinkat(dir_fd, CONTROL_NAME, 0) && errno != ENOENT)
		return -errno;
	/* Before bind, so that it is never there with other rights. */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)address, sizeof *address))
		return -errno;
	if (fchmodat(dir_fd, CONTROL_NAME, 0600, 0) || listen(fd, BACKLOG))
		return -errno;
	return 0;
}

int socket_listen(const char *store, int *fd)
{
	struct sockaddr_un address;
	int dir_fd, ret = address_of(store, &address, &dir_fd);

	if (ret)
		return ret;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ret = *fd < 0 ? -errno : listen_at(*fd, dir_fd, &address);
	close(dir_fd);
	return ret;
}

int socket_connect(const char *store, int *fd)
{
	struct sockaddr_un address;
	int dir_fd, ret = address_of(store, &address, &dir_fd);

	if (ret)
		return ret;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		ret = -errno;
	else if (connect(*fd, (const struct sockaddr *)&address, sizeof address)) {
		ret = -errno;
		close(*fd);
	}
	close(dir_fd);
	return ret;
}

void socket_remove(const char *store)
{
	int dir_fd = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return;
	unlinkat(dir_fd, CONTROL_NAME, 0);
	close(dir_fd);
}
