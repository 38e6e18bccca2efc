#include <stdio.h>

#include "tools/cache/verbs.h"
#include "tools/print.h"

struct options {
	bool json;
	const char *mount;
};

static bool option(void *ctx, int val, const char *value)
{
	struct options *options = ctx;

	if (val == 'j')
		options->json = true;
	else
		options->mount = value;
	return true;
}

static void collect(void *ctx, json_t *object)
{
	json_array_append(ctx, object);
}

static void count_text(char text[PRINT_AMOUNT], const json_t *from, const char *name)
{
	snprintf(text, PRINT_AMOUNT, "%llu", (unsigned long long)open_number(from, name));
}

static void print(const json_t *caches)
{
	static const char *const headings[] = {"cache", "files>", "bytes>", "stored>", "bound>", "groups>",
		"hits>", "misses>", "evicted>", "damaged>"};
	struct print_table *table = print_table_new(10, headings);
	size_t i;
	json_t *cache;

	json_array_foreach(caches, i, cache)
	{
		const char *path = json_string_value(json_object_get(cache, "path"));
		char files[PRINT_AMOUNT], bytes[PRINT_AMOUNT], stored[PRINT_AMOUNT],
			bound[PRINT_AMOUNT] = "none";
		char groups[PRINT_AMOUNT], hits[PRINT_AMOUNT], misses[PRINT_AMOUNT], evicted[PRINT_AMOUNT];
		char damaged[PRINT_AMOUNT];

		if (!open_number(cache, "files") && !open_number(cache, "evicted_groups"))
			continue;
		count_text(files, cache, "files");
		count_text(groups, cache, "groups");
		count_text(hits, cache, "hits");
		count_text(misses, cache, "misses");
		count_text(evicted, cache, "evicted_groups");
		count_text(damaged, cache, "quarantined");
		print_bytes(bytes, open_number(cache, "bytes"));
		print_bytes(stored, open_number(cache, "stored_bytes"));
		if (open_number(cache, "max_size"))
			print_bytes(bound, open_number(cache, "max_size"));
		print_table_row(table, (const char *const[]){path ? path : "?", files, bytes, stored, bound,
					       groups, hits, misses, evicted, damaged});
	}
	print_table_end(table);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'}, {"mount", required_argument, NULL, 'm'}, {0}};
	struct options options = {0};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, known, option, &options, 0, 1);
	struct verbs_target target;
	json_t *caches;
	int code = arguments.code;

	if (code >= 0)
		return code;
	code = verbs_find_live(options.mount	 ? options.mount
			       : arguments.count ? arguments.v[0]
						 : NULL,
		NULL, &target);
	if (code)
		return code;
	caches = json_array();
	code = open_call(&target.daemon, "cache-stats", collect, caches);
	if (!code && options.json)
		print_json(caches);
	else if (!code)
		print(caches);
	json_decref(caches);
	return code;
}

const struct tool tool_cache_stats = {
	.name = "cache stats",
	.arguments = "[--json] [MNT]",
	.summary = "Show the compiler caches of a mount, and what they gave",
	.help = "  -j, --json  as JSON\n\n"
		"A cache is a directory with a cache profile or a bound of its own; mithril cache run makes "
		"them.\n"
		"Empty ones are in the JSON only.\n"
		"hits: files opened for reading; misses: names that were looked for and not there; both "
		"since the mount.\n",
	.run = run,
};
