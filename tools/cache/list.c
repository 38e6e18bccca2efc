#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/cache/root.h"
#include "tools/cache/verbs.h"
#include "tools/compilers/clients.h"
#include "tools/compilers/place.h"
#include "tools/compilers/scan.h"
#include "tools/print.h"

struct options {
	bool json;
	const char *mount, *dir;
};

static bool option(void *ctx, int val, const char *value)
{
	struct options *options = ctx;

	if (val == 'j')
		options->json = true;
	else if (val == 'm')
		options->mount = value;
	else
		options->dir = value;
	return true;
}

static json_t *components(const char *dir)
{
	struct fingerprint fingerprint;
	json_t *object = json_object();

	if (!place_read_fingerprint(dir, &fingerprint))
		for (size_t i = 0; i < fingerprint.count; i++)
			json_object_set_new(object, fingerprint.components[i].name,
				json_string(fingerprint.components[i].value));
	return object;
}

/* One namespace: {"cache", "groups", "files", "bytes", "fingerprint": {component: value}}. */
static void add_namespace(json_t *out, const char *root, const struct client *client, const char *id)
{
	char dir[PATH_MAX];
	uint64_t bytes = 0, groups = 0;
	struct scan scan;

	if (snprintf(dir, sizeof dir, "%s/%s/%s", root, client->name, id) >= PATH_MAX ||
		scan_read(client->name, dir, 0, &scan))
		return;
	for (size_t i = 0; i < scan.count; i = scan_group_end(&scan, i))
		groups++;
	for (size_t i = 0; i < scan.count; i++)
		bytes += scan.files[i].bytes;
	if (scan.count)
		json_array_append_new(
			out, json_pack("{ss++ sI sI sI so}", "cache", client->name, "/", id, "groups",
				     (json_int_t)groups, "files", (json_int_t)scan.count, "bytes",
				     (json_int_t)bytes, "fingerprint", components(dir)));
	scan_free(&scan);
}

static json_t *namespaces_of(const char *root)
{
	json_t *out = json_array();

	for (size_t i = 0; i < client_count; i++) {
		char dir[PATH_MAX];
		struct dirent *entry;
		DIR *entries;

		entries = snprintf(dir, sizeof dir, "%s/%s", root, clients[i].name) < PATH_MAX ? opendir(dir)
											       : NULL;
		while (entries && (entry = readdir(entries)))
			if (entry->d_name[0] != '.' && !strstr(entry->d_name, PLACE_SUFFIX))
				add_namespace(out, root, &clients[i], entry->d_name);
		if (entries)
			closedir(entries);
	}
	return out;
}

static void print_namespaces(const json_t *namespaces)
{
	static const char *const headings[] = {"cache", "groups>", "files>", "bytes>", "torch", "gpu"};
	struct print_table *table = print_table_new(6, headings);
	json_t *one;
	size_t i;

	json_array_foreach(namespaces, i, one)
	{
		const json_t *fingerprint = json_object_get(one, "fingerprint");
		const char *torch = json_string_value(json_object_get(fingerprint, "torch"));
		const char *gpu = json_string_value(json_object_get(fingerprint, "gpu"));
		char groups[PRINT_AMOUNT], files[PRINT_AMOUNT], bytes[PRINT_AMOUNT];

		snprintf(groups, sizeof groups, "%llu", (unsigned long long)open_number(one, "groups"));
		snprintf(files, sizeof files, "%llu", (unsigned long long)open_number(one, "files"));
		print_table_row(table, (const char *const[]){json_string_value(json_object_get(one, "cache")),
					       groups, files, print_bytes(bytes, open_number(one, "bytes")),
					       torch ? torch : "", gpu ? gpu : ""});
	}
	print_table_end(table);
}

/* What is listed, or what it is below: ROOT/CLIENT/ID. */
struct listed {
	const char *client; /* "": of none */
	char id[NAME_MAX + 1];
};

/* Triton's directory within a cache of Inductor is called as a cache of its own would be: of several names,
 * the first that has a fingerprint counts. */
static void read_listed(const char *dir, struct listed *out)
{
	struct fingerprint fingerprint;
	char top[PATH_MAX];
	int rc = -ENOENT;

	*out = (struct listed){.client = ""};
	for (const char *slash = dir; slash && rc; slash = strchr(slash + 1, '/')) {
		const struct client *client = client_find(slash + 1, strcspn(slash + 1, "/"));
		const char *id = client ? slash + 1 + strlen(client->name) : "";

		if (*id++ != '/')
			continue;
		out->client = client->name;
		snprintf(out->id, sizeof out->id, "%.*s", (int)strcspn(id, "/"), id);
		snprintf(top, sizeof top, "%.*s%s", (int)(id - dir), dir, out->id);
		rc = place_read_fingerprint(top, &fingerprint);
	}
}

static json_t *key_of(const struct artifact *artifact)
{
	return artifact->key ? json_stringn(artifact->key, artifact->key_len) : json_null();
}

/* {"group", "kind", "key", "fingerprint", "bytes", "changed_ns",
 *  "artifacts": [{"path", "level", "bytes"}, ...]} */
static json_t *group_of(const struct listed *listed, const struct scan *scan, size_t first, size_t end)
{
	const struct scan_file *file = &scan->files[first];
	json_t *artifacts = json_array();
	int64_t changed_ns = 0;
	uint64_t bytes = 0;

	for (size_t i = first; i < end; i++) {
		const struct scan_file *one = &scan->files[i];

		bytes += one->bytes;
		changed_ns = one->changed_ns > changed_ns ? one->changed_ns : changed_ns;
		json_array_append_new(artifacts,
			json_pack("{ss ss sI}", "path", one->path, "level",
				artifact_level_name(one->artifact.level), "bytes", (json_int_t)one->bytes));
	}
	return json_pack("{ss# ss so ss sI sI so}", "group", file->path, (int)file->artifact.group_len,
		"kind", file->artifact.kind, "key", key_of(&file->artifact), "fingerprint", listed->id,
		"bytes", (json_int_t)bytes, "changed_ns", (json_int_t)changed_ns, "artifacts", artifacts);
}

static void print_groups(const json_t *groups)
{
	static const char *const headings[] = {"group", "kind", "files>", "bytes>", "made"};
	struct print_table *table = print_table_new(5, headings);
	json_t *one;
	size_t i;

	json_array_foreach(groups, i, one)
	{
		time_t made = (time_t)(json_integer_value(json_object_get(one, "changed_ns")) / 1000000000);
		char files[PRINT_AMOUNT], bytes[PRINT_AMOUNT], when[32] = "";
		struct tm parts;

		if (localtime_r(&made, &parts))
			strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
		snprintf(files, sizeof files, "%zu", json_array_size(json_object_get(one, "artifacts")));
		print_table_row(table, (const char *const[]){json_string_value(json_object_get(one, "group")),
					       json_string_value(json_object_get(one, "kind")), files,
					       print_bytes(bytes, open_number(one, "bytes")), when});
	}
	print_table_end(table);
}

static int list_groups(const struct options *options, const char *argument)
{
	json_t *groups;
	struct scan scan;
	struct verbs_target target;
	struct listed listed;
	char joined[PATH_MAX];
	int code;

	if (options->dir && snprintf(joined, sizeof joined, "%s/%s", options->dir, argument) < PATH_MAX)
		argument = joined;
	code = verbs_find(options->mount, argument, &target);
	if (code)
		return code;
	read_listed(target.dir, &listed);
	code = scan_read(listed.client, target.dir, 0, &scan);
	if (code)
		return tool_fail_errno(target.dir, code);
	groups = json_array();
	for (size_t i = 0; i < scan.count; i = scan_group_end(&scan, i)) {
		json_t *group = group_of(&listed, &scan, i, scan_group_end(&scan, i));

		if (group) /* a name that is no UTF-8 is left out */
			json_array_append_new(groups, group);
	}
	scan_free(&scan);
	if (options->json)
		print_json(groups);
	else
		print_groups(groups);
	json_decref(groups);
	return TOOL_OK;
}

static int list_namespaces(const struct options *options)
{
	char root[PATH_MAX], why[256] = "";
	json_t *namespaces;
	int ret = options->dir ? root_absolute(options->dir, root) : root_find(options->mount, root, why);

	if (ret)
		return tool_fail(TOOL_USAGE, "cache list", NULL, "%s", *why ? why : strerror(-ret));
	namespaces = namespaces_of(root);
	if (options->json)
		print_json(namespaces);
	else
		print_namespaces(namespaces);
	json_decref(namespaces);
	return TOOL_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option known[] = {{"json", no_argument, NULL, 'j'},
		{"mount", required_argument, NULL, 'm'}, {"dir", required_argument, NULL, 'd'}, {0}};
	struct options options = {0};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, known, option, &options, 0, 1);

	if (arguments.code >= 0)
		return arguments.code;
	return arguments.count ? list_groups(&options, arguments.v[0]) : list_namespaces(&options);
}

const struct tool tool_cache_list = {
	.name = "cache list",
	.arguments = "[--json] [--mount MNT | --dir DIR] [CACHE]",
	.summary = "List the caches, or what one of them holds",
	.help = "  -j, --json  as JSON: fingerprints with all components; artifacts with level and key, and\n"
		"              the fingerprint that they are valid for\n"
		"  --mount MNT, --dir DIR   as for mithril cache run\n\n"
		"CACHE is a directory, or NAME/FINGERPRINT as the list of caches shows it.\n",
	.run = run,
};
