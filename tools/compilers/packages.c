#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tools/compilers/capture.h"
#include "tools/compilers/python.h"

#define PACKAGES_MAX 64u
#define PACKAGE_NAME 64u
#define VERSION_LEN 64u
#define RECORD_MAX (32u << 20)

/* Which component a package belongs to; a star ends a prefix. */
static const struct {
	const char *package, *component;
	bool digest;
} wanted[] = {
	{"triton", "triton", true},
	{"pytorch-triton*", "triton", true},
	{"jax", "jax", true},
	{"jaxlib", "jaxlib", true},
	{"jax-cuda*", "jaxlib", true},
	{"jax-rocm*", "jaxlib", true},
	{"numba", "numba", true},
	{"llvmlite", "numba", true},
	{"cupy*", "cupy", true},
	{"vllm", "vllm", true},
	{"flashinfer*", "flashinfer", true},
	{"deep-gemm", "deepgemm", true},
	{"tilelang", "tilelang", true},
	{"apache-tvm-ffi", "tvm-ffi", true},
	{"helion", "helion", true},
	{"nvidia-cuda-*", "cuda", false},
	{"nvidia-cudnn*", "cuda", false},
	{"nvidia-nvjitlink*", "cuda", false},
};

struct package {
	char name[PACKAGE_NAME], version[VERSION_LEN];
	const char *component;
	uint64_t digest; /* 0: none */
};

struct packages {
	size_t count;
	struct package items[PACKAGES_MAX];
	char torch[FINGERPRINT_VALUE], torch_wheel[VERSION_LEN];
};

/* "Some_Package-1.2.dist-info" to its normalised name (PEP 503) and version. */
static bool parse_name(const char *entry, struct package *package)
{
	const char *end = strstr(entry, ".dist-info"), *dash = strchr(entry, '-');
	size_t len = dash ? (size_t)(dash - entry) : 0;

	if (!end || end[strlen(".dist-info")] || !len || len >= PACKAGE_NAME || dash > end ||
		(size_t)(end - dash) > VERSION_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = entry[i];

		package->name[i] = c == '_' || c == '.' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	package->name[len] = '\0';
	snprintf(package->version, VERSION_LEN, "%.*s", (int)(end - dash - 1), dash + 1);
	return true;
}

static int which(const char *name)
{
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		size_t len = strcspn(wanted[i].package, "*");

		if (!strncmp(name, wanted[i].package, len) && (wanted[i].package[len] == '*' || !name[len]))
			return (int)i;
	}
	return -1;
}

uint64_t python_record_digest(const char *text, size_t len)
{
	uint64_t sum = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, step = end ? line + 1 : line;

		if (line && text[line - 1] == '\r')
			line--;
		if (line > 3 && memcmp(text, "../", 3) != 0 && memmem(text, line, ",sha256=", 8) &&
			!memmem(text, line, ".dist-info/", 11))
			sum += XXH3_64bits(text, line);
		text += step;
		len -= step;
	}
	return sum;
}

static uint64_t digest_of(const char *dir, const char *entry)
{
	char path[PATH_MAX], *text = malloc(RECORD_MAX);
	uint64_t digest = 0;
	ssize_t len;

	if (!text)
		return 0;
	if (snprintf(path, sizeof path, "%s/%s/RECORD", dir, entry) < PATH_MAX) {
		len = capture_file(path, text, RECORD_MAX);
		if (len > 0)
			digest = python_record_digest(text, (size_t)len);
	}
	free(text);
	return digest;
}

static bool known(const struct packages *packages, const char *name)
{
	for (size_t i = 0; i < packages->count; i++)
		if (!strcmp(packages->items[i].name, name))
			return true;
	return false;
}

static void take(struct packages *packages, const char *dir, const char *entry)
{
	struct package package = {0};
	int kind;

	if (!parse_name(entry, &package))
		return;
	if (!strcmp(package.name, "torch") && !packages->torch_wheel[0])
		memcpy(packages->torch_wheel, package.version, VERSION_LEN);
	kind = which(package.name);
	if (kind < 0 || packages->count == PACKAGES_MAX || known(packages, package.name))
		return;
	package.component = wanted[kind].component;
	package.digest = wanted[kind].digest ? digest_of(dir, entry) : 0;
	packages->items[packages->count++] = package;
}

/* Of a line NAME = 'VALUE' (or NAME: type = 'VALUE') in torch/version.py. */
static void append_assigned(char *dst, const char *text, const char *name, const char *prefix, int max)
{
	size_t len = strlen(name), used = strlen(dst);
	const char *line = text, *equals;

	while (line && (strncmp(line, name, len) != 0 || !strchr(" :=", line[len]))) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	equals = line ? strchr(line, '=') : NULL;
	if (!equals || equals > line + strcspn(line, "\n"))
		return;
	equals += 1 + strspn(equals + 1, " ");
	if (*equals != '\'' && *equals != '"')
		return;
	equals++;
	len = strcspn(equals, "'\"\n");
	snprintf(dst + used, FINGERPRINT_VALUE - used, "%s%.*s", prefix, len < (size_t)max ? (int)len : max,
		equals);
}

static void read_torch(struct packages *packages, const char *dir)
{
	char path[PATH_MAX], text[4096];

	if (packages->torch[0] || snprintf(path, sizeof path, "%s/torch/version.py", dir) >= PATH_MAX ||
		capture_file(path, text, sizeof text) < 0)
		return;
	append_assigned(packages->torch, text, "__version__", "", 64);
	append_assigned(packages->torch, text, "git_version", " ", 16);
	append_assigned(packages->torch, text, "cuda", " cuda ", 16);
	append_assigned(packages->torch, text, "hip", " hip ", 32);
}

static void read_dir(struct packages *packages, const char *dir)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		take(packages, dir, entry->d_name);
	closedir(entries);
	read_torch(packages, dir);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct package *)a)->name, ((const struct package *)b)->name);
}

static void add_all(struct packages *packages, struct fingerprint *out)
{
	fingerprint_add(out, "torch", packages->torch[0] ? packages->torch : packages->torch_wheel);
	qsort(packages->items, packages->count, sizeof *packages->items, by_name);
	for (size_t i = 0; i < packages->count; i++) {
		const struct package *package = &packages->items[i];
		char value[PACKAGE_NAME + VERSION_LEN + 24];
		int len = snprintf(value, sizeof value, "%s %s", package->name, package->version);

		if (package->digest)
			snprintf(value + len, sizeof value - (size_t)len, " %016llx",
				(unsigned long long)package->digest);
		fingerprint_add(out, package->component, value);
	}
}

void python_read_path(const char *path, struct fingerprint *out)
{
	struct packages *packages = calloc(1, sizeof *packages);

	if (!packages)
		return;
	while (*path) {
		size_t len = strcspn(path, "\n");
		char dir[PATH_MAX];

		if (len && len < PATH_MAX) {
			snprintf(dir, sizeof dir, "%.*s", (int)len, path);
			read_dir(packages, dir);
		}
		path += len;
		path += *path == '\n';
	}
	add_all(packages, out);
	free(packages);
}
