#include <stdio.h>

#include "store/report/report.h"
#include "tools/open.h"
#include "tools/print.h"
#include "tools/tool.h"

static bool option(void *ctx, int val, const char *value)
{
	(void)val;
	(void)value;
	*(bool *)ctx = true;
	return true;
}

static void keep(void *ctx, json_t *object)
{
	json_t **kept = ctx;

	if (!*kept)
		*kept = json_incref(object);
}

static uint64_t number(const json_t *stats, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(stats, name));
}

static double share(const json_t *stats, const char *name)
{
	return 100 * json_number_value(json_object_get(stats, name));
}

static void print_amount(const json_t *stats, const char *title, const char *name)
{
	char amount[PRINT_AMOUNT];

	printf("%-22s %12s\n", title, print_bytes(amount, number(stats, name)));
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
	printf("%-22s %12llu\n", "files", (unsigned long long)number(stats, "files"));
	printf("%-22s %12llu\n", "directories", (unsigned long long)number(stats, "directories"));
	printf("%-22s %12llu\n", "chunks", (unsigned long long)number(stats, "chunks"));
	printf("%-22s %12llu\n", "awaiting encoding", (unsigned long long)number(stats, "queued_files"));
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
		return open_call(target, "stats", keep, stats);
	code = open_store(target->store, &options, &store);
	if (code)
		return code;
	*stats = report_stats(store);
	store_close(store);
	return TOOL_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {0}};
	bool as_json = false;
	struct open_target target;
	json_t *stats = NULL;
	int code = open_parse(tool, argc, argv, options, option, &as_json, &target);

	if (code >= 0)
		return code;
	code = fetch(&target, &stats);
	if (code)
		goto out;
	if (!stats) {
		code = tool_fail(TOOL_SYSTEM, target.store, NULL, "no answer");
		goto out;
	}
	if (as_json) {
		json_dumpf(stats, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print(stats);
	}
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
