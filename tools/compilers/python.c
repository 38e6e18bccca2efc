#include "tools/compilers/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/compilers/capture.h"

#define PATH_TEXT 65536u

static const char program[] = "import sys, _imp\n"
			      "print(sys.implementation.name + _imp.extension_suffixes()[0])\n"
			      "print(*(p or '.' for p in sys.path[1:]), sep='\\n')\n";

static bool in_path(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/')) {
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && !access(path, X_OK);
	}
	while (dirs && *dirs) {
		int len = (int)strcspn(dirs, ":");

		if (snprintf(path, PATH_MAX, "%.*s/%s", len, dirs, name) < PATH_MAX && !access(path, X_OK))
			return true;
		dirs += len;
		dirs += *dirs == ':';
	}
	return false;
}

static bool is_python(const char *command)
{
	const char *base = strrchr(command, '/');

	return !strncmp(base ? base + 1 : command, "python", strlen("python"));
}

/* The interpreter that a script's first line names. */
static bool of_script(const char *script, char path[PATH_MAX])
{
	char line[512], *word, *rest = NULL;

	if (capture_file(script, line, sizeof line) < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[strcspn(line, "\n")] = '\0';
	for (word = strtok_r(line + 2, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		if (is_python(word))
			return in_path(word, path);
	return false;
}

int python_find(const char *command, char path[PATH_MAX])
{
	if (command && in_path(command, path)) {
		char script[PATH_MAX];

		if (is_python(command))
			return 0;
		memcpy(script, path, PATH_MAX);
		if (of_script(script, path))
			return 0;
	}
	return in_path("python3", path) || in_path("python", path) ? 0 : -ENOENT;
}

int python_read(const char *interpreter, struct fingerprint *out)
{
	char *const argv[] = {(char *)(uintptr_t)interpreter, "-c", (char *)(uintptr_t)program, NULL};
	char *text = malloc(PATH_TEXT), *path;
	ssize_t len;

	if (!text)
		return -ENOMEM;
	len = capture_command(argv, text, PATH_TEXT);
	path = len > 0 ? strchr(text, '\n') : NULL;
	if (path) {
		*path = '\0';
		fingerprint_add(out, "python", text);
		python_read_path(path + 1, out);
	}
	free(text);
	return path ? 0 : len < 0 ? (int)len : -EPIPE;
}
