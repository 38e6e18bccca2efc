#include "tools/compilers/explain.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/compilers/compare.h"
#include "tools/compilers/place.h"
#include "tools/compilers/scan.h"

/* In the order in which one miss leads to the next. */
static const char *const kinds[] = {
	"aot-graph", "fx-graph", "triton", "kernel", "executable", "extension", "function", "entry"};
#define KINDS (sizeof kinds / sizeof *kinds)
/* How many groups that were there before are looked at, the latest first, and for how many misses. */
#define NEAREST_MAX 64u
#define MISSES_MAX 64u

struct group {
	size_t first, end;
	int64_t changed_ns; /* of its latest file */
};

struct groups {
	const struct scan *scan;
	const char *dir;
	size_t count;
	struct group *items;
};

static const char *kind_of(const struct groups *groups, size_t i)
{
	return groups->scan->files[groups->items[i].first].artifact.kind;
}

static int latest_first(const void *a, const void *b)
{
	const struct group *left = a, *right = b;

	return (left->changed_ns < right->changed_ns) - (left->changed_ns > right->changed_ns);
}

static int collect(const struct scan *scan, const char *dir, struct groups *out)
{
	*out = (struct groups){.scan = scan, .dir = dir};
	out->items = calloc(scan->count + 1, sizeof *out->items);
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < scan->count;) {
		struct group *group = &out->items[out->count++];

		*group = (struct group){i, scan_group_end(scan, i), 0};
		for (; i < group->end; i++)
			if (scan->files[i].changed_ns > group->changed_ns)
				group->changed_ns = scan->files[i].changed_ns;
	}
	qsort(out->items, out->count, sizeof *out->items, latest_first);
	return 0;
}

static struct compare_group group_at(const struct groups *groups, size_t i)
{
	const struct group *group = &groups->items[i];

	return (struct compare_group){
		groups->dir, groups->scan->files + group->first, group->end - group->first};
}

static void name_group(const struct groups *groups, size_t i, char text[EXPLAIN_TEXT])
{
	const struct scan_file *file = &groups->scan->files[groups->items[i].first];

	snprintf(text, EXPLAIN_TEXT, "%.*s", (int)file->artifact.group_len, file->path);
}

/* Of the groups [from, count) of this kind, the nearest to group `i`. */
static void explain_one(
	const char *client, const struct groups *groups, size_t i, size_t from, explain_each *each, void *ctx)
{
	char group[EXPLAIN_TEXT], nearest[EXPLAIN_TEXT], why[EXPLAIN_TEXT], best[EXPLAIN_TEXT] = "";
	struct explain_miss miss = {client, kind_of(groups, i), group, NULL, best};
	unsigned least = UINT_MAX, looked = 0;

	for (size_t k = from; k < groups->count && looked < NEAREST_MAX && least; k++) {
		struct compare_group missed = group_at(groups, i), other = group_at(groups, k);
		unsigned distance;

		if (strcmp(kind_of(groups, k), miss.kind))
			continue;
		looked++;
		distance = compare_groups(&missed, &other, why);
		if (distance >= least)
			continue;
		least = distance;
		memcpy(best, why, sizeof best);
		name_group(groups, k, nearest);
		miss.nearest = nearest;
	}
	if (!miss.nearest)
		snprintf(best, sizeof best, "%s",
			looked ? "nothing like it was there" : "none of its kind was there");
	name_group(groups, i, group);
	each(ctx, &miss);
}

int explain_misses(
	const char *client, const char *dir, int64_t since_ns, size_t *before, explain_each *each, void *ctx)
{
	struct groups groups = {0};
	size_t added = 0, told = 0;
	struct scan scan;
	int ret = scan_read(client, dir, 0, &scan);

	if (ret)
		return ret;
	ret = collect(&scan, dir, &groups);
	while (!ret && added < groups.count && groups.items[added].changed_ns >= since_ns)
		added++;
	for (size_t kind = 0; !ret && each && kind < KINDS; kind++)
		for (size_t i = 0; i < added && told < MISSES_MAX; i++)
			if (!strcmp(kind_of(&groups, i), kinds[kind])) {
				explain_one(client, &groups, i, added, each, ctx);
				told++;
			}
	*before = groups.count - added;
	free(groups.items);
	scan_free(&scan);
	return ret ? ret : (int)(added < INT_MAX ? added : INT_MAX);
}

int explain_nearest(const char *root, const char *client, const struct fingerprint *own,
	char id[FINGERPRINT_ID], struct fingerprint *nearest)
{
	char dir[PATH_MAX], path[PATH_MAX + 300], own_id[FINGERPRINT_ID];
	size_t least = SIZE_MAX;
	time_t latest = 0;
	struct dirent *entry;
	DIR *entries;

	fingerprint_id(own, own_id);
	snprintf(dir, sizeof dir, "%s/%s", root, client);
	entries = opendir(dir);
	while (entries && (entry = readdir(entries))) {
		struct fingerprint other;
		struct stat st;
		size_t differ;

		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		if (strlen(entry->d_name) != FINGERPRINT_ID - 1 || !strcmp(entry->d_name, own_id) ||
			place_read_fingerprint(path, &other) || stat(path, &st))
			continue;
		differ = fingerprint_diff(&other, own, NULL, NULL);
		if (differ > least || (differ == least && st.st_mtime <= latest))
			continue;
		least = differ;
		latest = st.st_mtime;
		memcpy(id, entry->d_name, FINGERPRINT_ID);
		*nearest = other;
	}
	if (entries)
		closedir(entries);
	return least == SIZE_MAX ? -ENOENT : 0;
}
