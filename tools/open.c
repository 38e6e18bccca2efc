#include "tools/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/control.h"
#include "tools/tool.h"

/* 0, -ENOENT, or why that cannot be known. */
static int look_for_store(const char *path)
{
	char name[PATH_MAX];
	struct stat st;

	if (snprintf(name, sizeof name, "%s/superblock", path) >= (int)sizeof name)
		return -ENAMETOOLONG;
	return stat(name, &st) ? -errno : 0;
}

/* Whether a daemon answers for the store, or why that cannot be known. */
static int ask_live(struct open_target *target)
{
	int rc = control_call(target->store, "ping", NULL, NULL);

	target->live = !rc;
	if (!rc || rc == -ECONNREFUSED || rc == -ENOENT || rc == -EPIPE)
		return TOOL_OK;
	return tool_fail_errno(target->store, rc);
}

/* Follows symbolic links; a mount whose daemon is gone cannot be resolved, but can be named as it is. */
static int store_of(const char *argument, char *store)
{
	char path[PATH_MAX];

	return control_store_of(realpath(argument, path) ? path : argument, store, PATH_MAX);
}

bool open_is_unwritable(const char *store)
{
	return access(store, W_OK) && errno == EROFS;
}

int open_mount_to_read(const char *argument, struct open_target *target)
{
	struct stat st;
	int rc = store_of(argument, target->store);

	if (rc || !open_is_unwritable(target->store) || stat(argument, &st))
		return open_mount(argument, target);
	target->argument = argument;
	target->live = false;
	return TOOL_OK;
}

int open_mount(const char *argument, struct open_target *target)
{
	int rc = store_of(argument, target->store);

	target->argument = argument;
	if (rc == -ENOTTY)
		return tool_fail(TOOL_USAGE, argument, "mount a store with mithril mount STORE MNT",
			"not on a Mithril mount");
	if (rc)
		return tool_fail_errno(argument, rc);
	rc = ask_live(target);
	if (rc || target->live)
		return rc;
	if (open_is_unwritable(target->store))
		return tool_fail(TOOL_SYSTEM, argument, "use mithril stats, info or scrub, which read it",
			"its store is on a read-only disk");
	return tool_fail(TOOL_SYSTEM, argument, "unmount it with mithril umount and mount it again",
		"the daemon of this mount does not answer");
}

static int open_named(const char *argument, struct open_target *target)
{
	int rc = look_for_store(argument);

	target->argument = argument;
	if (rc == -EACCES)
		return tool_fail_errno(argument, rc);
	if (rc) {
		rc = store_of(argument, target->store);
		if (!rc)
			return open_mount_to_read(argument, target);
		if (rc != -ENOTTY)
			return tool_fail_errno(argument, rc);
		return tool_fail(TOOL_USAGE, argument, "name one, or make one with mithril init",
			"neither a store nor on a Mithril mount");
	}
	if (!realpath(argument, target->store))
		return tool_fail_errno(argument, -errno);
	return ask_live(target);
}

int open_parse(const struct tool *tool, int argc, char **argv, const struct option *options,
	bool (*option)(void *ctx, int val, const char *value), void *ctx, struct open_target *target)
{
	struct tool_arguments arguments = tool_parse(tool, argc, argv, options, option, ctx, 1, 1);
	int code;

	if (arguments.code >= 0)
		return arguments.code;
	code = open_named(arguments.v[0], target);
	return code ? code : -1;
}

int open_store(const char *path, const struct store_options *options, struct store **store)
{
	struct store_error error = {""};
	int rc = store_open(path, options, store, &error);

	return rc ? tool_fail_text(path, rc, error.text) : TOOL_OK;
}

int open_call(const struct open_target *target, const char *request, void (*line)(void *ctx, json_t *object),
	void *ctx)
{
	int rc = control_call(target->store, request, line, ctx);

	if (rc == -EPIPE || rc == -ECONNREFUSED || rc == -ENOENT)
		return tool_fail(TOOL_SYSTEM, target->store, "see the system log for the reason",
			"the daemon went away");
	return rc ? tool_fail_errno(target->store, rc) : TOOL_OK;
}

void open_keep(void *ctx, json_t *object)
{
	json_t **kept = ctx;

	if (!*kept)
		*kept = json_incref(object);
}

uint64_t open_number(const json_t *answer, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(answer, name));
}
