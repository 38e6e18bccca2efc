#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/upkeep/fsck.h"
#include "store/util/bytes.h"
#include "store/util/dir.h"

#define RECIPE_KEY 17u /* be64 recipe, kind, be64 offset */

struct owners {
	struct numbers recipes; /* recipe -> the inode whose content it is, or OWNER_DEAD */
	struct numbers staged;	/* inodes whose bytes are in staging/ */
	struct numbers inlined; /* inodes whose bytes are in KV_INLINE: size + 1 */
	struct numbers covered; /* recipes with extents */
	uint64_t recipe;	/* of the last key that was told */
	int staging;		/* descriptor of staging/, or -1 */
};
#define OWNER_DEAD UINT64_MAX

static int set(struct numbers *numbers, uint64_t key, uint64_t value)
{
	uint64_t *at = numbers_at(numbers, key);

	if (!at)
		return -ENOMEM;
	*at = value;
	return 0;
}

/* --- inodes --- */

static int own_recipe(struct fsck *fsck, struct owners *owners, const struct inode *inode)
{
	uint64_t owner = numbers_get(&owners->recipes, inode->recipe);
	struct recipe_head head;
	int rc;

	if (owner == OWNER_DEAD)
		fsck_found(fsck,
			"inode %" PRIu64 ": its recipe %" PRIu64
			" is marked dead; copy the file before the next gc",
			inode->ino, inode->recipe);
	else if (owner)
		fsck_found(fsck, "inodes %" PRIu64 " and %" PRIu64 " have the same recipe %" PRIu64, owner,
			inode->ino, inode->recipe);
	rc = inode->recipe ? recipe_head_get(fsck->parts->recipes, inode->recipe, &head) : -ENOENT;
	if (rc == -ENOENT || rc == -EBADMSG) {
		fsck_found(fsck,
			"inode %" PRIu64 ": its recipe %" PRIu64 " is %s; restore the file from a copy",
			inode->ino, inode->recipe, rc == -ENOENT ? "missing" : "damaged");
		rc = 0;
	} else if (!rc && head.size != inode->size) {
		fsck_found(fsck, "inode %" PRIu64 ": size %" PRIu64 ", its recipe says %" PRIu64, inode->ino,
			inode->size, head.size);
	}
	if (!rc && inode->recipe && owner != OWNER_DEAD)
		rc = set(&owners->recipes, inode->recipe, inode->ino);
	return rc;
}

static int own_content(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct owners *owners = ctx;
	struct inode inode;

	/* Damaged records were told by fsck_names. */
	if (pair->key_len != 8 || inode_decode(&inode, get_be64(pair->key), pair->value, pair->value_len) ||
		!inode.ino)
		return 0;
	switch (inode.content) {
	case CONTENT_ENCODED:
		return own_recipe(fsck, owners, &inode);
	case CONTENT_STAGED:
		return set(&owners->staged, inode.ino, 1);
	case CONTENT_INLINE:
		return set(&owners->inlined, inode.ino, inode.size + 1);
	case CONTENT_NONE:
		break;
	}
	return 0;
}

/* --- small files --- */

static int drop_pair(struct fsck *fsck, enum kv_family family, const struct pair *pair)
{
	struct kv_batch *batch = kv_batch_new();
	int rc = -ENOMEM;

	if (!batch)
		return rc;
	kv_batch_delete(fsck->parts->kv, batch, family, pair->key, pair->key_len);
	rc = kv_write(fsck->parts->kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

static int check_inline(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct owners *owners = ctx;
	uint64_t ino = pair->key_len == 8 ? get_be64(pair->key) : 0;
	uint64_t *size = ino && numbers_get(&owners->inlined, ino) ? numbers_at(&owners->inlined, ino) : NULL;

	if (!size) {
		if (!fsck->options->repair) {
			fsck_found(fsck,
				"small content of inode %" PRIu64
				", which does not have it; --repair removes it",
				ino);
			return 0;
		}
		fsck_fixed(fsck, "small content of inode %" PRIu64 ", which does not have it, removed", ino);
		return drop_pair(fsck, KV_INLINE, pair);
	}
	if (*size != pair->value_len + 1)
		fsck_found(fsck, "inode %" PRIu64 ": size %" PRIu64 ", its small content has %zu bytes", ino,
			*size - 1, pair->value_len);
	*size = 0; /* met */
	return 0;
}

static void check_inline_missing(struct fsck *fsck, const struct owners *owners)
{
	for (size_t i = 0; i < owners->inlined.capacity; i++) {
		const struct number *number = &owners->inlined.entries[i];

		if (number->key && number->value)
			fsck_found(fsck,
				"inode %" PRIu64
				": its small content is missing; restore the file from a copy",
				number->key);
	}
}

/* --- staged files --- */

static int check_staged_key(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct owners *owners = ctx;
	uint64_t ino = pair->key_len == 8 ? get_be64(pair->key) : 0;

	if (ino && numbers_get(&owners->staged, ino))
		return set(&owners->staged, ino, 2);
	if (ino && numbers_get(&owners->inlined, ino)) /* a small file of a cache, to be packed */
		return 0;
	if (!fsck->options->repair) {
		fsck_found(fsck,
			"the queue names inode %" PRIu64 ", which awaits nothing; --repair removes it", ino);
		return 0;
	}
	fsck_fixed(fsck, "the queue named inode %" PRIu64 ", which awaited nothing", ino);
	return drop_pair(fsck, KV_STAGED, pair);
}

static void check_staged_files(struct fsck *fsck, const struct owners *owners)
{
	for (size_t i = 0; i < owners->staged.capacity; i++) {
		const struct number *number = &owners->staged.entries[i];
		char name[STAGED_NAME];

		if (!number->key)
			continue;
		staged_name(number->key, name);
		if (number->value == 1)
			fsck_found(fsck, "inode %" PRIu64 " is staged and not in the queue", number->key);
		if (owners->staging >= 0 && faccessat(owners->staging, name, F_OK, AT_SYMLINK_NOFOLLOW))
			fsck_found(fsck,
				"inode %" PRIu64 ": staging/%s is missing; restore the file from a copy",
				number->key, name);
	}
}

struct staging_check {
	struct fsck *fsck;
	const struct owners *owners;
};

static int check_leak(void *ctx, const char *name)
{
	const struct staging_check *check = ctx;
	const struct owners *owners = check->owners;
	struct fsck *fsck = check->fsck;
	uint64_t ino = staged_ino(name);

	if (ino && numbers_get(&owners->staged, ino))
		return 0;
	if (!fsck->options->repair)
		fsck_found(
			fsck, "staging/%s belongs to no file; --repair or the next mount removes it", name);
	else if (unlinkat(owners->staging, name, 0))
		fsck_found(fsck, "staging/%s belongs to no file and cannot be removed: %s", name,
			strerror(errno));
	else
		fsck_fixed(fsck, "staging/%s belonged to no file", name);
	return 0;
}

static int check_staging(struct fsck *fsck, const struct owners *owners)
{
	struct staging_check check = {fsck, owners};

	return owners->staging < 0 ? 0 : dir_each(owners->staging, check_leak, &check);
}

/* --- recipes --- */

static int note_dead(void *ctx, uint64_t recipe)
{
	return recipe ? set(ctx, recipe, OWNER_DEAD) : 0;
}

static int check_recipe_key(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct owners *owners = ctx;
	uint64_t recipe = pair->key_len == RECIPE_KEY ? get_be64(pair->key) : 0;
	struct kv_batch *batch;
	int rc;

	if (!recipe) {
		fsck_found(fsck, "recipes: a damaged key");
		return 0;
	}
	if (recipe == owners->recipe || numbers_get(&owners->recipes, recipe))
		return 0;
	owners->recipe = recipe;
	if (!fsck->options->repair) {
		fsck_found(fsck, "recipe %" PRIu64 " belongs to no file; --repair gives it to the next gc",
			recipe);
		return 0;
	}
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	recipes_bury(fsck->parts->recipes, batch, recipe);
	rc = kv_write(fsck->parts->kv, batch, false);
	kv_batch_free(batch);
	fsck_fixed(fsck, "recipe %" PRIu64 " belonged to no file; the next gc removes it", recipe);
	return rc;
}

struct cover {
	struct fsck *fsck;
	struct owners *owners;
	uint64_t recipe, end; /* the one at hand, and how far its extents reach without a gap */
	uint64_t seen;
};

static void end_cover(struct cover *cover)
{
	uint64_t ino = numbers_get(&cover->owners->recipes, cover->recipe);
	struct recipe_head head;

	if (!cover->recipe || !ino || ino == OWNER_DEAD ||
		recipe_head_get(cover->fsck->parts->recipes, cover->recipe, &head))
		return;
	if (cover->end != head.size)
		fsck_found(cover->fsck,
			"inode %" PRIu64 ": its recipe covers %" PRIu64 " of %" PRIu64
			" bytes; restore the file from a copy",
			ino, cover->end, head.size);
}

static int check_extent(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct cover *cover = ctx;
	struct chunk_record record;

	if (recipe != cover->recipe) {
		end_cover(cover);
		cover->recipe = recipe;
		cover->end = 0;
		if (set(&cover->owners->covered, recipe, 1))
			return -ENOMEM;
	}
	if (extent->off == cover->end)
		cover->end += extent->len;
	if (++cover->seen % 65536 == 0 && fsck_step(cover->fsck, "content", 0.5))
		return -EINTR;
	if (chunk_id_is_zero(&extent->chunk) ||
		chunks_get(cover->fsck->parts->chunks, &extent->chunk, &record))
		return 0;
	if (extent->chunk_off > record.raw_len || extent->len > record.raw_len - extent->chunk_off)
		fsck_found(cover->fsck,
			"inode %" PRIu64 ": at offset %" PRIu64 " its recipe reaches past the end of a chunk",
			numbers_get(&cover->owners->recipes, recipe), extent->off);
	return 0;
}

/* A file whose recipe has no page of extents at all. */
static void check_covered(struct fsck *fsck, const struct owners *owners, const struct number *owner)
{
	struct recipe_head head;

	if (!owner->key || owner->value == OWNER_DEAD || numbers_get(&owners->covered, owner->key))
		return;
	if (!recipe_head_get(fsck->parts->recipes, owner->key, &head) && head.size)
		fsck_found(fsck,
			"inode %" PRIu64 ": the pages of its recipe are lost; restore the file from a copy",
			owner->value);
}

static int check_covers(struct fsck *fsck, struct owners *owners)
{
	struct cover cover = {.fsck = fsck, .owners = owners};
	int rc = recipes_each_extent(fsck->parts->recipes, check_extent, &cover);

	end_cover(&cover);
	if (rc && rc != -EBADMSG)
		return rc;
	for (size_t i = 0; i < owners->recipes.capacity; i++)
		check_covered(fsck, owners, &owners->recipes.entries[i]);
	return 0;
}

/* --- */

static int open_staging(const struct fsck *fsck)
{
	char path[4096];

	if (!fsck->parts->path ||
		(size_t)snprintf(path, sizeof path, "%s/staging", fsck->parts->path) >= sizeof path)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int fsck_content(struct fsck *fsck)
{
	struct owners owners = {.staging = open_staging(fsck)};
	int rc = fsck_step(fsck, "content", 0);

	if (!rc)
		rc = recipes_each_dead(fsck->parts->recipes, note_dead, &owners.recipes);
	if (!rc)
		rc = fsck_walk(fsck, KV_INODES, own_content, &owners);
	if (!rc)
		rc = fsck_walk(fsck, KV_STAGED, check_staged_key, &owners);
	if (!rc)
		rc = fsck_walk(fsck, KV_INLINE, check_inline, &owners); /* forgets what it has met */
	if (!rc)
		rc = fsck_walk(fsck, KV_RECIPES, check_recipe_key, &owners);
	if (!rc)
		rc = check_staging(fsck, &owners);
	if (!rc) {
		check_inline_missing(fsck, &owners);
		check_staged_files(fsck, &owners);
		rc = check_covers(fsck, &owners);
	}
	if (!rc)
		rc = fsck_step(fsck, "content", 1);
	if (owners.staging >= 0)
		close(owners.staging);
	numbers_release(&owners.recipes);
	numbers_release(&owners.staged);
	numbers_release(&owners.inlined);
	numbers_release(&owners.covered);
	return rc;
}
