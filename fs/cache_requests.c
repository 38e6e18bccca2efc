/* What can be asked about caches. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/answer.h"
#include "fs/keeper.h"

#define NAMES_TOLD 64u

/* Calls `each` for one cache (or a directory below one), or for all of them when `ino` is 0. */
static int each_cache(struct answer *answer, uint64_t ino,
	int (*each)(struct answer *answer, const struct tended_counts *cache, void *ctx), void *ctx)
{
	struct tended_counts one = {.cache = ino}, *counts = NULL;
	size_t count = 0;
	int rc = 0;

	if (ino)
		return each(answer, &one, ctx);
	rc = keeper_counts(answer->env->keeper, &counts, &count);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = each(answer, &counts[i], ctx);
		if (rc == -ENOENT)
			rc = 0; /* removed meanwhile */
	}
	free(counts);
	return rc;
}

static int list(struct answer *answer, uint64_t cache, bool stored, struct cache_listing *listing)
{
	const struct cache_env *env = keeper_take(answer->env->keeper);
	int rc = cache_list(env->parts, env->usage, cache, stored, listing);

	keeper_give(answer->env->keeper);
	return rc;
}

static int tell_stats(struct answer *answer, const struct tended_counts *cache, void *ctx)
{
	struct cache_listing listing;
	char *path = NULL;
	int rc = list(answer, cache->cache, true, &listing);

	(void)ctx;
	if (!rc)
		rc = cache_path(&answer->env->store->parts, cache->cache, &path);
	if (!rc)
		answer_tell(answer,
			json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "ino",
				(json_int_t)cache->cache, "path", *path ? path : "/", "max_size",
				(json_int_t)cache->max_size, "files", (json_int_t)listing.file_count, "bytes",
				(json_int_t)listing.bytes, "stored_bytes", (json_int_t)listing.stored,
				"groups", (json_int_t)listing.group_count, "hits", (json_int_t)cache->hits,
				"misses", (json_int_t)cache->misses, "evicted_groups",
				(json_int_t)cache->evicted_groups, "evicted_bytes",
				(json_int_t)cache->evicted_bytes, "quarantined",
				(json_int_t)cache->quarantined));
	free(path);
	cache_listing_release(&listing);
	return rc;
}

int do_cache_stats(struct answer *answer, const char *argument)
{
	(void)argument;
	return each_cache(answer, 0, tell_stats, NULL);
}

static void tell_group(
	struct answer *answer, const struct cache_listing *listing, const struct cache_group *group)
{
	json_t *names = json_array();
	const char *first = listing->files[group->first].name;
	char *path = NULL;

	for (size_t i = 0; i < group->count && i < NAMES_TOLD; i++)
		json_array_append_new(names, json_string(listing->files[group->first + i].name));
	if (group->self ? asprintf(&path, "%s", group->path) < 0
			: asprintf(&path, "%s/%.*s", group->path, (int)group_stem(first), first) < 0)
		path = NULL;
	answer_tell(answer, json_pack("{s:s, s:I, s:I, s:I, s:s, s:o}", "path", path ? path : "", "files",
				    (json_int_t)group->count, "bytes", (json_int_t)group->bytes, "last_use",
				    (json_int_t)(group->used / 1000), "kind",
				    group->self ? "directory" : "stem", "names", names));
	free(path);
}

static int tell_groups(struct answer *answer, const struct tended_counts *cache, void *ctx)
{
	struct cache_listing listing;
	int rc = list(answer, cache->cache, false, &listing);

	(void)ctx;
	if (!rc)
		cache_listing_sort(&listing);
	for (size_t i = 0; !rc && i < listing.group_count; i++) {
		tell_group(answer, &listing, &listing.groups[i]);
		if (answer->hung_up)
			rc = -EPIPE;
	}
	cache_listing_release(&listing);
	return rc;
}

int do_cache_list(struct answer *answer, const char *argument)
{
	uint64_t ino;
	int rc = answer_number(argument, &ino);

	return rc ? rc : each_cache(answer, ino, tell_groups, NULL);
}

struct pruning {
	uint64_t target;
	struct cache_evicted sum;
};

static int prune(struct answer *answer, const struct tended_counts *cache, void *ctx)
{
	struct pruning *pruning = ctx;
	struct keeper *keeper = answer->env->keeper;
	const struct cache_env *env = keeper_take(keeper);
	struct cache_evicted evicted;
	int rc = cache_evict(
		env, cache->cache, pruning->target, pruning->target, 0, answer_progress, answer, &evicted);

	keeper_give(keeper);
	keeper_evicted(keeper, cache->cache, &evicted);
	pruning->sum.groups += evicted.groups;
	pruning->sum.files += evicted.files;
	pruning->sum.bytes += evicted.bytes;
	pruning->sum.left += evicted.left;
	pruning->sum.busy_groups += evicted.busy_groups;
	return rc;
}

int do_cache_prune(struct answer *answer, const char *argument)
{
	struct pruning pruning = {0};
	const char *space = strchr(argument, ' ');
	char number[24];
	uint64_t ino;
	int rc = space && space - argument < (long)sizeof number ? 0 : -EINVAL;

	if (rc)
		return rc;
	snprintf(number, sizeof number, "%.*s", (int)(space - argument), argument);
	rc = answer_number(number, &ino);
	if (!rc)
		rc = answer_number(space + 1, &pruning.target);
	if (!rc)
		rc = each_cache(answer, ino, prune, &pruning);
	if (!rc)
		answer_tell(
			answer, json_pack("{s:I, s:I, s:I, s:I, s:I}", "evicted_groups",
					(json_int_t)pruning.sum.groups, "evicted_bytes",
					(json_int_t)pruning.sum.bytes, "evicted_files",
					(json_int_t)pruning.sum.files, "bytes", (json_int_t)pruning.sum.left,
					"busy_groups", (json_int_t)pruning.sum.busy_groups));
	return rc;
}

static void tell_damaged(void *ctx, const char *path, const char *what)
{
	char *text = NULL;

	if (asprintf(&text, "%s: %s", path, what) < 0)
		return;
	answer_tell(ctx, json_pack("{s:s, s:s}", "finding", text, "path", path));
	free(text);
}

static int verify(struct answer *answer, const struct tended_counts *cache, void *ctx)
{
	struct cache_verified *sum = ctx, verified;
	const struct cache_env *env = keeper_take(answer->env->keeper);
	int rc = cache_verify(env, cache->cache, answer_progress, tell_damaged, answer, &verified);

	keeper_give(answer->env->keeper);
	keeper_quarantined(answer->env->keeper, cache->cache, verified.quarantined);
	sum->files += verified.files;
	sum->bytes += verified.bytes;
	sum->damaged += verified.damaged;
	sum->quarantined += verified.quarantined;
	return rc;
}

int do_cache_verify(struct answer *answer, const char *argument)
{
	struct cache_verified sum = {0};
	uint64_t ino;
	int rc = answer_number(argument, &ino);

	if (!rc)
		rc = each_cache(answer, ino, verify, &sum);
	if (!rc)
		answer_tell(answer, json_pack("{s:I, s:I, s:I, s:I}", "files", (json_int_t)sum.files, "bytes",
					    (json_int_t)sum.bytes, "damaged", (json_int_t)sum.damaged,
					    "quarantined", (json_int_t)sum.quarantined));
	return rc;
}
