#include "tools/cache/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/mountinfo.h"
#include "tools/cache/root.h"

const char *verbs_below(const char *path)
{
	struct mountinfo *found = malloc(sizeof *found);
	const char *below = path;
	struct stat st;

	if (found && !stat(path, &st) && !mountinfo_find(NULL, st.st_dev, found)) {
		size_t len = strcmp(found->point, "/") ? strlen(found->point) : 0;

		if (!strncmp(path, found->point, len))
			below = path + len;
	}
	free(found);
	return below;
}

/* A directory by itself, or below the root of the caches. */
static bool find_dir(const char *root, const char *argument, char dir[PATH_MAX])
{
	char joined[PATH_MAX];
	struct stat st;

	if (snprintf(joined, sizeof joined, "%s/%s", root, argument) < PATH_MAX && !stat(joined, &st) &&
		S_ISDIR(st.st_mode))
		return realpath(joined, dir) != NULL;
	return !stat(argument, &st) && S_ISDIR(st.st_mode) && realpath(argument, dir);
}

int verbs_find(const char *mount, const char *argument, struct verbs_target *out)
{
	char why[256];
	struct stat st;
	int ret;

	memset(out, 0, sizeof *out);
	/* A directory on another mount than the first, or on none, brings its own. */
	ret = root_find(mount, out->root, why);
	if (ret && !argument)
		return tool_fail(TOOL_USAGE, "cache", NULL, "%s", why);
	if (!argument)
		return TOOL_OK;
	if (!find_dir(out->root, argument, out->dir) || stat(out->dir, &st))
		return tool_fail(
			TOOL_USAGE, argument, "mithril cache list shows what there is", "no such cache");
	out->ino = st.st_ino;
	return TOOL_OK;
}

int verbs_find_live(const char *mount, const char *argument, struct verbs_target *out)
{
	int code = verbs_find(mount, argument, out);
	char *slash;

	if (code)
		return code;
	if (out->dir[0])
		return open_mount(out->dir, &out->daemon);
	/* The mount itself: the caches' directory need not be there. */
	slash = strrchr(out->root, '/');
	*slash = '\0';
	code = open_mount(out->root, &out->daemon);
	*slash = '/';
	out->daemon.argument = out->root;
	return code;
}
