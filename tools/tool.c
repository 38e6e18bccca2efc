#include "tools/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/print.h"

int tool_fail(enum tool_exit code, const char *what, const char *next, const char *why, ...)
{
	va_list args;

	va_start(args, why);
	print_complaint("mithril", what, next, why, args);
	va_end(args);
	return code;
}

enum tool_exit tool_exit_of(int error)
{
	switch (-error) {
	case 0:
		return TOOL_OK;
	case EBADMSG:
	case EUCLEAN:
	case EIO:
		return TOOL_DATA;
	case EINVAL:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EEXIST:
	case ENOTEMPTY:
	case ENAMETOOLONG:
		return TOOL_USAGE;
	default:
		return TOOL_SYSTEM;
	}
}

const char *tool_next_step(int error)
{
	switch (-error) {
	case EINVAL:
		return "name a store, or make one with mithril init";
	case ENOENT:
		return "check the path";
	case EEXIST:
		return "use it as it is, or choose another directory";
	case ENOTEMPTY:
		return "choose an empty directory or a new name";
	case ENOTDIR:
		return "name a directory";
	case EPROTONOSUPPORT:
		return "use a newer mithril";
	case EBADMSG:
	case EUCLEAN:
		return "run mithril fsck on it";
	case EWOULDBLOCK:
		return "use it where it is mounted, or end the one that holds it";
	case EROFS:
		return "make that file system writable, or mount with -o ro";
	case ENOSPC:
	case EDQUOT:
		return "free some space there and try again";
	case EACCES:
	case EPERM:
		return "run it as the owner of the store, or as root";
	case ENOTCONN:
		return "the daemon of this mount is gone: mithril umount it, and mount it again";
	case EIO:
		return "see the system log for the disk's own errors";
	default:
		return NULL;
	}
}

int tool_fail_errno(const char *what, int error)
{
	return tool_fail(tool_exit_of(error), what, tool_next_step(error), "%s", strerror(-error));
}

void tool_format_error(char *dst, size_t capacity, const char *what, int error, const char *text)
{
	const char *next = strchr(text, ';') ? NULL : tool_next_step(error);
	bool named = strstr(text, what) != NULL;

	snprintf(dst, capacity, "mithril: %s%s%s%s%s", named ? "" : what, named ? "" : ": ",
		*text ? text : strerror(-error), next ? "; " : "", next ? next : "");
}

int tool_fail_text(const char *what, int error, const char *text)
{
	char line[2048];

	tool_format_error(line, sizeof line, what, error, text);
	fprintf(stderr, "%s\n", line);
	return tool_exit_of(error);
}

static struct tool_arguments ended(int code)
{
	return (struct tool_arguments){.code = code};
}

struct tool_arguments tool_parse(const struct tool *tool, int argc, char **argv, const struct option *options,
	bool (*option)(void *ctx, int val, const char *value), void *ctx, int min, int max)
{
	struct option all[16] = {{"help", no_argument, NULL, 'h'}};
	char letters[64] = "+:h";
	size_t n = 1, l = 3;
	int val, count;

	for (; options && options->name && n + 1 < sizeof all / sizeof all[0]; options++) {
		all[n++] = *options;
		if (options->val < 128) {
			letters[l++] = (char)options->val;
			if (options->has_arg == required_argument)
				letters[l++] = ':';
		}
	}
	optind = 0;
	while ((val = getopt_long(argc, argv, letters + !tool->in_order, all, NULL)) != -1) {
		if (val == 'h') {
			tool_print_help(tool);
			return ended(TOOL_OK);
		}
		if (val == ':')
			return ended(
				tool_fail(TOOL_USAGE, argv[optind - 1], NULL, "this option needs a value"));
		if (val == '?') {
			tool_fail(TOOL_USAGE, argv[optind - 1], NULL, "mithril %s has no such option",
				tool->name);
			return ended(tool_print_usage(tool));
		}
		if (!option(ctx, val, optarg))
			return ended(TOOL_USAGE);
	}
	count = argc - optind;
	if (count < min || count > max) {
		tool_fail(TOOL_USAGE, tool->name, NULL,
			count < min ? "an argument is missing" : "too many arguments");
		return ended(tool_print_usage(tool));
	}
	return (struct tool_arguments){.code = -1, .v = argv + optind, .count = count};
}

bool tool_set_flag(void *ctx, int val, const char *value)
{
	(void)val;
	(void)value;
	*(bool *)ctx = true;
	return true;
}

const struct option tool_json_option[] = {{"json", no_argument, NULL, 'j'}, {0}};

bool tool_parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && !*end && *number <= max;
}

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught = signal;
}

void tool_catch_interrupt(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool tool_interrupted(void)
{
	return caught != 0;
}

void tool_end_interrupted(void)
{
	if (!caught)
		return;
	signal(caught, SIG_DFL);
	raise(caught);
}
