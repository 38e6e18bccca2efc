#include <stdio.h>

#include "tools/tool.h"

int tool_print_usage(const struct tool *tool)
{
	fprintf(stderr, "usage: mithril %s %s\n", tool->name, tool->arguments);
	return TOOL_USAGE;
}

void tool_print_help(const struct tool *tool)
{
	printf("usage: mithril %s %s\n\n%s.\n\n%s", tool->name, tool->arguments, tool->summary, tool->help);
}

void tool_print_version(void)
{
	printf("mithril " MITHRIL_VERSION "\n");
}
