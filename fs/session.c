#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/control.h"
#include "fs/loop.h"
#include "fs/mount.h"
#include "fs/place.h"
#include "fs/tune.h"
#include "store/util/log.h"

#define DAY 86400.0
#define THREADS 64u
#define SPIN_US 50u
#define SIGNAL_CHECK_MS 1000
#define GRACE_MS 5000
#define MAX_WRITE (1u << 20)
#define MAX_BACKGROUND 64u

/* A session from mount to unmount. */
struct session {
	struct mount mount;
	const struct fs_options *options;
	char *mountpoint;
	struct fuse_session *fuse;
	struct loop *loop;
	struct control *control;
	void (*ready)(void *ctx, const struct fs_state *state);
	void *ctx;
	pthread_t greeter;
	unsigned threads;
	bool signals; /* handled by libfuse */
};

static void explain(struct fs_error *error, const char *format, ...)
{
	va_list ap;

	if (!error || error->text[0])
		return;
	va_start(ap, format);
	vsnprintf(error->text, sizeof error->text, format, ap);
	va_end(ap);
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_EXPORT_SUPPORT |
			      FUSE_CAP_DONT_MASK | FUSE_CAP_ASYNC_DIO | FUSE_CAP_READDIRPLUS |
			      FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_POSIX_ACL | FUSE_CAP_CACHE_SYMLINKS |
			      FUSE_CAP_PARALLEL_DIROPS;

	(void)userdata;
	conn->want = want & conn->capable;
	conn->max_write = MAX_WRITE;
	conn->max_readahead = UINT_MAX;
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = MAX_BACKGROUND * 3 / 4;
	conn->time_gran = 1;
}

static ssize_t device_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	struct mount *mount = userdata;

	(void)fd;
	wire_edit_init(iov, count, &mount->init);
	atomic_fetch_add_explicit(&mount->replies, 1, memory_order_release);
	return writev(mount->dev_fd, iov, count);
}

static ssize_t device_read(int fd, void *buf, size_t len, void *userdata)
{
	struct mount *mount = userdata;

	(void)fd;
	return read(mount->dev_fd, buf, len);
}

static void log_fuse(enum fuse_log_level level, const char *format, va_list ap)
{
	char text[512];
	size_t len;

	vsnprintf(text, sizeof text, format, ap);
	len = strcspn(text, "\n");
	text[len] = '\0';
	if (len)
		log_line(level <= FUSE_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "%s", text);
}

static int fuse_new(struct session *session, const char *arguments)
{
	const struct fuse_custom_io io = {.writev = device_writev, .read = device_read};
	char *argv[] = {"mithril", "-o", (char *)arguments, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_lowlevel_ops ops = {.init = op_init};

	names_ops(&ops);
	attr_ops(&ops);
	file_ops(&ops);
	io_ops(&ops);
	dir_ops(&ops);
	xattr_ops(&ops);
	session->fuse = fuse_session_new(&args, &ops, sizeof ops, &session->mount);
	fuse_opt_free_args(&args);
	if (!session->fuse)
		return -EINVAL;
	if (fuse_session_mount(session->fuse, session->mountpoint))
		return geteuid() ? -EPERM : -EIO;
	session->mount.dev_fd = fcntl(fuse_session_fd(session->fuse), F_DUPFD_CLOEXEC, 0);
	if (session->mount.dev_fd < 0 || fcntl(session->mount.dev_fd, F_SETFL, O_RDWR | O_NONBLOCK))
		return -errno;
	return fuse_session_custom_io(session->fuse, &io, fuse_session_fd(session->fuse));
}

/* Runs once the mount answers: stat(2) does not return before. */
static void *greet(void *arg)
{
	struct session *session = arg;
	struct mount *mount = &session->mount;
	struct fs_state state = {.read_only = session->options->read_only, .threads = session->threads};
	struct stat st;

	if (stat(session->mountpoint, &st)) {
		log_error("%s: the new mount does not answer: %s", session->mountpoint, strerror(errno));
		fuse_session_exit(session->fuse);
		return NULL;
	}
	atomic_load_explicit(&mount->replies, memory_order_acquire);
	tune_read_ahead(st.st_dev, session->options->read_ahead_kb);
	state.passthrough =
		mount->init.passthrough && tune_passthrough_works(mount->store->path, mount->dev_fd);
	atomic_store(&mount->passthrough, state.passthrough);
	/* Tools read such a store by themselves; there is no place for a socket on its disk. */
	if (!session->options->no_control && !mount->store->read_only &&
		control_start(mount->store, mount->drops, mount->keeper, &mount->meter, session->mountpoint,
			state.passthrough, &session->control))
		log_warning("%s: no control socket; tools cannot reach this daemon", mount->store->path);
	if (session->ready)
		session->ready(session->ctx, &state);
	return NULL;
}

/* What the file takes has changed; its bytes, and so the kernel's pages, have not. */
static void drop_attributes(void *ctx, uint64_t ino)
{
	fuse_lowlevel_notify_inval_inode(ctx, ino, -1, 0);
}

static int serve(struct session *session)
{
	const struct fs_options *options = session->options;
	const struct loop_options how = {
		.threads = session->threads,
		.spin_us = options->spin_us == UINT_MAX ? 0
			   : options->spin_us		? options->spin_us
							: SPIN_US,
	};
	int ret = loop_start(session->fuse, &session->mount, &how, &session->loop);

	if (ret)
		return ret;
	atomic_store(&session->mount.loop, session->loop);
	stage_watch(session->mount.stage, drop_attributes, session->fuse);
	if (!options->read_only)
		ret = keeper_start(session->mount.keeper, session->fuse);
	if (!ret)
		ret = -pthread_create(&session->greeter, NULL, greet, session);
	if (!ret) {
		while (!loop_wait(session->loop, SIGNAL_CHECK_MS) && !fuse_session_exited(session->fuse))
			;
	}
	stage_watch(session->mount.stage, NULL, NULL);
	keeper_halt(session->mount.keeper);
	/* Still serving: what is dirty in the kernel comes as it unmounts. libfuse closes its own descriptor,
	 * not ours. */
	fuse_session_unmount(session->fuse);
	loop_wait(session->loop, GRACE_MS);
	if (!ret)
		pthread_join(session->greeter, NULL);
	control_stop(session->control);
	return ret ? (loop_stop(session->loop), ret) : loop_stop(session->loop);
}

static void drop_later(void *ctx, uint64_t ino)
{
	drops_add(ctx, ino);
}

static int prepare(struct session *session, struct store *store)
{
	struct mount *mount = &session->mount;
	int ret;

	*mount = (struct mount){
		.store = store,
		.names = store->parts.names,
		.stage = store->parts.stage,
		.timeout = session->options->timeout > 0 ? session->options->timeout : DAY,
		.dev_fd = -1,
		.init.try_passthrough = !session->options->no_passthrough && !geteuid(),
		.init.stack_depth = tune_stack_depth(store->path),
	};
	pthread_mutex_init(&mount->handles_lock, NULL);
	mount->store_fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount->store_fd < 0)
		return -errno;
	mount->buffers = read_buffers_new();
	if (!mount->buffers)
		return -ENOMEM;
	ret = nodes_new(&mount->nodes);
	if (!ret)
		ret = drops_start(mount->stage, &mount->drops);
	return ret ? ret : keeper_new(mount, &mount->keeper);
}

static void finish(struct session *session)
{
	struct mount *mount = &session->mount;

	if (session->fuse) {
		if (session->signals)
			fuse_remove_signal_handlers(session->fuse);
		fuse_session_unmount(session->fuse);
		fuse_session_destroy(session->fuse);
	}
	close_left_over(mount);
	nodes_free(mount->nodes, drop_later, mount->drops);
	drops_stop(mount->drops);
	keeper_free(mount->keeper);
	read_buffers_free(mount->buffers);
	if (mount->dev_fd >= 0)
		close(mount->dev_fd);
	if (mount->store_fd >= 0)
		close(mount->store_fd);
	free(session->mountpoint);
}

int fs_run(struct store *store, const char *mountpoint, const struct fs_options *options,
	void (*ready)(void *ctx, const struct fs_state *state), void *ctx, struct fs_error *error)
{
	struct session session = {
		.options = options,
		.ready = ready,
		.ctx = ctx,
		.threads = options->threads ? options->threads : THREADS,
	};
	char *arguments = NULL;
	int ret;

	if (error)
		error->text[0] = '\0';
	session.mount.dev_fd = session.mount.store_fd = -1;
	if (store->read_only && !options->read_only) {
		explain(error, "%s: the store is open for reading only", store->path);
		return -EROFS;
	}
	ret = place_check(mountpoint, options, &session.mountpoint, error ? error->text : NULL,
		error ? sizeof error->text : 0);
	if (ret)
		return ret;
	fuse_set_log_func(log_fuse);
	ret = place_arguments(store->path, options, &arguments);
	if (!ret)
		ret = prepare(&session, store);
	if (!ret)
		ret = fuse_new(&session, arguments);
	if (!ret) {
		session.signals = !fuse_set_signal_handlers(session.fuse);
		ret = session.signals ? 0 : -EINVAL;
	}
	if (ret)
		explain(error, "%s: cannot mount: %s", mountpoint,
			ret == -EPERM ? "no right to (see the line above; is fusermount3 installed?)"
				      : strerror(-ret));
	else
		ret = serve(&session);
	if (ret)
		explain(error, "%s: the mount broke: %s", mountpoint, strerror(-ret));
	free(arguments);
	finish(&session);
	return ret;
}
