// links: m_codec m_formats
/* Ratio and one-thread speed of the chunk codec on a file, per dtype. usage: bench_codec [--dtype NAME]
 * [--level fast|default|small] [--chunk BYTES] FILE [BASE] Tensors of FILE are found by their format, or all
 * of it is taken as of the given dtype; BASE gives each tensor the one at the same name (or the bytes at the
 * same offset, with --dtype) as base. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/codec/codec.h"
#include "store/formats/formats.h"

struct file {
	const uint8_t *bytes;
	size_t len;
	struct layout layout;
};

struct tally {
	uint64_t raw, stored, chunks, by_codec[CODEC_COUNT];
	double encode, decode, copy, estimate;
};

struct options {
	int dtype;
	enum codec_level level;
	size_t chunk;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_file(struct file *file, const char *path, const struct options *options)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) || !st.st_size)
		die(path);
	file->len = (size_t)st.st_size;
	file->bytes = mmap(NULL, file->len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (file->bytes == MAP_FAILED)
		die(path);
	close(fd);
	if (options->dtype >= 0) {
		file->layout.tensors = calloc(1, sizeof *file->layout.tensors);
		if (!file->layout.tensors)
			die("memory");
		file->layout.count = 1;
		file->layout.tensors[0] =
			(struct tensor){.len = file->len, .dtype = (enum dtype)options->dtype, .name = "all"};
		return;
	}
	struct view_buffer buffer = {file->bytes, file->len};
	struct view view = view_of_buffer(&buffer);
	if (formats_label(&view, &file->layout) || !file->layout.count) {
		fprintf(stderr, "%s: no tensors; use --dtype\n", path);
		exit(1);
	}
}

static const struct tensor *find_twin(const struct file *base, const struct tensor *tensor, size_t near)
{
	for (size_t i = 0; i < base->layout.count; i++) {
		const struct tensor *t = &base->layout.tensors[(near + i) % base->layout.count];
		if (t->dtype == tensor->dtype && t->len == tensor->len && !strcmp(t->name, tensor->name))
			return t;
	}
	return NULL;
}

static void run_chunk(struct codec_workspace *ws, struct tally *tally, const struct codec_input *in,
	const struct options *options, int *hint)
{
	static uint8_t payload[CODEC_CHUNK_MAX], back[CODEC_CHUNK_MAX];
	const struct codec_bases bases = {.count = 1, .at = {{in->base, in->base_len}}};
	struct codec_result result;
	double t0 = now();
	codec_estimate(ws, in);
	double t1 = now();
	if (codec_encode(ws, payload, sizeof payload, in, options->level, *hint, &result))
		die("encode");
	double t2 = now();
	if (codec_decode(
		    ws, back, in->len, payload, result.len, result.codec, CODEC_VERSION, in->dtype, &bases))
		die("decode");
	double t3 = now();
	if (memcmp(back, in->src, in->len)) {
		fprintf(stderr, "round trip differs\n");
		exit(1);
	}
	double t4 = now();
	memcpy(back, in->src, in->len);
	double t5 = now();
	*hint = result.codec;
	tally->raw += in->len;
	tally->stored += result.len;
	tally->chunks++;
	tally->by_codec[result.codec] += in->len;
	tally->estimate += t1 - t0;
	tally->encode += t2 - t1;
	tally->decode += t3 - t2;
	tally->copy += t5 - t4;
}

static double rate(uint64_t bytes, double seconds)
{
	return seconds > 0 ? (double)bytes / seconds / (1 << 20) : 0;
}

static void print(const char *name, const struct tally *t)
{
	if (!t->raw)
		return;
	printf("%-12s %9.1f MiB  ratio %8.4f  encode %6.0f  decode %6.0f  estimate %7.0f  memcpy %6.0f "
	       "MiB/s ",
		name, (double)t->raw / (1 << 20), (double)t->raw / (double)t->stored, rate(t->raw, t->encode),
		rate(t->raw, t->decode), rate(t->raw, t->estimate), rate(t->raw, t->copy));
	for (int c = 0; c < CODEC_COUNT; c++) {
		if (t->by_codec[c])
			printf(" %s %.1f%%", codec_name((enum codec)c),
				100.0 * (double)t->by_codec[c] / (double)t->raw);
	}
	printf("\n");
}

static void add(struct tally *to, const struct tally *t)
{
	to->raw += t->raw;
	to->stored += t->stored;
	to->chunks += t->chunks;
	to->encode += t->encode;
	to->decode += t->decode;
	to->estimate += t->estimate;
	to->copy += t->copy;
	for (int c = 0; c < CODEC_COUNT; c++)
		to->by_codec[c] += t->by_codec[c];
}

/* The Adam moments are fp32 as the weights are, but behave in another way. */
static const char *kind_of(const struct tensor *tensor)
{
	if (strstr(tensor->name, "exp_avg_sq"))
		return "exp_avg_sq";
	return strstr(tensor->name, "exp_avg") ? "exp_avg" : dtype_name(tensor->dtype);
}

static void run_file(const struct file *file, const struct file *base, const struct options *options)
{
	struct {
		const char *name;
		struct tally tally;
	} kinds[DTYPE_COUNT + 2] = {{0}};
	size_t count = 0;
	struct tally total = {0};
	struct codec_workspace *ws = codec_workspace_new();

	if (!ws)
		die("memory");
	for (size_t i = 0; i < file->layout.count; i++) {
		const struct tensor *tensor = &file->layout.tensors[i];
		const struct tensor *twin = base ? find_twin(base, tensor, i) : NULL;
		const char *name = kind_of(tensor);
		size_t k = 0;
		int hint = -1;
		while (k < count && strcmp(kinds[k].name, name) != 0)
			k++;
		if (k == count)
			kinds[count++].name = name;
		for (uint64_t off = 0; off < tensor->len; off += options->chunk) {
			size_t len = tensor->len - off < options->chunk ? (size_t)(tensor->len - off)
									: options->chunk;
			struct codec_input in = {
				.src = file->bytes + tensor->off + off, .len = len, .dtype = tensor->dtype};
			if (twin) {
				in.base = base->bytes + twin->off + off;
				in.base_len = len;
			}
			run_chunk(ws, &kinds[k].tally, &in, options, &hint);
		}
	}
	for (size_t k = 0; k < count; k++) {
		print(kinds[k].name, &kinds[k].tally);
		add(&total, &kinds[k].tally);
	}
	print("total", &total);
	codec_workspace_free(ws);
}

static int parse_dtype(const char *name)
{
	for (int t = 0; t < DTYPE_COUNT; t++) {
		if (!strcmp(name, dtype_name((enum dtype)t)))
			return t;
	}
	fprintf(stderr, "%s: no dtype\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct options options = {.dtype = -1, .level = CODEC_DEFAULT, .chunk = 256u << 10};
	struct file file = {0}, base = {0};
	int i = 1;

	for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--dtype"))
			options.dtype = parse_dtype(argv[i + 1]);
		else if (!strcmp(argv[i], "--level"))
			options.level = argv[i + 1][0] == 'f'	? CODEC_FAST
					: argv[i + 1][0] == 's' ? CODEC_SMALL
								: CODEC_DEFAULT;
		else if (!strcmp(argv[i], "--chunk"))
			options.chunk = strtoul(argv[i + 1], NULL, 0);
	}
	if (i >= argc || !options.chunk || options.chunk > CODEC_CHUNK_MAX) {
		fprintf(stderr, "usage: bench_codec [--dtype NAME] [--level fast|default|small] [--chunk "
				"BYTES] FILE [BASE]\n");
		return 2;
	}
	open_file(&file, argv[i], &options);
	if (i + 1 < argc)
		open_file(&base, argv[i + 1], &options);
	run_file(&file, i + 1 < argc ? &base : NULL, &options);
	return 0;
}
