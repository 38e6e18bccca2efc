#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"
#include "tools/tool.h"

static int run(const struct tool *tool, int argc, char **argv)
{
	struct tool_arguments arguments = tool_parse(tool, argc, argv, NULL, NULL, NULL, 1, 1);
	struct store_error error = {""};
	const char *path;
	int rc;

	if (arguments.code >= 0)
		return arguments.code;
	path = arguments.v[0];
	rc = store_init(path, (uint32_t)getuid(), (uint32_t)getgid(), &error);
	return rc ? tool_fail_text(path, rc, error.text) : TOOL_OK;
}

const struct tool tool_init = {
	.name = "init",
	.arguments = "STORE",
	.summary = "Make a new, empty store",
	.help = "STORE is a directory that is empty or does not exist yet. Everything the store keeps lies "
		"in it; give it\n"
		"a place on a local disk. It belongs to you, and nobody else can look into it.\n",
	.run = run,
};
