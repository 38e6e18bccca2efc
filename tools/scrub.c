#include <stdio.h>

#include "tools/open.h"
#include "tools/progress.h"
#include "tools/tool.h"

struct scrub {
	struct print_progress progress;
	int64_t bad;
};

static void on_line(void *ctx, json_t *object)
{
	const char *finding = json_string_value(json_object_get(object, "finding"));
	struct scrub *scrub = ctx;

	if (finding)
		progress_finding(&scrub->progress, finding);
	else if (!progress_line(&scrub->progress, object))
		scrub->bad = json_integer_value(json_object_get(object, "bad_chunks"));
}

static int verify(const char *path, struct scrub *scrub)
{
	struct fsck_options how = {.data = true,
		.progress = progress_phase,
		.report = progress_finding,
		.ctx = &scrub->progress};
	struct store_options options = {.read_only = true};
	struct store *store;
	int code = open_store(path, &options, &store);

	if (code)
		return code;
	tool_catch_interrupt();
	scrub->bad = scrub_run(&store->parts, &how);
	store_close(store);
	return progress_done(&scrub->progress, path, scrub->bad);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	struct scrub scrub = {0};
	struct open_target target;
	int code = open_parse(tool, argc, argv, NULL, NULL, NULL, &target);

	if (code >= 0)
		return code;
	code = target.live ? open_call(&target, "scrub", on_line, &scrub) : verify(target.store, &scrub);
	print_progress_end(&scrub.progress);
	if (code || !scrub.bad)
		return code;
	printf("%lld bad chunks\n", (long long)scrub.bad);
	return TOOL_DATA;
}

const struct tool tool_scrub = {
	.name = "scrub",
	.arguments = "MNT|STORE",
	.summary = "Read and verify every byte that is stored",
	.help = "Works while mounted and while not. Prints one line a file that is hurt. Exit code 0: sound; "
		"1: there is damage.\n"
		"Ctrl-C ends it early.\n",
	.run = run,
};
