#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "store/util/log.h"
#include "tools/mount.h"
#include "tools/tool.h"

static const struct tool *const tools[] = {
	&tool_init,
	&tool_mount,
	&tool_umount,
	&tool_sync,
	&tool_stats,
	&tool_info,
	&tool_gc,
	&tool_fsck,
	&tool_scrub,
	&tool_bench_codec,
	&tool_cache_run,
	&tool_cache_env,
	&tool_cache_explain,
	&tool_cache_stats,
	&tool_cache_list,
	&tool_cache_prune,
	&tool_cache_verify,
};
#define TOOLS (sizeof tools / sizeof tools[0])

/* Those whose first word is `group`; NULL: all. */
static void print_commands(const char *group)
{
	size_t len = group ? strlen(group) : 0;

	for (size_t i = 0; i < TOOLS; i++)
		if (!group || (!strncmp(tools[i]->name, group, len) && tools[i]->name[len] == ' '))
			printf("  %-13s %s\n", tools[i]->name, tools[i]->summary);
}

static void print_group(const char *group)
{
	printf("usage: mithril %s COMMAND [OPTIONS] ARGUMENTS\n\n", group);
	print_commands(group);
	printf("\nmithril %s COMMAND --help tells more of each.\n", group);
}

static void print_help(void)
{
	printf("usage: mithril COMMAND [OPTIONS] ARGUMENTS\n"
	       "       mithril --version\n\n"
	       "A mount for checkpoints and caches: ordinary files there, kept compressed, as differences "
	       "and only "
	       "once.\n\n");
	print_commands(NULL);
	printf("\nmithril COMMAND --help tells more of each; the manual is mithril(1).\n");
}

/* The tool whose one or two words argv begins with; *words is how many. NULL, and two of them, when the
 * second is missing or wrong. */
static const struct tool *find(int argc, char **argv, int *words)
{
	for (size_t i = 0; i < TOOLS; i++) {
		const char *name = tools[i]->name, *second = strchr(name, ' ');
		size_t len = second ? (size_t)(second - name) : strlen(name);

		if (strlen(argv[0]) != len || strncmp(argv[0], name, len) != 0)
			continue;
		*words = second ? 2 : 1;
		if (!second || (argc > 1 && !strcmp(argv[1], second + 1)))
			return tools[i];
	}
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct tool *tool;
	int words = 0;

	if (argc < 2) {
		tool_fail(TOOL_USAGE, "no command", "see mithril --help", "say what to do");
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version") || !strcmp(argv[1], "-V")) {
		tool_print_version();
		return TOOL_OK;
	}
	if (argc > 2 && !strcmp(argv[1], "help")) {
		tool = find(argc - 2, argv + 2, &words);
		if (tool) {
			tool_print_help(tool);
			return TOOL_OK;
		}
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help();
		return TOOL_OK;
	}
	tool = find(argc - 1, argv + 1, &words);
	if (!tool && words == 2 && argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		print_group(argv[1]);
		return TOOL_OK;
	}
	if (!tool && words == 2)
		return tool_fail(TOOL_USAGE, argv[1], NULL, "%s; see mithril %s --help",
			argc > 2 ? "it has no such command" : "say which of its commands", argv[1]);
	if (!tool)
		return tool_fail(TOOL_USAGE, argv[1], "see mithril --help", "no such command");
	return tool->run(tool, argc - words, argv + words);
}

int main(int argc, char **argv)
{
	int code;

	log_setup(LOG_LEVEL_WARNING, 1);
	if (argc && !strcmp(basename(argv[0]), MOUNT_HELPER))
		return mount_helper(argc, argv);
	code = run(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return tool_fail(TOOL_SYSTEM, "standard output", NULL, "cannot be written: %m");
	return code;
}
