#include "tools/cache/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fs/control.h"
#include "tools/cache/verbs.h"
#include "tools/compilers/capture.h"
#include "tools/compilers/pickle.h"
#include "tools/compilers/place.h"
#include "tools/compilers/scan.h"
#include "tools/print.h"

#define PATIENCE_MS 5000
#define ENTRY_MAX (64u << 20)

struct summary {
	struct job job;
	int64_t started_ns;
};

struct count {
	bool known; /* what was used */
	uint64_t hits, misses, bytes_added, bytes_used, graph_ns, joint_ns;
};

struct summary *summary_begin(const struct job *job, int64_t started_ns)
{
	struct summary *summary = malloc(sizeof *summary);

	if (summary)
		*summary = (struct summary){*job, started_ns};
	return summary;
}

/* Which files of a scan belong to groups that the daemon says were used since. */
struct marks {
	const struct scan *scan;
	const char *below; /* the namespace, from the root of its mount */
	int64_t since;	   /* seconds */
	bool *used;
};

static size_t lower_bound(const struct scan *scan, const char *path)
{
	size_t low = 0, high = scan->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(scan->files[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void mark(void *ctx, json_t *group)
{
	struct marks *marks = ctx;
	const char *path = json_string_value(json_object_get(group, "path"));
	size_t prefix = strlen(marks->below), len;

	if (!path || json_integer_value(json_object_get(group, "last_use")) < marks->since)
		return;
	if (strncmp(path, marks->below, prefix) != 0 || path[prefix] != '/')
		return;
	path += prefix + 1;
	len = strlen(path);
	for (size_t i = lower_bound(marks->scan, path); i < marks->scan->count; i++) {
		const char *file = marks->scan->files[i].path;

		if (strncmp(file, path, len) != 0)
			break;
		if (!file[len] || file[len] == '/' || file[len] == '.')
			marks->used[i] = true;
	}
}

/* What torch noted when it compiled a graph. */
static uint64_t time_of(const char *dir, const struct scan_file *file)
{
	char path[PATH_MAX], *bytes;
	uint64_t taken = 0;
	ssize_t len;

	if (file->artifact.level != ARTIFACT_GRAPH || file->bytes > ENTRY_MAX ||
		snprintf(path, sizeof path, "%s/%s", dir, file->path) >= PATH_MAX)
		return 0;
	bytes = malloc(file->bytes + 2);
	len = bytes ? capture_file(path, bytes, file->bytes + 2) : -1;
	if (len > 0)
		taken = pickle_time_taken_ns((const uint8_t *)bytes, (size_t)len);
	free(bytes);
	return taken;
}

static void count_group(const struct summary *summary, const char *dir, const struct scan *scan, size_t first,
	size_t end, const bool *used, struct count *count)
{
	const struct artifact *artifact = &scan->files[first].artifact;
	bool is_new = false, is_used = false;
	uint64_t bytes = 0, taken = 0;

	for (size_t i = first; i < end; i++) {
		bool young = scan->files[i].changed_ns >= summary->started_ns;

		is_new |= young;
		is_used |= used[i];
		bytes += scan->files[i].bytes;
		count->bytes_added += young ? scan->files[i].bytes : 0;
	}
	count->misses += is_new;
	if (is_new || !is_used)
		return;
	count->hits++;
	count->bytes_used += bytes;
	taken = time_of(dir, &scan->files[first]);
	if (!strcmp(artifact->kind, "aot-graph"))
		count->joint_ns += taken;
	else
		count->graph_ns += taken;
}

/* False: it could not be read in time. */
static bool count_namespace(
	const struct summary *summary, const struct client *client, const char *dir, struct count *count)
{
	char store[PATH_MAX];
	struct scan scan;
	struct stat st;
	bool *used;

	if (stat(dir, &st) || scan_read(client->name, dir, PATIENCE_MS, &scan))
		return false;
	used = calloc(scan.count + 1, sizeof *used);
	if (used && !control_store_of(dir, store, sizeof store)) {
		struct marks marks = {&scan, verbs_below(dir), summary->started_ns / 1000000000, used};
		char request[64];

		snprintf(request, sizeof request, "cache-list %llu", (unsigned long long)st.st_ino);
		count->known = !control_call(store, request, mark, &marks);
	}
	for (size_t i = 0; used && i < scan.count; i = scan_group_end(&scan, i))
		count_group(summary, dir, &scan, i, scan_group_end(&scan, i), used, count);
	free(used);
	scan_free(&scan);
	return true;
}

static json_t *number_or_null(bool known, uint64_t number)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

static void add_cache(json_t *caches, const char *name, const char *dir, const struct count *count)
{
	const char *id = strrchr(dir, '/') + 1;

	if (!count->misses && !count->hits)
		return;
	json_array_append_new(
		caches, json_pack("{ss ss so sI sI}", "name", name, "fingerprint", id, "hits",
				number_or_null(count->known, count->hits), "misses",
				(json_int_t)count->misses, "bytes_added", (json_int_t)count->bytes_added));
}

static void add_up(struct count *total, const struct count *one)
{
	total->known &= one->known;
	total->hits += one->hits;
	total->misses += one->misses;
	total->bytes_added += one->bytes_added;
	total->bytes_used += one->bytes_used;
	total->joint_ns += one->joint_ns;
	total->graph_ns += one->graph_ns;
}

json_t *summary_end(struct summary *summary)
{
	struct count total = {.known = true};
	json_t *caches, *told;
	struct timespec now;
	double seconds;

	if (!summary)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	seconds = (double)((int64_t)now.tv_sec * 1000000000 + now.tv_nsec - summary->started_ns) / 1e9;
	caches = json_array();
	for (size_t i = 0; i < client_count; i++) {
		struct fingerprint own;
		struct count count = {0};
		char dir[PATH_MAX];

		if (!summary->job.use[i] ||
			place_of(summary->job.root, &clients[i], &summary->job.machine, &own, dir) ||
			!count_namespace(summary, &clients[i], dir, &count))
			continue;
		add_up(&total, &count);
		add_cache(caches, clients[i].name, dir, &count);
	}
	/* A joint graph's time holds those of its FX graphs. */
	told = json_pack("{sf so sI sI so so so}", "seconds", seconds, "hits",
		number_or_null(total.known, total.hits), "misses", (json_int_t)total.misses, "bytes_added",
		(json_int_t)total.bytes_added, "bytes_used", number_or_null(total.known, total.bytes_used),
		"seconds_saved",
		total.known ? json_real((double)(total.joint_ns ? total.joint_ns : total.graph_ns) / 1e9)
			    : json_null(),
		"caches", caches);
	free(summary);
	return told;
}

void summary_print(const json_t *told)
{
	const json_t *hits = json_object_get(told, "hits");
	double saved = json_number_value(json_object_get(told, "seconds_saved"));
	unsigned long long misses = (unsigned long long)json_integer_value(json_object_get(told, "misses"));
	char amount[PRINT_AMOUNT];

	fputs("mithril: cache: ", stderr);
	if (json_is_integer(hits))
		fprintf(stderr, "%llu hits, ", (unsigned long long)json_integer_value(hits));
	fprintf(stderr, "%llu misses, %s added", misses,
		print_bytes(amount, (uint64_t)json_integer_value(json_object_get(told, "bytes_added"))));
	if (saved >= 0.1)
		fprintf(stderr, ", %.1f s of compiling saved", saved);
	fputs(misses ? "; mithril cache explain says why it missed\n" : "\n", stderr);
}
