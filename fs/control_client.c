#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/control.h"
#include "fs/mountinfo.h"
#include "fs/socket.h"
#include "store/util/log.h"

static int send_line(int fd, const char *request)
{
	char line[256];
	int len = snprintf(line, sizeof line, "%s\n", request);

	if (len < 0 || (size_t)len >= sizeof line)
		return -EINVAL;
	return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -EPIPE;
}

/* The last line's verdict. */
static int outcome(json_t *object, bool *last)
{
	json_t *error = json_object_get(object, "error");
	const char *message = json_string_value(json_object_get(object, "message"));
	int number;

	*last = error || json_is_true(json_object_get(object, "done"));
	if (!error)
		return 0;
	number = (int)json_integer_value(error);
	if (number <= 0)
		return -EBADMSG;
	if (message && strcmp(message, strerror(number)))
		log_error("%s", message);
	return -number;
}

static int read_answer(FILE *from, void (*line)(void *ctx, json_t *object), void *ctx)
{
	char *text = NULL;
	size_t capacity = 0;
	bool last = false;
	int ret = 0;

	while (!last) {
		json_t *object;

		if (getline(&text, &capacity, from) < 0) {
			ret = -EPIPE;
			break;
		}
		object = json_loads(text, 0, NULL);
		if (!json_is_object(object)) {
			json_decref(object);
			ret = -EBADMSG;
			break;
		}
		ret = outcome(object, &last);
		if (!last && line)
			line(ctx, object);
		json_decref(object);
	}
	free(text);
	return ret;
}

int control_call(const char *store, const char *request, void (*line)(void *ctx, json_t *object), void *ctx)
{
	FILE *from;
	int fd, ret = socket_connect(store, &fd);

	if (ret)
		return ret;
	from = fdopen(fd, "r");
	if (!from) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = send_line(fd, request);
	if (!ret)
		ret = read_answer(from, line, ctx);
	fclose(from);
	return ret;
}

/* The absolute path of `path` without following its last part, which may be a mount that does not answer. */
static int without_last(const char *path, char *dst)
{
	char *copy = strdup(path), *copy2 = strdup(path), *dir = NULL;
	int ret = -ENOMEM;

	if (copy && copy2) {
		dir = realpath(dirname(copy), NULL);
		ret = dir ? 0 : -errno;
	}
	if (dir && snprintf(dst, PATH_MAX, "%s/%s", strcmp(dir, "/") ? dir : "", basename(copy2)) >= PATH_MAX)
		ret = -ENAMETOOLONG;
	free(copy);
	free(copy2);
	free(dir);
	return ret;
}

static int find_mount(const char *path, struct mountinfo *found)
{
	char absolute[PATH_MAX];
	struct stat st;
	int ret;

	if (!lstat(path, &st))
		return mountinfo_find(NULL, st.st_dev, found);
	if (errno != ENOTCONN)
		return -errno;
	ret = without_last(path, absolute);
	return ret ? ret : mountinfo_find(absolute, 0, found);
}

int control_store_of(const char *path, char *dst, size_t capacity)
{
	struct mountinfo *found = malloc(sizeof *found);
	int ret;

	if (!found)
		return -ENOMEM;
	ret = find_mount(path, found);
	if (ret == -ENOENT && !access(path, F_OK))
		ret = -ENOTTY;
	if (!ret && strcmp(found->type, MOUNTINFO_TYPE))
		ret = -ENOTTY;
	if (!ret && (size_t)snprintf(dst, capacity, "%s", found->source) >= capacity)
		ret = -ENOBUFS;
	free(found);
	return ret;
}
