#include "tools/open.h"
#include "tools/print.h"
#include "tools/tool.h"

static void on_line(void *ctx, json_t *object)
{
	char amount[PRINT_AMOUNT];
	json_int_t files = json_integer_value(json_object_get(object, "files_left"));
	json_int_t bytes = json_integer_value(json_object_get(object, "bytes_left"));

	print_progress(
		ctx, "%lld files, %s left to encode", (long long)files, print_bytes(amount, (uint64_t)bytes));
}

static int run(const struct tool *tool, int argc, char **argv)
{
	struct tool_arguments arguments = tool_parse(tool, argc, argv, NULL, NULL, NULL, 1, 1);
	struct print_progress progress = {0};
	struct open_target target;
	int code;

	if (arguments.code >= 0)
		return arguments.code;
	code = open_mount(arguments.v[0], &target);
	if (code)
		return code;
	code = open_call(&target, "sync", on_line, &progress);
	print_progress_end(&progress);
	return code;
}

const struct tool tool_sync = {
	.name = "sync",
	.arguments = "MNT",
	.summary = "Wait until everything that was closed is encoded and durable",
	.help = "Files that are open for writing are not waited for. On a terminal it shows what is left.\n"
		"Ctrl-C ends the wait; encoding goes on.\n",
	.run = run,
};
