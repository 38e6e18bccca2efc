#include "tools/cache/job.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/cache/root.h"
#include "tools/compilers/ccache.h"
#include "tools/compilers/machine.h"
#include "tools/compilers/place.h"
#include "tools/compilers/python.h"

static const char *get_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void job_warn(const char *format, ...)
{
	va_list args;

	fputs("mithril: cache: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* Names separated by commas. */
static void choose(struct job *job, const char *names, bool skip)
{
	while (*names) {
		size_t len = strcspn(names, ",");
		const struct client *client = client_find(names, len);

		if (client)
			job->skip[client - clients] = skip;
		else if (len)
			job_warn("there is no cache called %.*s; mithril cache env --format json lists them",
				(int)len, names);
		names += len;
		names += *names == ',';
	}
}

bool job_option(struct job *job, int val, const char *value)
{
	uint64_t bytes;

	switch (val) {
	case 'm':
		job->mount = value;
		break;
	case 'd':
		job->dir = value;
		break;
	case 'p':
		job->python = value;
		break;
	case 's':
		if (tool_parse_size(value, &bytes))
			job->max_size = value;
		else
			job_warn("%s is no size; the bound stays as it was", value);
		break;
	case 'w':
		choose(job, value, true);
		break;
	case 'o':
		memset(job->skip, true, sizeof job->skip);
		choose(job, value, false);
		break;
	}
	return true;
}

int job_find_root(struct job *job, char why[256])
{
	int ret;

	if (!job->dir)
		return root_find(job->mount, job->root, why);
	ret = root_absolute(job->dir, job->root);
	if (ret)
		snprintf(why, 256, "%s: %s", job->dir, strerror(-ret));
	return ret;
}

static const char *reason(int error)
{
	switch (-error) {
	case EROFS:
		return "it is read-only";
	case ENOSPC:
		return "it is full";
	case ETIMEDOUT:
		return "it does not answer";
	case ENOTCONN:
		return "its daemon is gone; mithril umount it, and mount it again";
	default:
		return strerror(-error);
	}
}

static void read_machine(struct job *job, const char *command)
{
	char python[PATH_MAX];

	machine_read(&job->machine);
	if (job->python ? python_read(job->python, &job->machine)
			: !python_find(command, python) && python_read(python, &job->machine))
		job_warn("%s cannot be asked for its versions", job->python ? job->python : python);
}

/* Which caches are ours to place; one line about those that are not. */
static void choose_clients(struct job *job)
{
	const char *outer = getenv(JOB_ROOT_VARIABLE);
	char theirs[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < client_count; i++) {
		const char *placed = client_placed(&clients[i], get_variable);

		job->use[i] = !job->skip[i] && !placed;
		if (!placed || job->skip[i] || len >= sizeof theirs)
			continue;
		if (outer && !strncmp(getenv(placed), outer, strlen(outer)))
			continue;
		len += (size_t)snprintf(theirs + len, sizeof theirs - len, "%s%s", len ? ", " : "", placed);
	}
	if (len)
		job_warn("left where the environment puts them: %s", theirs);
}

bool job_prepare(struct job *job, const char *command)
{
	char why[256];
	int ret = job_find_root(job, why);

	if (ret) {
		job_warn("%s; without the cache", why);
		return false;
	}
	read_machine(job, command);
	choose_clients(job);
	ret = place_make(job->root, &job->machine, job->use, job->max_size);
	if (ret)
		job_warn("%s: %s; without the cache", job->root, reason(ret));
	return !ret;
}

/* ccache also has a configuration. */
static void ccache_settings(const struct job *job, const char *dir, client_setting *each, void *ctx)
{
	struct ccache_config *config = malloc(sizeof *config);
	bool on_mount;

	if (!config)
		return;
	ccache_config_read(get_variable, config);
	on_mount = root_is_mithril(dir);
	if (!get_variable("CCACHE_DIR") && !config->placed) {
		each(ctx, "CCACHE_DIR", dir);
		if (config->path[0])
			each(ctx, "CCACHE_CONFIGPATH", config->path);
	}
	if (on_mount && !config->compresses && !config->placed && !get_variable("CCACHE_NOCOMPRESS"))
		each(ctx, "CCACHE_NOCOMPRESS", "1");
	free(config);
	(void)job;
}

void job_settings(const struct job *job, client_setting *each, void *ctx)
{
	for (size_t i = 0; i < client_count; i++) {
		struct fingerprint own;
		char dir[PATH_MAX];

		if (!strcmp(clients[i].name, "ccache") && !job->skip[i]) {
			const char *theirs = get_variable("CCACHE_DIR");

			if (theirs || !place_of(job->root, &clients[i], &job->machine, &own, dir))
				ccache_settings(job, theirs ? theirs : dir, each, ctx);
		} else if (job->use[i] && !place_of(job->root, &clients[i], &job->machine, &own, dir)) {
			client_settings(&clients[i], dir, get_variable, each, ctx);
		}
	}
	each(ctx, JOB_ROOT_VARIABLE, job->root);
}
