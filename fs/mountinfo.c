#include "fs/mountinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

static bool is_octal(const char *at)
{
	for (int i = 1; i <= 3; i++) {
		if (at[i] < '0' || at[i] > '7')
			return false;
	}
	return true;
}

/* Copies the word at *at, unescaped, and moves *at behind it and the spaces after it. */
static int word(const char **at, char *dst, size_t capacity)
{
	const char *src = *at;
	size_t len = 0;

	for (; *src && *src != ' ' && *src != '\n'; src++) {
		char c = *src;

		if (c == '\\' && is_octal(src)) {
			c = (char)((src[1] - '0') << 6 | (src[2] - '0') << 3 | (src[3] - '0'));
			src += 3;
		}
		if (len + 1 >= capacity)
			return -ENAMETOOLONG;
		dst[len++] = c;
	}
	dst[len] = '\0';
	*at = src + strspn(src, " ");
	return len ? 0 : -EINVAL;
}

int mountinfo_parse(const char *line, struct mountinfo *out)
{
	unsigned major_number, minor_number;
	const char *tail = strstr(line, " - ");
	int at = 0, ret;

	if (!tail || sscanf(line, "%*u %*u %u:%u %*s %n", &major_number, &minor_number, &at) != 2 || !at ||
		line + at > tail)
		return -EINVAL;
	out->dev = makedev(major_number, minor_number);
	line += at;
	tail += strlen(" - ");
	ret = word(&line, out->point, sizeof out->point);
	if (!ret)
		ret = word(&tail, out->type, sizeof out->type);
	return ret ? ret : word(&tail, out->source, sizeof out->source);
}

/* Every mount, until `each` returns false. */
static int read_all(bool (*each)(void *ctx, const struct mountinfo *mount), void *ctx)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	struct mountinfo *entry = malloc(sizeof *entry);
	char *line = NULL;
	size_t capacity = 0;
	int ret = file ? entry ? 0 : -ENOMEM : -errno;

	while (!ret && getline(&line, &capacity, file) > 0)
		if (!mountinfo_parse(line, entry) && !each(ctx, entry))
			break;
	free(line);
	free(entry);
	if (file)
		fclose(file);
	return ret;
}

struct search {
	const char *point;
	dev_t dev;
	struct mountinfo *found;
	int ret;
};

static bool match(void *ctx, const struct mountinfo *mount)
{
	struct search *search = ctx;

	if (search->point ? !strcmp(mount->point, search->point) : mount->dev == search->dev) {
		*search->found = *mount;
		search->ret = 0;
	}
	return true;
}

int mountinfo_find(const char *point, dev_t dev, struct mountinfo *out)
{
	struct search search = {point, dev, out, -ENOENT};
	int ret = read_all(match, &search);

	return ret ? ret : search.ret;
}

struct filter {
	const char *type;
	bool (*each)(void *ctx, const struct mountinfo *mount);
	void *ctx;
};

static bool of_type(void *ctx, const struct mountinfo *mount)
{
	const struct filter *filter = ctx;

	return strcmp(mount->type, filter->type) != 0 || filter->each(filter->ctx, mount);
}

int mountinfo_each(const char *type, bool (*each)(void *ctx, const struct mountinfo *mount), void *ctx)
{
	struct filter filter = {type, each, ctx};

	return read_all(of_type, &filter);
}
