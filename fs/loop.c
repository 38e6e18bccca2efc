#include "fs/loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "store/util/clock.h"
#include "store/util/log.h"
#include "store/util/processors.h"

#define PAGE 4096u
#define MESSAGE_MAX ((1u << 20) + PAGE)
#define SHORT_SLEEP_NS 100000u /* a sleep that ended sooner would have been better spent polling */
#define TICK_NS 2000000
#define QUIET_TICKS 8u

struct loop {
	struct fuse_session *session;
	struct mount *mount;
	unsigned max_threads, max_quick;
	uint64_t max_spin_ns;
	int stop_fd, end_fd; /* eventfds: the leader must stop; the connection has ended */
	atomic_bool stopping;

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t follow, watch;
	bool leading, watch_asleep;
	unsigned idle, thread_count, busy;
	uint64_t served;
	int error;
	pthread_t watcher, *threads;

	uint64_t spin_ns; /* the leader's */
};

static void notify(int fd)
{
	const uint64_t one = 1;

	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static bool readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

/* Sleeps until there is something to read, or to stop for. Short sleeps call for polling next time. */
static void sleep_for_request(struct loop *loop)
{
	struct pollfd fds[] = {
		{.fd = loop->mount->dev_fd, .events = POLLIN},
		{.fd = loop->stop_fd, .events = POLLIN},
	};
	uint64_t since = clock_now_ns();

	poll(fds, 2, -1);
	loop->spin_ns = clock_now_ns() - since < SHORT_SLEEP_NS ? loop->max_spin_ns : 0;
}

/* One request into `message`. Its length; 0 to stop; -errno when the connection has ended. */
static ssize_t receive(struct loop *loop, void *message)
{
	uint64_t deadline = 0;

	while (!atomic_load_explicit(&loop->stopping, memory_order_relaxed)) {
		ssize_t n = read(loop->mount->dev_fd, message, MESSAGE_MAX);

		if (n > 0) {
			atomic_load_explicit(&loop->mount->replies, memory_order_acquire);
			if (deadline)
				loop->spin_ns = loop->max_spin_ns;
			return n;
		}
		if (!n)
			return -EIO;
		if (errno == EINTR || errno == ENOENT)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (!deadline)
			deadline = clock_now_ns() + loop->spin_ns;
		if (clock_now_ns() < deadline)
			continue;
		sleep_for_request(loop);
		deadline = 0;
	}
	return 0;
}

static void *serve(void *arg);

/* With the lock: lets another thread take the lead. */
static void let_lead(struct loop *loop)
{
	if (loop->idle)
		pthread_cond_signal(&loop->follow);
	else if (loop->thread_count < loop->max_threads &&
		 !pthread_create(&loop->threads[loop->thread_count], NULL, serve, loop))
		loop->thread_count++;
}

void loop_slow(struct loop *loop)
{
	if (!loop)
		return;
	pthread_mutex_lock(&loop->lock);
	if (!loop->leading)
		let_lead(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* With the lock: the connection has ended. */
static void end(struct loop *loop, int error)
{
	loop->error = error == -ENODEV ? 0 : error;
	atomic_store(&loop->stopping, true);
	pthread_cond_broadcast(&loop->follow);
	pthread_cond_signal(&loop->watch);
	notify(loop->end_fd);
}

static void serve_one(struct loop *loop, void *message, size_t len)
{
	struct fuse_buf buf = {.mem = message};
	uint32_t opcode = wire_opcode(message, len);
	uint64_t since = clock_now_ns();

	wire_adapt(message, &len, &loop->mount->init);
	buf.size = len;
	fuse_session_process_buf(loop->session, &buf);
	meter_add(&loop->mount->meter, opcode, clock_now_ns() - since);
}

static ssize_t lead(struct loop *loop, void *message)
{
	enum wire_pace pace = WIRE_INSTANT;
	bool more = false;
	ssize_t n;

	loop->leading = true;
	pthread_mutex_unlock(&loop->lock);
	n = receive(loop, message);
	if (n > 0) {
		pace = wire_pace(message, (size_t)n);
		more = pace == WIRE_QUICK && loop->max_quick > 1 && readable(loop->mount->dev_fd);
	}
	pthread_mutex_lock(&loop->lock);
	loop->leading = false;
	loop->served++;
	if (n < 0)
		end(loop, (int)n);
	else if (pace == WIRE_SLOW || (more && loop->busy + 1 < loop->max_quick))
		let_lead(loop);
	else if (loop->watch_asleep)
		pthread_cond_signal(&loop->watch);
	return n;
}

static void *serve(void *arg)
{
	struct loop *loop = arg;
	char *block = aligned_alloc(PAGE, PAGE + MESSAGE_MAX);
	/* So that the bytes of a write begin on a page: copying them is faster. */
	void *message = block + PAGE - WIRE_WRITE_HEAD;

	if (!block) {
		log_error("out of memory for a thread that serves requests");
		return NULL;
	}
	pthread_setname_np(pthread_self(), "serve");
	pthread_mutex_lock(&loop->lock);
	while (!atomic_load(&loop->stopping)) {
		ssize_t n;

		if (loop->leading) {
			loop->idle++;
			pthread_cond_wait(&loop->follow, &loop->lock);
			loop->idle--;
			continue;
		}
		n = lead(loop, message);
		if (n <= 0)
			continue;
		loop->busy++;
		pthread_mutex_unlock(&loop->lock);
		serve_one(loop, message, (size_t)n);
		pthread_mutex_lock(&loop->lock);
		loop->busy--;
	}
	pthread_mutex_unlock(&loop->lock);
	free(block);
	return NULL;
}

/* Finds when nobody has listened for a tick. Asleep itself once nothing has come for a while. */
static void *watch(void *arg)
{
	struct loop *loop = arg;
	const struct timespec tick = {.tv_nsec = TICK_NS};
	uint64_t served = 0;
	unsigned quiet = 0;

	pthread_setname_np(pthread_self(), "watch");
	pthread_mutex_lock(&loop->lock);
	while (!atomic_load(&loop->stopping)) {
		if (quiet > QUIET_TICKS) {
			loop->watch_asleep = true;
			pthread_cond_wait(&loop->watch, &loop->lock);
			loop->watch_asleep = false;
			quiet = 0;
			continue;
		}
		pthread_mutex_unlock(&loop->lock);
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&loop->lock);
		if (served != loop->served)
			quiet = 0;
		else if (loop->leading)
			quiet++;
		else
			let_lead(loop);
		served = loop->served;
	}
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

static void loop_free(struct loop *loop)
{
	if (loop->stop_fd >= 0)
		close(loop->stop_fd);
	if (loop->end_fd >= 0)
		close(loop->end_fd);
	pthread_cond_destroy(&loop->watch);
	pthread_cond_destroy(&loop->follow);
	pthread_mutex_destroy(&loop->lock);
	free(loop->threads);
	free(loop);
}

static int start_threads(struct loop *loop)
{
	int ret = pthread_create(&loop->watcher, NULL, watch, loop);

	if (ret)
		return -ret;
	pthread_mutex_lock(&loop->lock);
	let_lead(loop);
	ret = loop->thread_count ? 0 : -EAGAIN;
	if (ret)
		end(loop, ret);
	pthread_mutex_unlock(&loop->lock);
	if (ret)
		pthread_join(loop->watcher, NULL);
	return ret;
}

int loop_start(struct fuse_session *session, struct mount *mount, const struct loop_options *options,
	struct loop **out)
{
	struct loop *loop = calloc(1, sizeof *loop);
	unsigned processors = processors_count();
	int ret = -ENOMEM;

	if (!loop)
		return ret;
	loop->session = session;
	loop->mount = mount;
	loop->max_threads = options->threads;
	/* One processor is left to those who ask. */
	loop->max_quick = processors > 1 ? processors - 1 : 1;
	loop->max_spin_ns = processors > 1 ? options->spin_us * 1000ull : 0;
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->follow, NULL);
	pthread_cond_init(&loop->watch, NULL);
	loop->threads = calloc(options->threads, sizeof *loop->threads);
	loop->stop_fd = eventfd(0, EFD_CLOEXEC);
	loop->end_fd = eventfd(0, EFD_CLOEXEC);
	if (loop->threads)
		ret = loop->stop_fd < 0 || loop->end_fd < 0 ? -errno : start_threads(loop);
	if (ret) {
		loop_free(loop);
		return ret;
	}
	*out = loop;
	return 0;
}

bool loop_wait(struct loop *loop, int timeout_ms)
{
	struct pollfd fd = {.fd = loop->end_fd, .events = POLLIN};

	return poll(&fd, 1, timeout_ms) > 0;
}

int loop_stop(struct loop *loop)
{
	int error;

	pthread_mutex_lock(&loop->lock);
	atomic_store(&loop->stopping, true);
	notify(loop->stop_fd);
	pthread_cond_broadcast(&loop->follow);
	pthread_cond_signal(&loop->watch);
	pthread_mutex_unlock(&loop->lock);
	for (unsigned i = 0; i < loop->thread_count; i++)
		pthread_join(loop->threads[i], NULL);
	pthread_join(loop->watcher, NULL);
	error = loop->error;
	loop_free(loop);
	return error;
}
