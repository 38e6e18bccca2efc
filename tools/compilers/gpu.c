#include "tools/compilers/gpu.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/compilers/capture.h"

#define KINDS_MAX 16u
#define KIND_LEN 160u

struct kinds {
	size_t count;
	char text[KINDS_MAX][KIND_LEN];
};

static void add(struct kinds *kinds, const char *text)
{
	for (size_t i = 0; i < kinds->count; i++)
		if (!strcmp(kinds->text[i], text))
			return;
	if (kinds->count < KINDS_MAX)
		snprintf(kinds->text[kinds->count++], KIND_LEN, "%s", text);
}

/* The few calls of nvml.h (NVIDIA Management Library API reference) that this takes; 0 is success. */
struct nvml {
	void *library;
	int (*init)(void);
	int (*shutdown)(void);
	int (*count)(unsigned *count);
	int (*handle)(unsigned index, void **device);
	int (*name)(void *device, char *name, unsigned len);
	int (*capability)(void *device, int *major, int *minor);
};

static void *symbol(struct nvml *nvml, const char *name)
{
	return dlsym(nvml->library, name);
}

static bool load(struct nvml *nvml, const char *library)
{
	nvml->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->library)
		return false;
	*(void **)&nvml->init = symbol(nvml, "nvmlInit_v2");
	*(void **)&nvml->shutdown = symbol(nvml, "nvmlShutdown");
	*(void **)&nvml->count = symbol(nvml, "nvmlDeviceGetCount_v2");
	*(void **)&nvml->handle = symbol(nvml, "nvmlDeviceGetHandleByIndex_v2");
	*(void **)&nvml->name = symbol(nvml, "nvmlDeviceGetName");
	*(void **)&nvml->capability = symbol(nvml, "nvmlDeviceGetCudaComputeCapability");
	return nvml->init && nvml->shutdown && nvml->count && nvml->handle && nvml->name && nvml->capability;
}

static void list_nvml(struct nvml *nvml, struct kinds *kinds)
{
	unsigned count = 0;

	if (nvml->count(&count))
		return;
	for (unsigned i = 0; i < count; i++) {
		char name[96] = "", text[KIND_LEN];
		int major = 0, minor = 0;
		void *device;

		if (nvml->handle(i, &device) || nvml->name(device, name, sizeof name) ||
			nvml->capability(device, &major, &minor))
			continue;
		snprintf(text, sizeof text, "%s sm_%d%d", name, major, minor);
		add(kinds, text);
	}
}

static void read_nvml(struct kinds *kinds, const char *library)
{
	struct nvml nvml = {0};

	if (load(&nvml, library) && !nvml.init()) {
		list_nvml(&nvml, kinds);
		nvml.shutdown();
	}
	if (nvml.library)
		dlclose(nvml.library);
}

/* For every file ROOT/DIR/ENTRY/NAME: the rest of its first line that begins with `key`. */
static void read_below(struct kinds *kinds, const char *root, const char *below, const char *name,
	const char *key, const char *prefix)
{
	char dir[256];
	struct dirent *entry;
	DIR *entries;

	snprintf(dir, sizeof dir, "%s%s", root, below);
	entries = opendir(dir);

	while (entries && (entry = readdir(entries))) {
		char path[512], text[8192], kind[KIND_LEN], *at;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%.200s/%s", dir, entry->d_name, name);
		if (capture_file(path, text, sizeof text) < 0)
			continue;
		at = strstr(text, key);
		if (!at)
			continue;
		at += strlen(key);
		at += strspn(at, " \t");
		at[strcspn(at, "\n")] = '\0';
		snprintf(kind, sizeof kind, "%s%s", prefix, at);
		if (strcmp(at, "0") != 0) /* a node of kfd that is a CPU */
			add(kinds, kind);
	}
	if (entries)
		closedir(entries);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_there(const char *root, const char *below)
{
	char path[256];

	snprintf(path, sizeof path, "%s%s", root, below);
	return !access(path, F_OK);
}

void gpu_read_at(const char *root, const char *library, struct fingerprint *out)
{
	struct kinds kinds = {0};

	/* Loading the library takes long where there is no driver behind it. */
	if (is_there(root, "/proc/driver/nvidia/version") || is_there(root, "/dev/nvidiactl"))
		read_nvml(&kinds, library);
	if (!kinds.count)
		read_below(&kinds, root, "/proc/driver/nvidia/gpus", "information", "Model:", "");
	read_below(&kinds, root, "/sys/class/kfd/kfd/topology/nodes", "properties", "gfx_target_version",
		"gfx ");
	qsort(kinds.text, kinds.count, KIND_LEN, by_text);
	for (size_t i = 0; i < kinds.count; i++)
		fingerprint_add(out, "gpu", kinds.text[i]);
}

void gpu_read_driver(const char *root, struct fingerprint *out)
{
	char path[256], text[256];

	snprintf(path, sizeof path, "%s/sys/module/nvidia/version", root);
	if (capture_file(path, text, sizeof text) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	fingerprint_add(out, "driver", text);
}
