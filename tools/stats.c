#include <stdio.h>

#include "store/report/report.h"
#include "tools/open.h"
#include "tools/print.h"
#include "tools/tool.h"

static double share(const json_t *stats, const char *name)
{
	return 100 * json_number_value(json_object_get(stats, name));
}

static void print_amount(const json_t *stats, const char *title, const char *name)
{
	char amount[PRINT_AMOUNT];

	printf("%-22s %12s\n", title, print_bytes(amount, open_number(stats, name)));
}

static void print(const json_t *stats)
{
	double rate = json_number_value(json_object_get(stats, "encode_mib_s_per_core"));

	print_amount(stats, "files' sizes", "logical_bytes");
	print_amount(stats, "on disk", "stored_bytes");
	printf("%-22s %11.2fx\n", "ratio", json_number_value(json_object_get(stats, "ratio")));
	print_amount(stats, "  packs", "pack_bytes");
	print_amount(stats, "  index", "kv_bytes");
	print_amount(stats, "  staged, raw", "staged_bytes");
	print_amount(stats, "  kept, raw", "kept_bytes");
	printf("%-22s %12llu\n", "files", (unsigned long long)open_number(stats, "files"));
	printf("%-22s %12llu\n", "directories", (unsigned long long)open_number(stats, "directories"));
	printf("%-22s %12llu\n", "chunks", (unsigned long long)open_number(stats, "chunks"));
	printf("%-22s %12llu\n", "awaiting encoding", (unsigned long long)open_number(stats, "queued_files"));
	printf("%-22s %11.1f%%\n", "there already (dedup)", share(stats, "dedup_share"));
	printf("%-22s %11.1f%%\n", "as a difference", share(stats, "delta_share"));
	if (rate > 0)
		printf("%-22s %6.0f MiB/s a core\n", "encoding", rate);
}

static int fetch(const struct open_target *target, json_t **stats)
{
	struct store_options options = {.read_only = true};
	struct store *store;
	int code;

	if (target->live)
		return open_call(target, "stats", open_keep, stats);
	code = open_store(target->store, &options, &store);
	if (code)
		return code;
	*stats = report_stats(store);
	store_close(store);
	return TOOL_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	bool as_json = false;
	struct open_target target;
	json_t *stats = NULL;
	int code = open_parse(tool, argc, argv, tool_json_option, tool_set_flag, &as_json, &target);

	if (code >= 0)
		return code;
	code = fetch(&target, &stats);
	if (code)
		goto out;
	if (!stats) {
		code = tool_fail(TOOL_SYSTEM, target.store, NULL, "no answer");
		goto out;
	}
	if (as_json)
		print_json(stats);
	else
		print(stats);
out:
	json_decref(stats);
	return code;
}

const struct tool tool_stats = {
	.name = "stats",
	.arguments = "[--json] MNT|STORE",
	.summary = "Show what is stored, and in how many bytes",
	.help = "  -j, --json  one JSON object instead of the table\n\n"
		"Stored bytes are what du -s --block-size=1 says of the store, everything counted.\n",
	.run = run,
};
