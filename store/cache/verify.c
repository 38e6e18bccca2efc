#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/cache/evict.h"
#include "store/upkeep/marks.h"
#include "store/upkeep/verify.h"
#include "store/util/log.h"

/* The directory for what is damaged, made if need be. */
static int quarantine_of(const struct cache_env *env, uint64_t cache, uint64_t *directory)
{
	struct names *names = env->parts->names;
	struct inode inode;
	int rc = names_lookup(names, cache, CACHE_QUARANTINE, &inode);

	if (rc == -ENOENT && !(rc = names_get(names, cache, &inode))) {
		const struct names_owner owner = {.uid = inode.uid, .gid = inode.gid, .umask = 077};
		rc = names_make(
			names, cache, CACHE_QUARANTINE, S_IFDIR | 0700, 0, &owner, CONTENT_NONE, 0, &inode);
		if (!rc) /* the kernel may know that it is not there */
			env->gone(env->ctx, cache, CACHE_QUARANTINE, 0, false);
	}
	*directory = inode.ino;
	return rc ? rc : S_ISDIR(inode.mode) ? 0 : -ENOTDIR;
}

static bool is_quarantine(const struct cache_group *group)
{
	size_t n = strlen(group->path), m = strlen(CACHE_QUARANTINE);

	return n > m && !strcmp(group->path + n - m, CACHE_QUARANTINE) && group->path[n - m - 1] == '/';
}

static int move_aside(const struct cache_env *env, uint64_t cache, const struct cache_group *group,
	const struct cache_file *file)
{
	char name[NAMES_MAX + 1];
	uint64_t directory;
	int rc = quarantine_of(env, cache, &directory);

	snprintf(name, sizeof name, "%016" PRIx64 "-%s", file->ino, file->name);
	if (!rc)
		rc = names_rename(env->parts->names, group->directory, file->name, directory, name, 0, NULL);
	if (!rc)
		env->gone(env->ctx, group->directory, file->name, file->ino, false);
	return rc;
}

int cache_quarantine(const struct cache_env *env, uint64_t cache, uint64_t ino, char **path)
{
	struct cache_listing listing;
	int rc = cache_list(env->parts, env->usage, cache, false, &listing);

	if (!rc)
		rc = -ENOENT;
	for (size_t g = 0; rc == -ENOENT && g < listing.group_count; g++) {
		const struct cache_group *group = &listing.groups[g];
		for (size_t i = group->first; rc == -ENOENT && i < group->first + group->count; i++) {
			const struct cache_file *file = &listing.files[i];
			if (file->ino != ino || is_quarantine(group))
				continue;
			rc = move_aside(env, cache, group, file);
			if (!rc && path && asprintf(path, "%s/%s", group->path, file->name) < 0)
				*path = NULL;
		}
	}
	cache_listing_release(&listing);
	return rc;
}

struct verification {
	const struct cache_env *env;
	struct verifier *verifier;
	struct marks good, bad; /* chunks that were looked at */
};

/* 0; -EBADMSG. */
static int check_chunk(struct verification *v, const struct chunk_id *id)
{
	int rc;

	if (chunk_id_is_zero(id) || marks_find(&v->good, id))
		return 0;
	if (marks_find(&v->bad, id))
		return -EBADMSG;
	rc = verify_chunk(v->verifier, id);
	if (rc == -ENOMEM)
		return rc;
	if (marks_add(rc ? &v->bad : &v->good, id, 1, 0) < 0)
		return -ENOMEM;
	return rc ? -EBADMSG : 0;
}

static int check_recipe(struct verification *v, uint64_t recipe, uint64_t size)
{
	struct recipe_cursor *cursor = recipe_cursor_new(v->env->parts->recipes, recipe);
	struct extent extent;
	int rc = cursor ? 0 : -ENOMEM;

	for (uint64_t off = 0; !rc && off < size; off = extent.off + extent.len) {
		rc = recipe_cursor_at(cursor, off, &extent);
		if (!rc)
			rc = check_chunk(v, &extent.chunk);
	}
	recipe_cursor_free(cursor);
	return rc == -ENOENT || rc == -ENXIO ? -EBADMSG : rc;
}

/* 0 sound, or not to be said (it is gone); -EBADMSG damaged; -ENOMEM. */
static int check_file(struct verification *v, const struct cache_file *file)
{
	const struct parts *parts = v->env->parts;
	struct content *content;
	struct inode now;
	int rc;

	if (file->recipe) {
		rc = check_recipe(v, file->recipe, file->size);
		/* What was written again or deleted meanwhile is another matter. */
		if (rc == -EBADMSG &&
			(names_get(parts->names, file->ino, &now) || now.recipe != file->recipe))
			rc = 0;
		return rc;
	}
	rc = content_open(parts->stage, file->ino, 0, &content);
	if (rc)
		return rc == -EBADMSG ? rc : 0;
	rc = content_check(content, UINT64_MAX);
	content_release(parts->stage, content, 0);
	return rc == -EBADMSG ? rc : 0;
}

static void found(const struct cache_env *env, uint64_t root, const struct cache_group *group,
	const struct cache_file *file, void (*report)(void *ctx, const char *path, const char *what),
	void *ctx, struct cache_verified *result)
{
	struct inode inode;
	char *path = NULL;
	uint64_t cache = root;
	int rc;

	if (!names_get(env->parts->names, group->directory, &inode) && inode.cache)
		cache = inode.cache;
	rc = move_aside(env, cache, group, file);
	result->damaged++;
	result->quarantined += !rc;
	if (asprintf(&path, "%s/%s", group->path, file->name) < 0)
		return;
	report(ctx, path, rc ? "damaged, and cannot be moved aside" : "damaged, moved to " CACHE_QUARANTINE);
	log_warning("%s: damaged; %s", path,
		rc ? strerror(-rc) : "moved to " CACHE_QUARANTINE ", it will be made again");
	free(path);
}

int cache_verify(const struct cache_env *env, uint64_t root,
	int (*progress)(void *ctx, const char *phase, double share),
	void (*report)(void *ctx, const char *path, const char *what), void *ctx,
	struct cache_verified *result)
{
	struct verification v = {.env = env, .verifier = verifier_new(env->parts)};
	struct cache_listing listing = {0};
	int rc = v.verifier ? cache_list(env->parts, env->usage, root, false, &listing) : -ENOMEM;

	*result = (struct cache_verified){0};
	for (size_t g = 0; !rc && g < listing.group_count; g++) {
		const struct cache_group *group = &listing.groups[g];
		if (is_quarantine(group))
			continue;
		if (progress && progress(ctx, "verify", (double)g / (double)listing.group_count))
			rc = -EINTR;
		for (size_t i = group->first; !rc && i < group->first + group->count; i++) {
			const struct cache_file *file = &listing.files[i];
			rc = check_file(&v, file);
			result->files++;
			result->bytes += file->size;
			if (rc != -EBADMSG)
				continue;
			found(env, root, group, file, report, ctx, result);
			rc = 0;
		}
	}
	marks_release(&v.good);
	marks_release(&v.bad);
	verifier_free(v.verifier);
	cache_listing_release(&listing);
	return rc;
}
