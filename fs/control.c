#include "fs/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fs/requests.h"
#include "fs/socket.h"
#include "store/util/log.h"

#define REQUEST_MAX 256u
#define REQUEST_WAIT_MS 5000
#define CLIENTS_MAX 8u

struct control {
	struct request_env env;
	int listen_fd, stop_fd;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned clients;
};

struct client {
	struct control *control;
	int fd;
};

/* One line, within its time. Its length, or -errno. */
static ssize_t read_request(int fd, char *line, size_t capacity)
{
	size_t len = 0;

	while (len + 1 < capacity) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		char *newline;
		ssize_t n;

		if (poll(&wait, 1, REQUEST_WAIT_MS) <= 0)
			return -ETIMEDOUT;
		n = recv(fd, line + len, capacity - 1 - len, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		len += (size_t)n;
		line[len] = '\0';
		newline = strchr(line, '\n');
		if (newline) {
			*newline = '\0';
			return newline - line;
		}
	}
	return -EMSGSIZE;
}

static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && (!peer.uid || peer.uid == geteuid());
}

static void *serve_client(void *arg)
{
	struct client *client = arg;
	struct control *control = client->control;
	struct timeval patience = {.tv_sec = 10};
	char line[REQUEST_MAX];

	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (is_ours(client->fd) && read_request(client->fd, line, sizeof line) >= 0)
		request_serve(&control->env, line, client->fd);
	close(client->fd);
	free(client);
	pthread_mutex_lock(&control->lock);
	control->clients--;
	pthread_cond_signal(&control->idle);
	pthread_mutex_unlock(&control->lock);
	return NULL;
}

static void start_client(struct control *control, int fd)
{
	struct client *client = malloc(sizeof *client);
	pthread_t thread;
	bool started = false;

	pthread_mutex_lock(&control->lock);
	if (client && control->clients < CLIENTS_MAX) {
		*client = (struct client){control, fd};
		started = !pthread_create(&thread, NULL, serve_client, client);
		control->clients += started;
	}
	pthread_mutex_unlock(&control->lock);
	if (started) {
		pthread_detach(thread);
	} else {
		close(fd);
		free(client);
	}
}

static void *run(void *arg)
{
	struct control *control = arg;

	pthread_setname_np(pthread_self(), "control");
	while (!atomic_load(&control->env.stopping)) {
		struct pollfd fds[] = {
			{.fd = control->listen_fd, .events = POLLIN},
			{.fd = control->stop_fd, .events = POLLIN},
		};
		int fd;

		if (poll(fds, 2, -1) < 0 || !fds[0].revents)
			continue;
		fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			start_client(control, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			poll(NULL, 0, 100);
	}
	return NULL;
}

static void control_free(struct control *control)
{
	if (control->listen_fd >= 0)
		close(control->listen_fd);
	if (control->stop_fd >= 0)
		close(control->stop_fd);
	pthread_cond_destroy(&control->idle);
	pthread_mutex_destroy(&control->lock);
	free(control);
}

int control_start(struct store *store, struct drops *drops, struct keeper *keeper, const struct meter *meter,
	const char *mountpoint, bool passthrough, struct control **out)
{
	struct control *control = calloc(1, sizeof *control);
	int ret;

	if (!control)
		return -ENOMEM;
	control->env.store = store;
	control->env.drops = drops;
	control->env.keeper = keeper;
	control->env.meter = meter;
	control->env.mountpoint = mountpoint;
	control->env.passthrough = passthrough;
	control->listen_fd = -1;
	pthread_mutex_init(&control->lock, NULL);
	pthread_cond_init(&control->idle, NULL);
	control->stop_fd = eventfd(0, EFD_CLOEXEC);
	ret = control->stop_fd < 0 ? -errno : socket_listen(store->path, &control->listen_fd);
	if (!ret)
		ret = -pthread_create(&control->thread, NULL, run, control);
	if (ret) {
		control_free(control);
		return ret;
	}
	*out = control;
	return 0;
}

void control_stop(struct control *control)
{
	if (!control)
		return;
	atomic_store(&control->env.stopping, true);
	eventfd_write(control->stop_fd, 1);
	pthread_join(control->thread, NULL);
	pthread_mutex_lock(&control->lock);
	while (control->clients)
		pthread_cond_wait(&control->idle, &control->lock);
	pthread_mutex_unlock(&control->lock);
	socket_remove(control->env.store->path);
	control_free(control);
}
