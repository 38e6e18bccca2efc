/* Several names of one directory go in one batch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/names/internal.h"

/* All stripes of a group, which may be any number of them. */
struct stripe_set {
	bool has[STRIPES];
};

static void take(struct names *names, const struct stripe_set *set)
{
	for (unsigned i = 0; i < STRIPES; i++)
		if (set->has[i])
			pthread_mutex_lock(&names->stripes[i]);
}

static void release(struct names *names, const struct stripe_set *set)
{
	for (unsigned i = STRIPES; i-- > 0;)
		if (set->has[i])
			pthread_mutex_unlock(&names->stripes[i]);
}

static void set_of(const struct names_group *group, struct stripe_set *set)
{
	memset(set, 0, sizeof *set);
	set->has[group->directory % STRIPES] = true;
	set->has[group->parent % STRIPES] = true;
	for (size_t i = 0; i < group->count; i++)
		set->has[group->members[i].ino % STRIPES] = true;
}

/* The inode of a member, which is still under its name. */
static int member_load(
	struct names *names, uint64_t directory, const struct names_member *member, struct inode *inode)
{
	struct entry entry;
	int rc = entry_get(names, directory, member->name, &entry);

	if (rc == -ENOENT || (!rc && (entry.ino != member->ino || S_ISDIR(entry.type))))
		return -ESTALE;
	return rc ? rc : child_load(names, &entry, inode);
}

/* Two names of one inode in a group would each be counted from the record as it was. */
static bool has_twins(const struct names_group *group, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (group->members[i].ino == group->members[at].ino)
			return true;
	return false;
}

static int remove_member(struct names *names, struct kv_batch *batch, struct names_group *group, size_t at,
	struct inode *directory)
{
	struct names_member *member = &group->members[at];
	struct inode inode;
	int rc = has_twins(group, at) ? -ESTALE : member_load(names, group->directory, member, &inode);

	if (rc)
		return rc;
	inode.nlink--;
	inode.ctime = inode_now();
	member->type = inode.mode & S_IFMT;
	member->unlinked = !inode.nlink;
	if (!inode.nlink) {
		inode.flags |= INODE_EVICTED;
		orphan_add(names, batch, inode.ino);
	}
	entry_delete(names, batch, group->directory, member->name);
	inode_store(names, batch, &inode);
	directory->size--;
	directory_touch(directory, inode.ctime);
	return 0;
}

/* The directory itself, if it is empty now and still has that name. */
static int remove_self(
	struct names *names, struct kv_batch *batch, struct names_group *group, struct inode *directory)
{
	struct inode parent;
	struct entry entry;
	int rc = entry_get(names, group->parent, group->self, &entry);

	if (rc == -ENOENT || (!rc && entry.ino != directory->ino))
		return 0;
	if (!rc)
		rc = directory_load(names, group->parent, &parent);
	if (rc)
		return rc;
	directory->nlink = 0;
	parent.nlink--;
	parent.size--;
	directory_touch(&parent, directory->ctime);
	entry_delete(names, batch, group->parent, group->self);
	orphan_add(names, batch, directory->ino);
	inode_store(names, batch, &parent);
	group->directory_gone = true;
	return 0;
}

static int remove_locked(struct names *names, struct kv_batch *batch, struct names_group *group)
{
	struct inode directory;
	int rc = directory_load(names, group->directory, &directory);

	for (size_t i = 0; !rc && i < group->count; i++)
		rc = remove_member(names, batch, group, i, &directory);
	if (!rc && group->whole && directory.size > group->others)
		rc = -ESTALE;
	if (!rc && group->self && !directory.size && directory.ino != NAMES_ROOT &&
		directory.cache != directory.ino)
		rc = remove_self(names, batch, group, &directory);
	if (rc)
		return rc;
	kv_batch_frees(batch);
	inode_store(names, batch, &directory);
	return kv_write(names->kv, batch, false);
}

static void count(struct names *names, const struct names_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (group->members[i].unlinked)
			names_counted(names, group->members[i].type, -1);
	if (group->directory_gone)
		names_counted(names, S_IFDIR, -1);
}

int names_remove_group(struct names *names, struct names_group *group)
{
	struct stripe_set *set = malloc(sizeof *set);
	struct kv_batch *batch = kv_batch_new();
	int rc = set && batch ? 0 : -ENOMEM;

	group->directory_gone = false;
	if (!rc) {
		set_of(group, set);
		take(names, set);
		rc = group->ready && !group->ready(group->ctx) ? -ESTALE : remove_locked(names, batch, group);
		release(names, set);
	}
	if (!rc)
		count(names, group);
	kv_batch_free(batch);
	free(set);
	return rc;
}
