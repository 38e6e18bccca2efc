#include "store/cache/evict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/log.h"

#define TEMPORARY_MS 3600000u

/* A group that is about to go. */
struct departure {
	const struct cache_env *env;
	const struct names_member *members;
	size_t count;
	uint64_t directory; /* that goes as a whole; or 0 */
	uint64_t before;    /* last use must be earlier */
};

/* With the names locked: nobody has it, and nobody has just had it. */
static bool is_ready(void *ctx)
{
	const struct departure *d = ctx;

	if (d->directory && usage_last(d->env->usage, d->directory) >= d->before)
		return false;
	for (size_t i = 0; i < d->count; i++)
		if (content_is_open(d->env->parts->stage, d->members[i].ino) ||
			usage_last(d->env->usage, d->members[i].ino) >= d->before)
			return false;
	return true;
}

/* 0 gone, -ESTALE in use or changed, -errno. */
static int remove_group(const struct cache_env *env, const struct cache_listing *listing,
	const struct cache_group *group, uint64_t before)
{
	struct names_member *members = calloc(group->count, sizeof *members);
	struct departure departure = {env, members, group->count, group->self ? group->directory : 0, before};
	struct names_group going = {.directory = group->directory,
		.parent = group->parent,
		.self = group->self,
		.members = members,
		.count = group->count,
		.whole = group->self,
		.others = group->others,
		.ready = is_ready,
		.ctx = &departure};
	int rc;

	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < group->count; i++) {
		const struct cache_file *file = &listing->files[group->first + i];
		members[i] = (struct names_member){.name = file->name, .ino = file->ino};
	}
	rc = names_remove_group(env->parts->names, &going);
	for (size_t i = 0; !rc && i < group->count; i++)
		env->gone(env->ctx, group->directory, members[i].name, members[i].ino, members[i].unlinked);
	if (!rc && going.directory_gone)
		env->gone(env->ctx, group->parent, group->self, group->directory, true);
	free(members);
	return rc;
}

int cache_evict(const struct cache_env *env, uint64_t root, uint64_t above, uint64_t target,
	uint64_t grace_ms, int (*progress)(void *ctx, const char *phase, double share), void *ctx,
	struct cache_evicted *result)
{
	struct cache_listing listing;
	uint64_t now = usage_now(), before = grace_ms ? now - grace_ms : UINT64_MAX;
	int rc = cache_list(env->parts, env->usage, root, false, &listing);

	*result = (struct cache_evicted){.left = rc ? 0 : listing.bytes};
	if (rc || listing.bytes <= above)
		goto out;
	cache_listing_sort(&listing);
	for (size_t i = 0; !rc && i < listing.group_count && result->left > target; i++) {
		const struct cache_group *group = &listing.groups[i];
		if (progress && progress(ctx, "prune", (double)i / (double)listing.group_count)) {
			rc = -EINTR;
			break;
		}
		if (group->temporary && group->used + TEMPORARY_MS > now)
			continue;
		int one = group->used >= before ? -ESTALE : remove_group(env, &listing, group, before);
		if (one == -ESTALE || one == -ENOENT) {
			result->busy_groups++;
		} else if (one) {
			log_warning("%s: a group cannot be evicted: %s", group->path, strerror(-one));
		} else {
			result->groups++;
			result->files += group->count;
			result->bytes += group->bytes;
			result->left -= group->bytes;
		}
	}
out:
	cache_listing_release(&listing);
	return rc;
}
