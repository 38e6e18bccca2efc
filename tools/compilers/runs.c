#include "tools/compilers/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/compilers/capture.h"

#define RUNS_MAX (256u << 10)

static void command_text(char *const argv[], char text[512])
{
	size_t len = 0;

	for (text[0] = '\0'; *argv && len < 511; argv++)
		len += (size_t)snprintf(text + len, 512 - len, "%s%s", len ? " " : "", *argv);
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
			*text = '?';
}

static char *line_of(
	char *const argv[], const struct fingerprint *machine, const bool *use, int64_t started_ns)
{
	json_t *namespaces = json_object(), *run;
	char command[512], *line, *ended = NULL;

	command_text(argv, command);
	for (size_t i = 0; i < client_count; i++) {
		struct fingerprint own;
		char id[FINGERPRINT_ID];

		if (!use[i])
			continue;
		fingerprint_select(machine, clients[i].components, &own);
		fingerprint_id(&own, id);
		json_object_set_new(namespaces, clients[i].name, json_string(id));
	}
	run = json_pack("{sI si ss so}", "started_ns", (json_int_t)started_ns, "pid", (int)getpid(),
		"command", command, "namespaces", namespaces);
	line = run ? json_dumps(run, JSON_COMPACT) : NULL;
	json_decref(run);
	if (line && asprintf(&ended, "%s\n", line) < 0)
		ended = NULL;
	free(line);
	return ended;
}

/* Keeps the younger half. */
static void halve(const char *path)
{
	char *text = malloc(2 * RUNS_MAX), temporary[PATH_MAX + 32], *from;
	ssize_t len = text ? capture_file(path, text, 2 * RUNS_MAX) : -1;
	FILE *file;

	snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
	from = len > 0 ? strchr(text + len / 2, '\n') : NULL;
	file = from ? fopen(temporary, "we") : NULL;
	if (file) {
		fputs(from + 1, file);
		if (fclose(file) || rename(temporary, path))
			unlink(temporary);
	}
	free(text);
}

int runs_add(const char *root, char *const argv[], const struct fingerprint *machine, const bool *use,
	int64_t started_ns)
{
	char path[PATH_MAX], *line = line_of(argv, machine, use, started_ns);
	struct stat st;
	int fd = -1, ret = 0;

	if (!line)
		return -ENOMEM;
	if (snprintf(path, sizeof path, "%s/runs", root) >= PATH_MAX)
		ret = -ENAMETOOLONG;
	if (!ret && !stat(path, &st) && st.st_size > (off_t)RUNS_MAX)
		halve(path);
	if (!ret) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		ret = fd < 0 ? -errno : 0;
	}
	if (fd >= 0) {
		if (write(fd, line, strlen(line)) < 0)
			ret = -errno;
		close(fd);
	}
	free(line);
	return ret;
}

json_t *runs_get(const char *root, unsigned back)
{
	char *text = malloc(4 * RUNS_MAX), path[PATH_MAX], *line;
	json_t *run = NULL;
	ssize_t len;

	if (!text || snprintf(path, sizeof path, "%s/runs", root) >= PATH_MAX)
		goto out;
	len = capture_file(path, text, 4 * RUNS_MAX);
	if (len <= 0)
		goto out;
	line = text + len - (text[len - 1] == '\n');
	while (back-- && line > text) {
		*line = '\0';
		while (line > text && line[-1] != '\n')
			line--;
		if (!back)
			run = json_loads(line, 0, NULL);
		line -= line > text;
	}
out:
	free(text);
	return run;
}
