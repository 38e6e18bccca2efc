#include "tools/cache/root.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/mountinfo.h"

struct candidates {
	unsigned count;
	char first[PATH_MAX], with_cache[PATH_MAX];
};

static bool first_two(void *ctx, const struct mountinfo *mount)
{
	struct candidates *found = ctx;

	if (!found->count++)
		memcpy(found->first, mount->point, PATH_MAX);
	return found->count < 2;
}

static bool with_cache(void *ctx, const struct mountinfo *mount)
{
	struct candidates *found = ctx;
	char path[PATH_MAX + 8];

	snprintf(path, sizeof path, "%s/" ROOT_NAME, mount->point);
	if (access(path, F_OK))
		return true;
	memcpy(found->with_cache, mount->point, PATH_MAX);
	return false;
}

static int find_any(struct candidates *found, char why[256])
{
	int ret = mountinfo_each(MOUNTINFO_TYPE, first_two, found);

	if (!ret && found->count > 1)
		ret = mountinfo_each(MOUNTINFO_TYPE, with_cache, found);
	if (ret)
		snprintf(why, 256, "/proc/self/mountinfo: %s", strerror(-ret));
	else if (!found->count)
		snprintf(why, 256, "no store is mounted here (mithril mount STORE MNT)");
	return ret ? ret : found->count ? 0 : -ENOENT;
}

static int check_named(const char *mount, char point[PATH_MAX], char why[256])
{
	struct mountinfo *found = malloc(sizeof *found);
	int ret = found ? 0 : -ENOMEM;

	/* What does not answer is not asked. */
	if (!ret)
		ret = root_absolute(mount, point);
	if (!ret)
		ret = mountinfo_find(point, 0, found);
	if (ret == -ENOENT && realpath(mount, point))
		ret = mountinfo_find(point, 0, found);
	if (ret == -ENOENT || (!ret && strcmp(found->type, MOUNTINFO_TYPE)))
		ret = -ENOTTY;
	if (ret)
		snprintf(why, 256, "%.200s: %s", mount,
			ret == -ENOTTY ? "not a Mithril mount" : strerror(-ret));
	free(found);
	return ret;
}

int root_find(const char *mount, char root[PATH_MAX], char why[256])
{
	struct candidates *found = calloc(1, sizeof *found);
	int ret = found ? 0 : -ENOMEM;

	if (!ret)
		ret = mount ? check_named(mount, found->first, why) : find_any(found, why);
	if (!ret && snprintf(root, PATH_MAX, "%s/" ROOT_NAME,
			    found->with_cache[0] ? found->with_cache : found->first) >= PATH_MAX) {
		ret = -ENAMETOOLONG;
		snprintf(why, 256, "%s", strerror(-ret));
	}
	free(found);
	return ret;
}

/* Takes one part off or puts one on. */
static int step(char absolute[PATH_MAX], const char *part, size_t len)
{
	size_t have = strlen(absolute);

	if (!len || (len == 1 && part[0] == '.'))
		return 0;
	if (len == 2 && part[0] == '.' && part[1] == '.') {
		char *slash = strrchr(absolute, '/');

		if (slash)
			*slash = '\0';
		return 0;
	}
	return snprintf(absolute + have, PATH_MAX - have, "/%.*s", (int)len, part) < (int)(PATH_MAX - have)
		       ? 0
		       : -ENAMETOOLONG;
}

int root_absolute(const char *path, char absolute[PATH_MAX])
{
	int ret = 0;

	absolute[0] = '\0';
	if (!*path)
		return -ENOENT;
	if (*path != '/' && !getcwd(absolute, PATH_MAX))
		return -errno;
	if (!strcmp(absolute, "/"))
		absolute[0] = '\0';
	while (*path && !ret) {
		size_t len = strcspn(path, "/");

		ret = step(absolute, path, len);
		path += len;
		path += *path == '/';
	}
	if (!ret && !*absolute)
		memcpy(absolute, "/", 2);
	return ret;
}

bool root_is_mithril(const char *path)
{
	struct mountinfo *found = malloc(sizeof *found);
	char part[PATH_MAX], *slash;
	struct stat st = {0};
	bool is = false;

	snprintf(part, sizeof part, "%s", path);
	while (found && stat(part, &st) && (slash = strrchr(part, '/')))
		slash[slash == part] = '\0';
	if (found && !mountinfo_find(NULL, st.st_dev, found))
		is = !strcmp(found->type, MOUNTINFO_TYPE);
	free(found);
	return is;
}
