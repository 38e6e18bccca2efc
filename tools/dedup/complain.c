#include "tools/dedup/complain.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "tools/print.h"
#include "tools/tool.h"

int dedup_complain(int code, const char *what, const char *next, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	print_complaint("mithril-dedup", what, next, why, args);
	va_end(args);
	return code;
}

int dedup_wrong_option(const char *command, int val, char **argv)
{
	char next[64];

	snprintf(next, sizeof next, "%s --help tells more", command);
	return dedup_complain(TOOL_USAGE, argv[optind - 1], next,
		val == '?' ? "there is no such option" : "this option needs a value");
}

int dedup_wrong_usage(void)
{
	fputs("usage: mithril-dedup [OPTIONS] FILE... -o DIR; mithril-dedup --help tells more\n", stderr);
	return TOOL_USAGE;
}
