#include "fs/answer.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "store/report/report.h"
#include "store/util/clock.h"

#define WAIT_US 50000
#define PROGRESS_MS 200u

static void send_all(struct answer *answer, const char *src, size_t len)
{
	while (len && !answer->hung_up) {
		ssize_t n = send(answer->fd, src, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			answer->hung_up = true;
			return;
		}
		src += n;
		len -= (size_t)n;
	}
}

void answer_tell(struct answer *answer, json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text) {
		send_all(answer, text, strlen(text));
		send_all(answer, "\n", 1);
	} else {
		answer->hung_up = true;
	}
	free(text);
	json_decref(object);
}

/* Non-zero: nobody waits for the outcome. */
static int unwanted(struct answer *answer)
{
	char byte;

	if (recv(answer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		answer->hung_up = true;
	return answer->hung_up || atomic_load(&answer->env->stopping);
}

static bool is_due(struct answer *answer)
{
	uint64_t now = clock_now_ms();

	if (now - answer->told_ms < PROGRESS_MS)
		return false;
	answer->told_ms = now;
	return true;
}

static int do_ping(struct answer *answer, const char *argument)
{
	(void)argument;
	answer_tell(answer,
		json_pack("{s:i, s:s, s:b, s:s}", "pid", (int)getpid(), "mountpoint", answer->env->mountpoint,
			"passthrough", answer->env->passthrough, "version", MITHRIL_VERSION));
	return 0;
}

static int do_stats(struct answer *answer, const char *argument)
{
	json_t *stats = report_stats(answer->env->store);

	(void)argument;
	if (!stats)
		return -ENOMEM;
	if (json_object_set_new(stats, "requests", meter_json(answer->env->meter))) {
		json_decref(stats);
		return -ENOMEM;
	}
	answer_tell(answer, stats);
	return 0;
}

int answer_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || end == text || *end || *text == '-' ? -EINVAL : 0;
}

static int do_info(struct answer *answer, const char *argument)
{
	json_t *info;
	uint64_t ino;
	int ret = answer_number(argument, &ino);

	if (!ret)
		ret = report_info(answer->env->store, ino, &info);
	if (!ret)
		answer_tell(answer, info);
	return ret;
}

static int drain_progress(void *ctx, uint64_t files, uint64_t bytes)
{
	struct answer *answer = ctx;

	answer_tell(answer,
		json_pack("{s:I, s:I}", "files_left", (json_int_t)files, "bytes_left", (json_int_t)bytes));
	return unwanted(answer);
}

static int do_sync(struct answer *answer, const char *argument)
{
	const struct parts *parts = &answer->env->store->parts;
	int ret = stage_drain(parts->stage, drain_progress, answer);

	(void)argument;
	if (!ret)
		ret = names_sync(parts->names);
	if (!ret)
		ret = packs_sync(parts->packs);
	return ret ? ret : kv_flush(parts->kv, false);
}

int answer_progress(void *ctx, const char *phase, double share)
{
	struct answer *answer = ctx;

	if (is_due(answer))
		answer_tell(answer, json_pack("{s:s, s:f}", "phase", phase, "share", share));
	return unwanted(answer);
}

static json_t *gc_object(const struct gc_result *result)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files_restaged",
		(json_int_t)result->files_restaged, "recipes_purged", (json_int_t)result->recipes_purged,
		"chunks_removed", (json_int_t)result->chunks_removed, "chunks_rebased",
		(json_int_t)result->chunks_rebased, "frames_moved", (json_int_t)result->frames_moved,
		"packs_removed", (json_int_t)result->packs_removed, "bytes_before",
		(json_int_t)result->bytes_before, "bytes_after", (json_int_t)result->bytes_after);
}

/* After the collection that may be under way: the daemon collects by itself, and that one may have begun
 * before what is to be collected was deleted. */
static int collect(struct answer *answer, unsigned percent, struct gc_result *result)
{
	for (;;) {
		int ret = gc_run(&answer->env->store->parts, percent, answer_progress, answer, result);

		if (ret != -EBUSY)
			return ret;
		usleep(WAIT_US);
		if (answer_progress(answer, "wait", 0))
			return -EINTR;
	}
}

static int do_gc(struct answer *answer, const char *argument)
{
	struct gc_result result;
	uint64_t percent = 0;
	int ret = *argument ? answer_number(argument, &percent) : 0;

	if (!ret && percent > 100)
		ret = -EINVAL;
	if (!ret) {
		drops_settle(answer->env->drops);
		ret = collect(answer, (unsigned)percent, &result);
	}
	if (!ret)
		answer_tell(answer, gc_object(&result));
	return ret;
}

static void finding(void *ctx, const char *line)
{
	answer_tell(ctx, json_pack("{s:s}", "finding", line));
}

static int do_scrub(struct answer *answer, const char *argument)
{
	const struct fsck_options options = {
		.data = true, .progress = answer_progress, .report = finding, .ctx = answer};
	int64_t bad = scrub_run(&answer->env->store->parts, &options);

	(void)argument;
	if (bad < 0)
		return (int)bad;
	answer_tell(answer, json_pack("{s:I}", "bad_chunks", (json_int_t)bad));
	return 0;
}

static const struct {
	const char *name;
	int (*serve)(struct answer *answer, const char *argument);
	bool has_argument, needs_argument;
} requests[] = {
	{"ping", do_ping, false, false},
	{"stats", do_stats, false, false},
	{"info", do_info, true, true},
	{"sync", do_sync, false, false},
	{"gc", do_gc, true, false},
	{"scrub", do_scrub, false, false},
	{"cache-stats", do_cache_stats, false, false},
	{"cache-list", do_cache_list, true, true},
	{"cache-prune", do_cache_prune, true, true},
	{"cache-verify", do_cache_verify, true, true},
};

static int dispatch(struct answer *answer, char *line)
{
	char *argument = strchr(line, ' ');

	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		if (strcmp(line, requests[i].name))
			continue;
		if (argument ? !requests[i].has_argument : requests[i].needs_argument)
			return -EINVAL;
		return requests[i].serve(answer, argument ? argument : "");
	}
	return -EOPNOTSUPP;
}

void request_serve(struct request_env *env, char *line, int fd)
{
	struct answer answer = {.env = env, .fd = fd};
	int ret = dispatch(&answer, line);

	if (ret)
		answer_tell(&answer, json_pack("{s:i, s:s}", "error", -ret, "message", strerror(-ret)));
	else
		answer_tell(&answer, json_pack("{s:b}", "done", 1));
}
