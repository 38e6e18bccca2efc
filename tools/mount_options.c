#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/mount.h"
#include "tools/tool.h"

/* What mount(8), fstab and systemd understand themselves, or what is always so here. */
static bool is_for_others(const char *name)
{
	static const char *const names[] = {"rw", "defaults", "auto", "noauto", "user", "users", "nouser",
		"owner", "group", "_netdev", "nofail", "async", "atime", "relatime", "norelatime", "diratime",
		"strictatime", "loud", "silent", "default_permissions", "nosuid", "nodev", "exec"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "x-", 2) || !strncmp(name, "X-", 2) || !strncmp(name, "comment=", 8);
}

static bool set_flag(struct mount_options *options, const char *name)
{
	struct fs_options *fs = &options->fs;
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{"ro", &fs->read_only},
		{"allow_other", &fs->allow_other},
		{"relay", &fs->no_passthrough},
		{"suid", &fs->suid},
		{"dev", &fs->dev},
		{"noexec", &fs->noexec},
		{"nonempty", &fs->nonempty},
	};

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (!strcmp(name, flags[i].name)) {
			*flags[i].flag = true;
			return true;
		}
	return false;
}

/* 1: done; 0: no option of this name; -1: bad value. */
static int set_value(struct mount_options *options, const char *name, const char *value)
{
	uint64_t number;

	if (!strcmp(name, "stage_budget"))
		return tool_parse_size(value, &options->store.stage_budget) ? 1 : -1;
	if (!strcmp(name, "keep_raw"))
		return tool_parse_size(value, &options->store.keep_raw) ? 1 : -1;
	if (!strcmp(name, "level"))
		return codec_level_named(value, &options->store.level) ? -1 : 1;
	if (!strcmp(name, "cache")) {
		if (!tool_parse_size(value, &number))
			return -1;
		options->store.cache_bytes = (size_t)number;
	} else if (!strcmp(name, "quiet_ms")) {
		if (!tool_parse_number(value, INT_MAX, &number))
			return -1;
		options->store.quiet_ms = (unsigned)number;
	} else if (!strcmp(name, "threads")) {
		if (!tool_parse_number(value, 1024, &number) || !number)
			return -1;
		options->store.threads = (unsigned)number;
	} else if (!strcmp(name, "fs_threads")) {
		if (!tool_parse_number(value, 1024, &number) || !number)
			return -1;
		options->fs.threads = (unsigned)number;
	} else {
		return 0;
	}
	return 1;
}

static int add_one(struct mount_options *options, char *option, bool sloppy)
{
	char *value = strchr(option, '=');
	int rc;

	if (!*option || is_for_others(option) || (!value && set_flag(options, option)))
		return TOOL_OK;
	if (!strcmp(option, "remount"))
		return tool_fail(TOOL_USAGE, "remount", "unmount it and mount it again",
			"a Mithril mount cannot be remounted");
	if (value) {
		*value++ = 0;
		rc = set_value(options, option, value);
		if (rc < 0)
			return tool_fail(TOOL_USAGE, option, "see mithril mount --help",
				"the value '%s' is not right", value);
		if (rc > 0)
			return TOOL_OK;
	}
	if (sloppy)
		return TOOL_OK;
	return tool_fail(TOOL_USAGE, option, "see mithril mount --help", "no such mount option");
}

int mount_options_add(struct mount_options *options, const char *list, bool sloppy)
{
	char *copy = strdup(list), *rest = copy, *option;
	int code = copy ? TOOL_OK : tool_fail(TOOL_SYSTEM, "mount options", NULL, "out of memory");

	while (!code && (option = strsep(&rest, ",")))
		code = add_one(options, option, sloppy);
	free(copy);
	return code;
}
