#include <stdio.h>

#include "tools/open.h"
#include "tools/progress.h"
#include "tools/tool.h"

struct gc {
	uint64_t percent; /* 0: default */
	bool as_json;
	struct print_progress progress;
	json_t *result;
};

static bool option(void *ctx, int val, const char *value)
{
	struct gc *gc = ctx;

	if (val == 'j')
		gc->as_json = true;
	else if (!tool_parse_number(value, 100, &gc->percent))
		return tool_fail(TOOL_USAGE, value, NULL, "not a share in percent") == TOOL_OK;
	return true;
}

static void on_line(void *ctx, json_t *object)
{
	struct gc *gc = ctx;

	if (progress_line(&gc->progress, object))
		return;
	json_decref(gc->result);
	gc->result = json_incref(object);
}

static json_t *pack_result(const struct gc_result *r)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "recipes_purged", (json_int_t)r->recipes_purged,
		"chunks_removed", (json_int_t)r->chunks_removed, "chunks_rebased",
		(json_int_t)r->chunks_rebased, "frames_moved", (json_int_t)r->frames_moved, "packs_removed",
		(json_int_t)r->packs_removed, "bytes_before", (json_int_t)r->bytes_before, "bytes_after",
		(json_int_t)r->bytes_after);
}

static int collect(const char *path, struct gc *gc)
{
	struct store_options options = {.no_background = true};
	struct gc_result result = {0};
	struct store *store;
	int rc, code = open_store(path, &options, &store);

	if (code)
		return code;
	tool_catch_interrupt();
	rc = gc_run(&store->parts, (unsigned)gc->percent, progress_phase, &gc->progress, &result);
	store_close(store);
	code = progress_done(&gc->progress, path, rc);
	if (!code)
		gc->result = pack_result(&result);
	return code;
}

static void print(const struct gc *gc)
{
	char before[PRINT_AMOUNT], after[PRINT_AMOUNT];

	if (gc->as_json) {
		print_json(gc->result);
		return;
	}
	printf("packs: %s, were %s; %llu chunks removed, %llu re-encoded, %llu frames moved, %llu packs "
	       "removed\n",
		print_bytes(after, open_number(gc->result, "bytes_after")),
		print_bytes(before, open_number(gc->result, "bytes_before")),
		(unsigned long long)open_number(gc->result, "chunks_removed"),
		(unsigned long long)open_number(gc->result, "chunks_rebased"),
		(unsigned long long)open_number(gc->result, "frames_moved"),
		(unsigned long long)open_number(gc->result, "packs_removed"));
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"dead", required_argument, NULL, 'd'}, {0}};
	struct gc gc = {0};
	struct open_target target;
	char request[32] = "gc";
	int code = open_parse(tool, argc, argv, options, option, &gc, &target);

	if (code >= 0)
		return code;
	if (gc.percent)
		snprintf(request, sizeof request, "gc %u", (unsigned)gc.percent);
	code = target.live ? open_call(&target, request, on_line, &gc) : collect(target.store, &gc);
	print_progress_end(&gc.progress);
	if (!code)
		print(&gc);
	json_decref(gc.result);
	return code;
}

const struct tool tool_gc = {
	.name = "gc",
	.arguments = "[--json] [--dead PERCENT] MNT|STORE",
	.summary = "Give the space of deleted files back now",
	.help = "  -j, --json          one JSON object\n"
		"  -d, --dead PERCENT  rewrite packs with at least that share of dead bytes (default 5)\n\n"
		"A mounted store does this by itself when enough was deleted. Works while mounted and while "
		"not.\n"
		"Ctrl-C ends it early and leaves the store sound.\n",
	.run = run,
};
