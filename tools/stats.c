#include <stdio.h>
#include <stdlib.h>

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
	print_amount(stats, "  reserve", "reserve_bytes");
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

struct requests {
	const char *name;
	uint64_t count, us;
};

static int slower_first(const void *a, const void *b)
{
	const struct requests *one = a, *other = b;

	return (one->us < other->us) - (one->us > other->us);
}

/* What the kernel asked of the daemon, that which took longest first. */
static int print_requests(const json_t *stats, const char *store)
{
	json_t *all = json_object_get(stats, "requests"), *one;
	struct requests *rows = calloc(json_object_size(all) + 1, sizeof *rows);
	size_t count = 0;
	const char *name;

	if (!all || !rows) {
		free(rows);
		return tool_fail(
			TOOL_USAGE, store, "mount it first", "requests are counted while it is mounted");
	}
	json_object_foreach(all, name, one) rows[count++] =
		(struct requests){name, open_number(one, "count"), open_number(one, "us")};
	qsort(rows, count, sizeof *rows, slower_first);
	printf("%-16s %12s %14s %10s\n", "request", "times", "milliseconds", "us each");
	for (size_t i = 0; i < count; i++)
		printf("%-16s %12llu %14.1f %10.1f\n", rows[i].name, (unsigned long long)rows[i].count,
			(double)rows[i].us / 1000, (double)rows[i].us / (double)rows[i].count);
	free(rows);
	return TOOL_OK;
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

struct choice {
	bool as_json, requests;
};

static bool choose(void *ctx, int val, const char *value)
{
	struct choice *choice = ctx;

	(void)value;
	if (val == 'j')
		choice->as_json = true;
	else
		choice->requests = true;
	return true;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"requests", no_argument, NULL, 'r'}, {0}};
	struct choice choice = {0};
	struct open_target target;
	json_t *stats = NULL;
	int code = open_parse(tool, argc, argv, options, choose, &choice, &target);

	if (code >= 0)
		return code;
	code = fetch(&target, &stats);
	if (code)
		goto out;
	if (!stats) {
		code = tool_fail(TOOL_SYSTEM, target.store, NULL, "no answer");
		goto out;
	}
	if (choice.as_json)
		print_json(stats);
	else if (choice.requests)
		code = print_requests(stats, target.argument);
	else
		print(stats);
out:
	json_decref(stats);
	return code;
}

const struct tool tool_stats = {
	.name = "stats",
	.arguments = "[--json | --requests] MNT|STORE",
	.summary = "Show what is stored, and in how many bytes",
	.help = "  -j, --json      one JSON object instead of the table\n"
		"  -r, --requests  what the kernel has asked of the daemon since the mount, and how long\n"
		"                  serving it took\n\n"
		"Stored bytes are what du -s --block-size=1 says of the store, everything counted. The "
		"reserve\n"
		"is held for deleting on a full disk, 4 MiB whatever is stored; the ratio leaves it out.\n",
	.run = run,
};
