#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/codec/codec.h"
#include "store/encode/encode.h"
#include "store/formats/formats.h"
#include "store/util/io.h"
#include "tools/print.h"
#include "tools/tool.h"

/* A file and what its format says of it. */
struct labelled {
	int fd;
	struct view view;
	struct layout layout;
	struct tensor **by_name; /* sorted */
};

struct tally {
	uint64_t raw, stored, encode_ns, decode_ns;
};

struct bench {
	const char *base_path;
	bool as_json;
	struct labelled file, base;
	struct codec_workspace *ws;
	struct tally by_dtype[DTYPE_COUNT];
	uint8_t raw[ENCODE_CHUNK], before[ENCODE_CHUNK], payload[ENCODE_CHUNK], back[ENCODE_CHUNK];
};

static int read_view(void *ctx, uint64_t off, void *dst, size_t len)
{
	return io_pread_full(*(int *)ctx, dst, len, off);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct tensor *const *)a)->name, (*(struct tensor *const *)b)->name);
}

static int labelled_open(struct labelled *file, const char *path)
{
	struct stat st;
	int rc;

	file->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st))
		return tool_fail_errno(path, -errno);
	if (!S_ISREG(st.st_mode))
		return tool_fail(TOOL_USAGE, path, "name a file", "not a regular file");
	file->view = (struct view){read_view, &file->fd, (uint64_t)st.st_size};
	rc = formats_label(&file->view, &file->layout);
	if (rc)
		return tool_fail_errno(path, rc);
	file->by_name = calloc(file->layout.count + 1, sizeof *file->by_name);
	if (!file->by_name)
		return tool_fail_errno(path, -ENOMEM);
	for (size_t i = 0; i < file->layout.count; i++)
		file->by_name[i] = &file->layout.tensors[i];
	qsort(file->by_name, file->layout.count, sizeof *file->by_name, compare_names);
	return TOOL_OK;
}

static void labelled_close(struct labelled *file)
{
	layout_release(&file->layout);
	free(file->by_name);
	if (file->fd >= 0)
		close(file->fd);
}

/* The tensor of the base file that has this one's name, type and length; NULL: none. */
static const struct tensor *find_base(const struct labelled *base, const struct tensor *tensor)
{
	struct tensor **hit;

	if (!base->by_name || !tensor->name)
		return NULL;
	hit = bsearch(&tensor, base->by_name, base->layout.count, sizeof tensor, compare_names);
	return hit && (*hit)->dtype == tensor->dtype && (*hit)->len == tensor->len ? *hit : NULL;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int measure_chunk(struct bench *b, const struct codec_input *in, int *hint)
{
	struct tally *tally = &b->by_dtype[in->dtype < DTYPE_COUNT ? in->dtype : DTYPE_OPAQUE];
	bool needs_base;
	struct codec_result result;
	uint64_t start = cpu_ns(), middle;
	int rc = codec_encode(b->ws, b->payload, sizeof b->payload, in, CODEC_DEFAULT, *hint, &result);

	if (rc)
		return rc;
	middle = cpu_ns();
	needs_base = codec_needs_base(result.codec);
	rc = codec_decode(b->ws, b->back, in->len, b->payload, result.len, result.codec, CODEC_VERSION,
		in->dtype, needs_base ? in->base : NULL, needs_base ? in->base_len : 0);
	if (rc)
		return rc;
	tally->decode_ns += cpu_ns() - middle;
	tally->encode_ns += middle - start;
	tally->raw += in->len;
	tally->stored += result.len;
	*hint = (int)result.codec;
	return memcmp(b->raw, b->back, in->len) ? -EBADMSG : 0;
}

static int measure_range(struct bench *b, const struct tensor *tensor)
{
	const struct tensor *base = find_base(&b->base, tensor);
	int hint = -1, rc = 0;

	for (uint64_t at = 0; at < tensor->len && !rc; at += ENCODE_CHUNK) {
		struct codec_input in = {.src = b->raw, .dtype = tensor->dtype};

		in.len = tensor->len - at < ENCODE_CHUNK ? (size_t)(tensor->len - at) : ENCODE_CHUNK;
		rc = io_pread_full(b->file.fd, b->raw, in.len, tensor->off + at);
		if (!rc && base) {
			in.base = b->before;
			in.base_len = in.len;
			rc = io_pread_full(b->base.fd, b->before, in.len, base->off + at);
		}
		if (!rc)
			rc = measure_chunk(b, &in, &hint);
	}
	return rc;
}

/* The tensors, and what lies between them. */
static int measure(struct bench *b, struct print_progress *progress)
{
	uint64_t end = 0;
	int rc = 0;

	for (size_t i = 0; i <= b->file.layout.count && !rc; i++) {
		const struct tensor *tensor = i < b->file.layout.count ? &b->file.layout.tensors[i] : NULL;
		struct tensor between = {.off = end, .dtype = DTYPE_OPAQUE};

		between.len = (tensor ? tensor->off : b->file.view.size) - end;
		rc = measure_range(b, &between);
		if (!rc && tensor)
			rc = measure_range(b, tensor);
		if (tensor)
			end = tensor->off + tensor->len;
		print_progress(progress, "%.0f%%", 100.0 * (double)end / (double)b->file.view.size);
	}
	return rc;
}

static double rate(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes / 1048576 / ((double)ns / 1e9) : 0;
}

static json_t *pack_tally(const char *name, const struct tally *t)
{
	return json_pack("{s:s,s:I,s:I,s:f,s:f,s:f}", "dtype", name, "bytes", (json_int_t)t->raw,
		"stored_bytes", (json_int_t)t->stored, "ratio",
		t->stored ? (double)t->raw / (double)t->stored : 0.0, "encode_mib_s",
		rate(t->raw, t->encode_ns), "decode_mib_s", rate(t->raw, t->decode_ns));
}

static void add_row(struct print_table *table, const char *name, const struct tally *t)
{
	char bytes[PRINT_AMOUNT], stored[PRINT_AMOUNT], ratio[32], encode[32], decode[32];
	const char *cells[] = {
		name, print_bytes(bytes, t->raw), print_bytes(stored, t->stored), ratio, encode, decode};

	snprintf(ratio, sizeof ratio, "%.2fx", t->stored ? (double)t->raw / (double)t->stored : 0.0);
	snprintf(encode, sizeof encode, "%.0f MiB/s", rate(t->raw, t->encode_ns));
	snprintf(decode, sizeof decode, "%.0f MiB/s", rate(t->raw, t->decode_ns));
	print_table_row(table, cells);
}

static void print(const struct bench *b)
{
	static const char *const headings[] = {"dtype", "bytes>", "stored>", "ratio>", "encode>", "decode>"};
	struct print_table *table = b->as_json ? NULL : print_table_new(6, headings);
	json_t *rows = json_array();
	struct tally total = {0};

	for (int i = 0; i < DTYPE_COUNT; i++) {
		const struct tally *t = &b->by_dtype[i];

		if (!t->raw)
			continue;
		total.raw += t->raw;
		total.stored += t->stored;
		total.encode_ns += t->encode_ns;
		total.decode_ns += t->decode_ns;
		json_array_append_new(rows, pack_tally(dtype_name((enum dtype)i), t));
		add_row(table, dtype_name((enum dtype)i), t);
	}
	add_row(table, "all", &total);
	print_table_end(table);
	json_array_append_new(rows, pack_tally("all", &total));
	if (b->as_json) {
		json_t *object =
			json_pack("{s:s,s:O}", "format", format_name(b->file.layout.format), "dtypes", rows);

		json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(object);
	}
	json_decref(rows);
}

static bool option(void *ctx, int val, const char *value)
{
	struct bench *b = ctx;

	if (val == 'b')
		b->base_path = value;
	else
		b->as_json = true;
	return true;
}

static int compare(struct bench *b, const char *path)
{
	struct print_progress progress = {0};
	int rc, code;

	b->ws = codec_workspace_new();
	if (!b->ws)
		return tool_fail_errno(path, -ENOMEM);
	code = labelled_open(&b->file, path);
	if (!code && b->base_path)
		code = labelled_open(&b->base, b->base_path);
	if (code)
		return code;
	rc = measure(b, &progress);
	print_progress_end(&progress);
	if (rc)
		return tool_fail_errno(path, rc);
	print(b);
	return TOOL_OK;
}

static int run(const struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {
		{"base", required_argument, NULL, 'b'}, {"json", no_argument, NULL, 'j'}, {0}};
	struct bench *b = calloc(1, sizeof *b);
	struct tool_arguments arguments;
	int code;

	if (!b)
		return tool_fail_errno(tool->name, -ENOMEM);
	b->file.fd = b->base.fd = -1;
	arguments = tool_parse(tool, argc, argv, options, option, b, 1, 1);
	code = arguments.code >= 0 ? arguments.code : compare(b, arguments.v[0]);
	labelled_close(&b->file);
	labelled_close(&b->base);
	codec_workspace_free(b->ws);
	free(b);
	return code;
}

const struct tool tool_bench_codec = {
	.name = "bench codec",
	.arguments = "[--json] [--base FILE] FILE",
	.summary = "Measure ratio and speed on a file of your own",
	.help = "  -b, --base FILE  an earlier checkpoint of the same model, to take differences against\n"
		"  -j, --json       one JSON object instead of the table\n\n"
		"Encodes and decodes FILE chunk by chunk as a store would, on one core, and compares what "
		"comes back.\n"
		"Nothing is written.\n",
	.run = run,
};
