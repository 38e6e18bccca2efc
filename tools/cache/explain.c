#include "tools/compilers/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cache/job.h"
#include "tools/compilers/place.h"
#include "tools/compilers/runs.h"
#include "tools/print.h"

struct explain {
	struct job job;
	bool json, all;
	uint64_t back;
	json_t *misses; /* array, if `json` */
	size_t told;
	const char *client;
};

static bool option(void *ctx, int val, const char *value)
{
	struct explain *explain = ctx;

	if (val == 'j')
		explain->json = true;
	else if (val == 'a')
		explain->all = true;
	else if (val != 'r')
		return job_option(&explain->job, val, value);
	else if (!tool_parse_number(value, 10000, &explain->back) || !explain->back) {
		tool_fail(TOOL_USAGE, value, NULL, "not a number of jobs, from 1");
		return false;
	}
	return true;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static void print_component(void *ctx, const char *name, const char *before, const char *now)
{
	struct explain *explain = ctx;

	explain->told++;
	if (explain->json)
		json_array_append_new(explain->misses,
			json_pack("{ss? ss so so}", "cache", explain->client, "component", name, "before",
				text_or_null(before), "now", text_or_null(now)));
	else if (explain->told == 1 || explain->all)
		printf("  %s: %s\n  %*s  before: %s\n", name, now ? now : "nothing", (int)strlen(name), "",
			before ? before : "nothing");
}

static void print_miss(void *ctx, const struct explain_miss *miss)
{
	struct explain *explain = ctx;

	explain->told++;
	if (explain->json)
		json_array_append_new(explain->misses,
			json_pack("{ss ss ss so ss}", "cache", miss->client, "kind", miss->kind, "group",
				miss->group, "nearest", text_or_null(miss->nearest), "why", miss->why));
	else if (explain->told == 1 || explain->all)
		printf("  %s %s\n    %s\n%s%s%s", miss->kind, miss->group, miss->why,
			miss->nearest ? "    nearest: " : "", miss->nearest ? miss->nearest : "",
			miss->nearest ? "\n" : "");
}

/* A namespace that had nothing before: because of what is its fingerprint another one than the nearest? */
static void explain_new(struct explain *explain, const char *dir)
{
	struct fingerprint own, nearest;
	char id[FINGERPRINT_ID];

	if (place_read_fingerprint(dir, &own) ||
		explain_nearest(explain->job.root, explain->client, &own, id, &nearest)) {
		if (!explain->json)
			printf("  the first job with this cache: there was nothing before\n");
		return;
	}
	if (!explain->json)
		printf("  another fingerprint than %s, which had been filled before:\n", id);
	fingerprint_diff(&nearest, &own, print_component, explain);
}

static void explain_namespace(struct explain *explain, const char *id, int64_t since_ns)
{
	char dir[PATH_MAX];
	size_t before = 0;
	int added;

	if (snprintf(dir, sizeof dir, "%s/%s/%s", explain->job.root, explain->client, id) >= PATH_MAX)
		return;
	/* Counted first: what is told depends on it. */
	added = explain_misses(explain->client, dir, since_ns, &before, NULL, NULL);
	if (added <= 0)
		return;
	explain->told = 0;
	if (!explain->json)
		printf("%s: %d misses\n", explain->client, added);
	if (before)
		explain_misses(explain->client, dir, since_ns, &before, print_miss, explain);
	else
		explain_new(explain, dir);
	if (!explain->json && !explain->all && explain->told > 1)
		printf("  ... and %zu more; --all shows them\n", explain->told - 1);
}

static int explain_run(struct explain *explain)
{
	json_t *run = runs_get(explain->job.root, (unsigned)explain->back), *namespaces, *id;
	int64_t since_ns = json_integer_value(json_object_get(run, "started_ns"));
	const char *client, *command = json_string_value(json_object_get(run, "command"));

	if (!run)
		return tool_fail(TOOL_USAGE, explain->job.root, "run one with mithril cache run -- CMD",
			explain->back > 1 ? "so many jobs are not remembered" : "no job has run yet");
	namespaces = json_object_get(run, "namespaces");
	if (!explain->json)
		printf("%s\n", command ? command : "");
	json_object_foreach(namespaces, client, id)
	{
		if (!client_find(client, strlen(client)) || !json_is_string(id) ||
			strchr(json_string_value(id), '/'))
			continue;
		explain->client = client;
		explain_namespace(explain, json_string_value(id), since_ns);
	}
	if (explain->json)
		print_json(explain->misses);
	json_decref(run);
	return TOOL_OK;
}

/* A namespace's directory, or its ID below any cache of the root. */
static int read_named(const struct explain *explain, const char *name, struct fingerprint *out)
{
	char dir[PATH_MAX];
	int ret = place_read_fingerprint(name, out);

	for (size_t i = 0; ret && i < client_count; i++)
		if (snprintf(dir, sizeof dir, "%s/%s/%s", explain->job.root, clients[i].name, name) <
			PATH_MAX)
			ret = place_read_fingerprint(dir, out);
	return ret ? tool_fail(TOOL_USAGE, name, "mithril cache list shows them", "no such fingerprint") : 0;
}

static int explain_two(struct explain *explain, char **names)
{
	struct fingerprint before, now;
	int code = read_named(explain, names[0], &before);

	if (!code)
		code = read_named(explain, names[1], &now);
	if (code)
		return code;
	explain->all = true;
	if (!fingerprint_diff(&before, &now, print_component, explain) && !explain->json)
		puts("no difference");
	if (explain->json)
		print_json(explain->misses);
	return TOOL_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {{"mount", required_argument, NULL, 'm'},
		{"dir", required_argument, NULL, 'd'}, {"run", required_argument, NULL, 'r'},
		{"all", no_argument, NULL, 'a'}, {"json", no_argument, NULL, 'j'}, {0}};
	struct explain *explain = calloc(1, sizeof *explain);
	struct tool_arguments arguments;
	char why[256];
	int code;

	if (!explain)
		return TOOL_SYSTEM;
	explain->back = 1;
	explain->misses = json_array();
	arguments = tool_parse(tool, argc, argv, options, option, explain, 0, 2);
	code = arguments.code;
	if (code < 0 && arguments.count == 1)
		code = tool_fail(TOOL_USAGE, tool->name, NULL, "two fingerprints, or none for the last job");
	if (code < 0 && job_find_root(&explain->job, why))
		code = tool_fail(TOOL_USAGE, "cache explain", NULL, "%s", why);
	if (code < 0)
		code = arguments.count ? explain_two(explain, arguments.v) : explain_run(explain);
	json_decref(explain->misses);
	free(explain);
	return code;
}

const struct tool tool_cache_explain = {
	.name = "cache explain",
	.arguments = "[OPTIONS] [FINGERPRINT FINGERPRINT]",
	.summary = "Say why the last job had to compile",
	.help = "  --run N      the job before the last: 2, and so on\n"
		"  -a, --all    everything that was missed, not only the first reason\n"
		"  -j, --json   as JSON\n"
		"  --mount MNT, --dir DIR   as for mithril cache run\n\n"
		"With two fingerprints: what differs between them.\n",
	.run = run,
};
