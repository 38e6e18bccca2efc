#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/codec_plot.h"
#include "tools/codec_run.h"
#include "tools/print.h"
#include "tools/tool.h"

struct bench {
	struct codec_run_options options;
	struct print_progress progress;
	const char *plot_path;
	bool as_json;
};

static double per_second(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes / 1048576 / ((double)ns / 1e9) : 0;
}

static double ratio_of(const struct codec_tally *t)
{
	return t->stored ? (double)t->raw / (double)t->stored : 0;
}

static json_t *pack_tally(const char *kind, const char *name, const struct codec_tally *t)
{
	return json_pack("{s:s,s:I,s:I,s:f,s:f,s:f}", kind, name, "bytes", (json_int_t)t->raw, "stored_bytes",
		(json_int_t)t->stored, "ratio", ratio_of(t), "encode_mib_s", per_second(t->raw, t->encode_ns),
		"decode_mib_s", per_second(t->raw, t->decode_ns));
}

static json_t *pack_tensor(const struct codec_tensor *t)
{
	json_t *codecs = json_object();

	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++)
		if (t->by_codec[c].raw)
			json_object_set_new(codecs, codec_name((enum codec)c),
				json_pack("{s:I,s:I}", "bytes", (json_int_t)t->by_codec[c].raw,
					"stored_bytes", (json_int_t)t->by_codec[c].stored));
	return json_pack("{s:s?,s:s,s:I,s:I,s:o}", "name", t->name, "dtype", dtype_name(t->dtype), "bytes",
		(json_int_t)t->raw, "stored_bytes", (json_int_t)t->stored, "codecs", codecs);
}

static void print_object(const struct bench *b, const struct codec_run *run)
{
	json_t *dtypes = json_array(), *codecs = json_array(), *tensors = json_array(), *object;

	for (int i = 0; i < DTYPE_COUNT; i++)
		if (run->by_dtype[i].raw)
			json_array_append_new(
				dtypes, pack_tally("dtype", dtype_name((enum dtype)i), &run->by_dtype[i]));
	json_array_append_new(dtypes, pack_tally("dtype", "all", &run->all));
	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++)
		if (run->by_codec[c].raw)
			json_array_append_new(
				codecs, pack_tally("codec", codec_name((enum codec)c), &run->by_codec[c]));
	for (size_t i = 0; i < run->count; i++)
		json_array_append_new(tensors, pack_tensor(&run->tensors[i]));
	object = json_pack("{s:s,s:I,s:f,s:o,s:o,s:o}", "format", format_name(run->format), "threads",
		(json_int_t)b->options.threads, "wall_mib_s", per_second(run->all.raw, run->wall_ns),
		"dtypes", dtypes, "codecs", codecs, "tensors", tensors);
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(object);
}

static void add_row(struct print_table *table, const char *name, const struct codec_tally *t, uint64_t all)
{
	char bytes[PRINT_AMOUNT], stored[PRINT_AMOUNT], ratio[32], share[32], encode[32], decode[32];
	const char *cells[] = {name, print_bytes(bytes, t->raw), print_bytes(stored, t->stored), ratio, share,
		encode, decode};

	snprintf(ratio, sizeof ratio, "%.3fx", ratio_of(t));
	snprintf(share, sizeof share, "%.1f%%", all ? 100 * (double)t->stored / (double)all : 0.0);
	snprintf(encode, sizeof encode, "%.0f MiB/s", per_second(t->raw, t->encode_ns));
	snprintf(decode, sizeof decode, "%.0f MiB/s", per_second(t->raw, t->decode_ns));
	print_table_row(table, cells);
}

static struct print_table *begin_table(const char *kind)
{
	const char *const headings[] = {
		kind, "bytes>", "stored>", "ratio>", "of stored>", "encode>", "decode>"};

	return print_table_new(sizeof headings / sizeof headings[0], headings);
}

static void print_tables(const struct bench *b, const struct codec_run *run)
{
	struct print_table *table = begin_table("dtype");

	for (int i = 0; i < DTYPE_COUNT; i++)
		if (run->by_dtype[i].raw)
			add_row(table, dtype_name((enum dtype)i), &run->by_dtype[i], run->all.stored);
	add_row(table, "all", &run->all, run->all.stored);
	print_table_end(table);
	putchar('\n');
	table = begin_table("method");
	for (unsigned c = 0; c < CODEC_RUN_CODECS; c++)
		if (run->by_codec[c].raw)
			add_row(table, codec_name((enum codec)c), &run->by_codec[c], run->all.stored);
	print_table_end(table);
	printf("\nspeeds are of one core; every byte came back");
	if (b->options.threads > 1)
		printf("; %u threads encoded and decoded %.0f MiB/s", b->options.threads,
			per_second(run->all.raw, run->wall_ns));
	putchar('\n');
}

static int plot(const struct bench *b, const struct codec_run *run)
{
	FILE *out = fopen(b->plot_path, "we");
	char title[2048];
	int rc;

	if (!out)
		return tool_fail_errno(b->plot_path, -errno);
	snprintf(title, sizeof title, "%s%s%s", b->options.path, b->options.base_path ? " after " : "",
		b->options.base_path ? b->options.base_path : "");
	rc = codec_plot(out, run, title);
	if (fflush(out) || ferror(out))
		rc = rc ? rc : -errno;
	fclose(out);
	if (!rc)
		return TOOL_OK;
	unlink(b->plot_path);
	return tool_fail_errno(b->plot_path, rc);
}

static bool number(const char *name, const char *value, unsigned max, unsigned *out)
{
	uint64_t n;

	if (!tool_parse_number(value, max, &n) || !n) {
		tool_fail(TOOL_USAGE, name, NULL, "'%s' is not right: a number from 1 to %u", value, max);
		return false;
	}
	*out = (unsigned)n;
	return true;
}

static bool level(const char *value, enum codec_level *out)
{
	if (!codec_level_named(value, out))
		return true;
	tool_fail(TOOL_USAGE, "--level", NULL, "'%s' is not right: fast, default or small", value);
	return false;
}

static bool option(void *ctx, int val, const char *value)
{
	struct bench *b = ctx;

	switch (val) {
	case 'b':
		b->options.base_path = value;
		return true;
	case 'l':
		return level(value, &b->options.level);
	case 'p':
		b->plot_path = value;
		return true;
	case 't':
		return number("--threads", value, CODEC_RUN_THREADS_MAX, &b->options.threads);
	default:
		b->as_json = true;
		return true;
	}
}

static int show_progress(void *ctx, uint64_t done, uint64_t of)
{
	struct bench *b = ctx;

	print_progress(&b->progress, "%.0f%%", of ? 100.0 * (double)done / (double)of : 100.0);
	return tool_interrupted();
}

static int measure(struct bench *b)
{
	struct codec_run run;
	const char *failed;
	int rc, code;

	b->options.progress = show_progress;
	b->options.ctx = b;
	tool_catch_interrupt();
	rc = codec_run(&b->options, &run, &failed);
	print_progress_end(&b->progress);
	if (rc == -EINVAL)
		code = tool_fail(TOOL_USAGE, failed, "name a file", "not a regular file");
	else if (rc == -EINTR)
		code = TOOL_SYSTEM;
	else if (rc)
		code = tool_fail_errno(failed, rc);
	else
		code = b->plot_path ? plot(b, &run) : TOOL_OK;
	if (code == TOOL_OK && b->as_json)
		print_object(b, &run);
	else if (code == TOOL_OK)
		print_tables(b, &run);
	codec_run_release(&run);
	if (rc == -EINTR)
		tool_end_interrupted();
	return code;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {{"base", required_argument, NULL, 'b'},
		{"json", no_argument, NULL, 'j'}, {"level", required_argument, NULL, 'l'},
		{"plot", required_argument, NULL, 'p'}, {"threads", required_argument, NULL, 't'}, {0}};
	struct bench b = {.options = {.level = CODEC_DEFAULT, .threads = 1}};
	struct tool_arguments arguments = tool_parse(tool, argc, argv, options, option, &b, 1, 1);

	if (arguments.code >= 0)
		return arguments.code;
	b.options.path = arguments.v[0];
	return measure(&b);
}

const struct tool tool_bench_codec = {
	.name = "bench codec",
	.arguments = "[--json] [--base FILE] [--level LEVEL] [--threads N] [--plot OUT.svg] FILE",
	.summary = "Measure ratio and speed on a file of your own",
	.help = "  -b, --base FILE     an earlier checkpoint of the same model, to take differences against\n"
		"  -l, --level LEVEL   fast, default or small\n"
		"  -t, --threads N     N threads; 1 if not given\n"
		"  -p, --plot OUT.svg  also draw what each tensor takes, by method\n"
		"  -j, --json          one JSON object instead of the tables\n\n"
		"Encodes and decodes FILE chunk by chunk as a store would and compares what comes back.\n"
		"Nothing else is written.\n",
	.run = run,
};
