#include "tools/compilers/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "tools/compilers/capture.h"
#include "tools/compilers/gpu.h"

/* Of the flags of x86, those that compilers emit code for; a star ends a prefix. Others come and go with
 * kernels and hypervisors. */
static const char *const x86_extensions[] = {"3dnow*", "abm", "adx", "aes", "amx*", "avx*", "bmi*", "clwb",
	"f16c", "fma*", "fsgsbase", "gfni", "lzcnt", "mmx*", "movbe", "movdir*", "pclmulqdq", "pni", "popcnt",
	"prfchw", "rdpid", "rdrand", "rdseed", "serialize", "sha_ni", "sha512", "sm3", "sm4", "sse*", "ssse3",
	"tbm", "vaes", "vpclmulqdq", "xop", "xsave*"};

static bool is_extension(const char *flag)
{
	for (size_t i = 0; i < sizeof x86_extensions / sizeof *x86_extensions; i++) {
		size_t len = strcspn(x86_extensions[i], "*");

		if (!strncmp(flag, x86_extensions[i], len) && (x86_extensions[i][len] == '*' || !flag[len]))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The text behind "NAME\t: " of the first line that begins with NAME; malloc'd, or NULL. */
static char *field(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text && (strncmp(text, name, len) != 0 || (text[len] != '\t' && text[len] != ' '))) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	text = text ? strchr(text, ':') : NULL;
	return text ? strndup(text + 1, strcspn(text + 1, "\n")) : NULL;
}

void machine_parse_cpu(const char *text, char *dst, size_t capacity)
{
	char *flags = field(text, "flags"), *features = flags ? NULL : field(text, "Features");
	char *list = flags ? flags : features, *rest = NULL, *words[1024];
	size_t count = 0, len = 0;

	*dst = '\0';
	for (char *word = list ? strtok_r(list, " ", &rest) : NULL; word && count < 1024;
		word = strtok_r(NULL, " ", &rest))
		if (features || is_extension(word))
			words[count++] = word;
	qsort(words, count, sizeof *words, by_name);
	for (size_t i = 0; i < count && len < capacity; i++)
		len += (size_t)snprintf(dst + len, capacity - len, "%s%s", i ? " " : "", words[i]);
	free(flags);
	free(features);
}

static void add_cpu(struct fingerprint *out)
{
	char text[65536], extensions[8192];

	if (capture_file("/proc/cpuinfo", text, sizeof text) < 0)
		return;
	machine_parse_cpu(text, extensions, sizeof extensions);
	fingerprint_add(out, "cpu", extensions);
}

static void add_cuda(struct fingerprint *out)
{
	const char *home = getenv("CUDA_HOME");
	char path[4096], text[65536], *version;

	home = home ? home : getenv("CUDA_PATH");
	snprintf(path, sizeof path, "%s/version.json", home ? home : "/usr/local/cuda");
	if (capture_file(path, text, sizeof text) < 0)
		return;
	/* "cuda" : { "name" : ..., "version" : "12.8.1" } comes first. */
	version = strstr(text, "\"version\"");
	version = version ? strchr(version + strlen("\"version\""), '"') : NULL;
	if (!version)
		return;
	version[1 + strcspn(version + 1, "\"")] = '\0';
	fingerprint_add(out, "cuda", version + 1);
}

static void add_ptxas(struct fingerprint *out)
{
	const char *path = getenv("TRITON_PTXAS_PATH");
	char digest[FINGERPRINT_ID];

	if (path && !capture_digest(path, digest))
		fingerprint_add(out, "ptxas", digest);
}

static void add_compiler(struct fingerprint *out)
{
	const char *cxx = getenv("CXX");
	char *words = strdup(cxx && *cxx ? cxx : "g++"), *rest = NULL, *argv[32], line[256];
	size_t count = 0;

	for (char *word = strtok_r(words, " ", &rest); word && count < 30; word = strtok_r(NULL, " ", &rest))
		argv[count++] = word;
	if (count) {
		argv[count++] = "--version";
		argv[count] = NULL;
		if (capture_command(argv, line, sizeof line) >= 0) {
			line[strcspn(line, "\n")] = '\0';
			fingerprint_add(out, "cxx", line);
		}
	}
	free(words);
}

void machine_read(struct fingerprint *out)
{
	struct utsname name;

	if (!uname(&name))
		fingerprint_add(out, "arch", name.machine);
	add_cpu(out);
	fingerprint_add(out, "glibc", gnu_get_libc_version());
	gpu_read_at("", GPU_LIBRARY, out);
	gpu_read_driver("", out);
	add_cuda(out);
	add_ptxas(out);
	add_compiler(out);
}
