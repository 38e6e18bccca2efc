#include "tools/compilers/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/util/clock.h"

#define PATIENCE_MS 20000

extern char **environ;

ssize_t capture_file(const char *path, char *dst, size_t capacity)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	while (len < capacity - 1 && (n = read(fd, dst + len, capacity - 1 - len)) > 0)
		len += (size_t)n;
	n = n < 0 ? -errno : (ssize_t)len;
	close(fd);
	dst[len] = '\0';
	return n;
}

int capture_digest(const char *path, char digest[FINGERPRINT_ID])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret = 0;
	struct stat st;
	void *bytes;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		ret = -EINVAL;
	if (!ret) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		ret = bytes == MAP_FAILED ? -errno : 0;
	}
	if (!ret) {
		snprintf(digest, FINGERPRINT_ID, "%016llx",
			(unsigned long long)XXH3_64bits(bytes, (size_t)st.st_size));
		munmap(bytes, (size_t)st.st_size);
	}
	close(fd);
	return ret;
}

static int spawn(char *const argv[], int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret = -posix_spawn_file_actions_init(&actions);

	if (ret)
		return ret;
	ret = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!ret)
		ret = -posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!ret)
		ret = -posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!ret)
		ret = -posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return ret;
}

/* Until the end of the pipe; what does not fit is read and dropped. */
static ssize_t drain(int fd, char *dst, size_t capacity)
{
	int64_t deadline = clock_now_ms() + PATIENCE_MS;
	size_t len = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - clock_now_ms();
		char rest[4096];
		bool fits = len < capacity - 1;
		ssize_t n;

		if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
			return -ETIMEDOUT;
		n = read(fd, fits ? dst + len : rest, fits ? capacity - 1 - len : sizeof rest);
		if (n < 0)
			return -errno;
		if (!n)
			return (ssize_t)len;
		len += fits ? (size_t)n : 0;
		dst[len] = '\0';
	}
}

ssize_t capture_command(char *const argv[], char *dst, size_t capacity)
{
	int ends[2], status = 0;
	ssize_t ret;
	pid_t pid;

	dst[0] = '\0';
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	ret = spawn(argv, ends[1], &pid);
	close(ends[1]);
	if (!ret) {
		ret = drain(ends[0], dst, capacity);
		if (ret < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (ret >= 0 && status)
			ret = -EPIPE;
	}
	close(ends[0]);
	return ret;
}
