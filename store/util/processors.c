#include "store/util/processors.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define GROUPS "/sys/fs/cgroup"

unsigned processors_of_quota(const char *text)
{
	uint64_t quota, period, count;

	if (sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || !quota || !period)
		return 0;
	count = quota / period + (quota % period != 0);
	return count > UINT_MAX ? 0 : (unsigned)count;
}

/* The line of version 2 is "0::/PATH". Sets the path, without a slash at its end. */
static void own_group(char *path, int size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];

	path[0] = 0;
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4))
			snprintf(path, (size_t)size, "%s", line[4] ? line + 3 : "");
	}
	if (file)
		fclose(file);
}

static unsigned quota_of(const char *group)
{
	char path[4096 + sizeof GROUPS + 16], text[64];
	FILE *file;
	unsigned count = 0;

	snprintf(path, sizeof path, "%s%s/cpu.max", GROUPS, group);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof text, file))
		count = processors_of_quota(text);
	if (file)
		fclose(file);
	return count;
}

unsigned processors_count(void)
{
	cpu_set_t set;
	int allowed = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	unsigned count = allowed > 1 ? (unsigned)allowed : 1;
	char group[4096];

	own_group(group, sizeof group);
	for (;;) {
		unsigned bound = quota_of(group);
		char *last = strrchr(group, '/');

		if (bound && bound < count)
			count = bound;
		if (!last)
			return count;
		*last = 0;
	}
}
