#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/report/report.h"
#include "tools/open.h"
#include "tools/print.h"
#include "tools/tool.h"

static const char *string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void format_shape(char *dst, size_t capacity, const json_t *shape)
{
	size_t at = 0, i;
	json_t *dim;

	dst[0] = 0;
	json_array_foreach(shape, i, dim) if (at < capacity) at += (size_t)snprintf(
		dst + at, capacity - at, "%s%lld", i ? "x" : "", (long long)json_integer_value(dim));
}

/* "diff 30, planes 2": how many chunks each codec has; and what those that are derived come from. */
static void format_codecs(char *dst, size_t capacity, json_t *codecs, const json_t *from)
{
	const char *name;
	json_t *count;
	size_t at = 0;

	dst[0] = 0;
	json_object_foreach(codecs, name, count) if (at < capacity) at += (size_t)snprintf(dst + at,
		capacity - at, "%s%s %lld", at ? ", " : "", name, (long long)json_integer_value(count));
	if (json_is_object(from) && at < capacity) {
		const char *file = string(from, "file");
		snprintf(dst + at, capacity - at, "; from %s in %s", string(from, "tensor"),
			*file ? file : "a deleted file");
	}
}

static void format_ratio(char *dst, size_t capacity, uint64_t bytes, uint64_t stored)
{
	if (stored)
		snprintf(dst, capacity, "%.2fx", (double)bytes / (double)stored);
	else
		snprintf(dst, capacity, "-");
}

static void add_segment(struct print_table *table, const json_t *segment)
{
	char shape[128], codecs[512], bytes[PRINT_AMOUNT], stored[PRINT_AMOUNT], ratio[24], base[24],
		depth[24];
	const char *cells[] = {string(segment, "name"), string(segment, "dtype"), shape, bytes, stored, ratio,
		base, depth, codecs};

	format_shape(shape, sizeof shape, json_object_get(segment, "shape"));
	format_codecs(codecs, sizeof codecs, json_object_get(segment, "codecs"),
		json_object_get(segment, "derived_from"));
	print_bytes(bytes, open_number(segment, "bytes"));
	print_bytes(stored, open_number(segment, "stored_bytes"));
	format_ratio(
		ratio, sizeof ratio, open_number(segment, "bytes"), open_number(segment, "stored_bytes"));
	snprintf(
		base, sizeof base, "%.0f%%", 100 * json_number_value(json_object_get(segment, "base_share")));
	snprintf(depth, sizeof depth, "%llu", (unsigned long long)open_number(segment, "depth_max"));
	print_table_row(table, cells);
}

static void print(const char *file, const json_t *info)
{
	static const char *const headings[] = {"segment", "dtype", "shape", "bytes>", "stored>", "ratio>",
		"base>", "depth>", "codecs (chunks)"};
	char size[PRINT_AMOUNT], stored[PRINT_AMOUNT], added[PRINT_AMOUNT], ratio[24];
	const json_t *segments = json_object_get(info, "segments"), *segment;
	struct print_table *table;
	size_t i;

	format_ratio(ratio, sizeof ratio, open_number(info, "size"), open_number(info, "stored_bytes"));
	printf("%s: %s, %s", file, string(info, "state"), print_bytes(size, open_number(info, "size")));
	if (!strcmp(string(info, "state"), "encoded"))
		printf(", kept as %s in %s (%s), of which %s new when it was saved", string(info, "format"),
			print_bytes(stored, open_number(info, "stored_bytes")), ratio,
			print_bytes(added, open_number(info, "new_bytes")));
	putchar('\n');
	if (!json_array_size(segments))
		return;
	table = print_table_new(sizeof headings / sizeof headings[0], headings);
	json_array_foreach(segments, i, segment) if (table) add_segment(table, segment);
	print_table_end(table);
}

static int ask(const struct open_target *target, uint64_t ino, json_t **info)
{
	struct store_options options = {.read_only = true};
	struct store *store;
	char request[64];
	int code;

	snprintf(request, sizeof request, "info %" PRIu64, ino);
	if (target->live)
		return open_call(target, request, open_keep, info);
	code = open_store(target->store, &options, &store);
	if (code)
		return code;
	code = report_info(store, ino, info);
	store_close(store);
	return code ? tool_fail_errno(target->argument, code) : TOOL_OK;
}

static int fetch(const char *file, json_t **info)
{
	struct open_target target;
	char path[PATH_MAX];
	struct stat st;
	int code;

	if (!realpath(file, path) || stat(path, &st))
		return tool_fail_errno(file, -errno);
	if (!S_ISREG(st.st_mode))
		return tool_fail(TOOL_USAGE, file, "name a file", "not a regular file");
	code = open_mount_to_read(path, &target);
	return code ? code : ask(&target, st.st_ino, info);
}

static int run(const struct tool *tool, int argc, char **argv)
{
	bool as_json = false;
	struct tool_arguments arguments =
		tool_parse(tool, argc, argv, tool_json_option, tool_set_flag, &as_json, 1, 1);
	json_t *info = NULL;
	int code;

	if (arguments.code >= 0)
		return arguments.code;
	code = fetch(arguments.v[0], &info);
	if (!code && as_json)
		print_json(info);
	else if (!code)
		print(arguments.v[0], info);
	json_decref(info);
	return code;
}

const struct tool tool_info = {
	.name = "info",
	.arguments = "[--json] FILE",
	.summary = "Show how one file is stored, tensor by tensor",
	.help = "  -j, --json  one JSON object instead of the table\n\n"
		"FILE lies on a Mithril mount. base: the share of the segment's bytes that is kept as a "
		"difference;\n"
		"depth: frames on the longest way down from a chunk; codecs: mithril-format(5). "
		"What is derived\nis computed from a tensor of another width, which is named.\n",
	.run = run,
};
