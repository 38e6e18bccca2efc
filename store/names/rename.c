/* rename(2): one batch, whatever it moves, replaces or exchanges. */
#include <errno.h>
#include <linux/fs.h>
#include <string.h>

#include "store/names/internal.h"

#define DEPTH_MAX 100000u /* a longer way up to the root is a loop, which only damage makes */

/* One side: a name in a directory, and what it stands for. */
struct side {
	uint64_t parent;
	const char *name;
	struct inode *directory; /* both sides share it when the directory is the same */
	bool exists;
	struct entry entry;
	struct inode inode;
};

struct move {
	struct side from, to;
	struct inode directories[2];
	bool exchange;
	bool moving; /* names->moving is held */
	struct locks locks;
};

static int peek(struct names *names, struct side *side)
{
	int rc = entry_get(names, side->parent, side->name, &side->entry);

	side->exists = !rc;
	return rc == -ENOENT ? 0 : rc;
}

/* A directory gets another parent. */
static bool reparents(const struct move *move)
{
	if (move->from.parent == move->to.parent)
		return false;
	return (move->from.exists && S_ISDIR(move->from.entry.type)) ||
	       (move->exchange && move->to.exists && S_ISDIR(move->to.entry.type));
}

static void unlock(struct names *names, struct move *move)
{
	locks_release(names, &move->locks);
	if (move->moving)
		pthread_mutex_unlock(&names->moving);
	move->moving = false;
}

static int peek_both(struct names *names, struct move *move)
{
	int rc = peek(names, &move->from);

	return rc ? rc : peek(names, &move->to);
}

/* What stands for the names too, if that needs no waiting. */
static bool lock_rest(struct names *names, struct move *move)
{
	return reparents(move) == move->moving &&
	       (!move->from.exists || locks_try(names, &move->locks, move->from.entry.ino)) &&
	       (!move->to.exists || locks_try(names, &move->locks, move->to.entry.ino));
}

/* Locks the directories, looks at both sides, and locks what it sees; if that cannot be had at once, begins
 * again with all of it in order. */
static int lock(struct names *names, struct move *move)
{
	uint64_t inos[4] = {move->from.parent, move->to.parent};
	unsigned count = 2;

	for (;;) {
		int rc;

		locks_take(names, &move->locks, inos, count);
		rc = peek_both(names, move);
		if (!rc && lock_rest(names, move))
			return 0;
		unlock(names, move);
		if (rc)
			return rc;
		count = 2;
		if (move->from.exists)
			inos[count++] = move->from.entry.ino;
		if (move->to.exists)
			inos[count++] = move->to.entry.ino;
		move->moving = reparents(move);
		if (move->moving)
			pthread_mutex_lock(&names->moving);
	}
}

static int load(struct names *names, struct move *move)
{
	bool same = move->from.parent == move->to.parent;
	int rc = directory_load(names, move->from.parent, &move->directories[0]);

	if (!rc && !same)
		rc = directory_load(names, move->to.parent, &move->directories[1]);
	if (rc)
		return rc;
	move->from.directory = &move->directories[0];
	move->to.directory = &move->directories[same ? 0 : 1];
	if (!move->from.exists)
		return -ENOENT;
	rc = child_load(names, &move->from.entry, &move->from.inode);
	if (!rc && move->to.exists)
		rc = child_load(names, &move->to.entry, &move->to.inode);
	return rc;
}

/* Whether `ino` is `directory` or above it: -EINVAL. With names->moving held, so that the way up stays as it
 * is. */
static int check_not_above(struct names *names, uint64_t ino, const struct inode *directory)
{
	struct inode at = *directory;

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		int rc;
		if (at.ino == ino)
			return -EINVAL;
		if (at.ino == NAMES_ROOT)
			return 0;
		rc = inode_load(names, at.parent, &at);
		if (rc)
			return -EIO;
	}
	return -EIO;
}

static int check_loops(struct names *names, struct move *move)
{
	int rc = 0;

	if (!move->moving)
		return 0;
	if (S_ISDIR(move->from.inode.mode))
		rc = check_not_above(names, move->from.inode.ino, move->to.directory);
	if (!rc && move->exchange && S_ISDIR(move->to.inode.mode))
		rc = check_not_above(names, move->to.inode.ino, move->from.directory);
	return rc;
}

static int check_replace(const struct inode *from, const struct inode *to)
{
	if (S_ISDIR(from->mode) && !S_ISDIR(to->mode))
		return -ENOTDIR;
	if (!S_ISDIR(from->mode) && S_ISDIR(to->mode))
		return -EISDIR;
	return S_ISDIR(to->mode) && to->size ? -ENOTEMPTY : 0;
}

/* What `directory` would be with one more subdirectory. */
static int check_links(const struct inode *directory)
{
	return directory->nlink >= NAMES_LINK_MAX ? -EMLINK : 0;
}

/* The inode leaves one directory for another, whose entry the caller makes. */
static void carry(struct inode *inode, struct inode *from, struct inode *to, struct timespec now)
{
	inode->ctime = now;
	if (!S_ISDIR(inode->mode) || from == to)
		return;
	from->nlink--;
	to->nlink++;
	inode->parent = to->ino;
}

/* The target loses its name. */
static void replace(struct names *names, struct kv_batch *batch, struct side *to, struct timespec now)
{
	struct inode *inode = &to->inode;

	inode->ctime = now;
	if (S_ISDIR(inode->mode)) {
		to->directory->nlink--;
		inode->nlink = 0;
	} else {
		inode->nlink--;
	}
	if (!inode->nlink)
		orphan_add(names, batch, inode->ino);
	to->directory->size--;
	inode_store(names, batch, inode);
}

static int move_or_replace(
	struct names *names, struct kv_batch *batch, struct move *move, struct timespec now)
{
	struct side *from = &move->from, *to = &move->to;
	int rc = 0;

	if (to->exists)
		rc = check_replace(&from->inode, &to->inode);
	else if (move->moving)
		rc = check_links(to->directory);
	if (rc)
		return rc;
	if (to->exists)
		replace(names, batch, to, now);
	carry(&from->inode, from->directory, to->directory, now);
	from->directory->size--;
	to->directory->size++;
	entry_delete(names, batch, from->parent, from->name);
	entry_put(names, batch, to->parent, to->name, &from->inode);
	return 0;
}

static int exchange(struct names *names, struct kv_batch *batch, struct move *move, struct timespec now)
{
	struct side *from = &move->from, *to = &move->to;

	if (move->moving && !S_ISDIR(to->inode.mode) && check_links(to->directory))
		return -EMLINK;
	if (move->moving && !S_ISDIR(from->inode.mode) && check_links(from->directory))
		return -EMLINK;
	carry(&from->inode, from->directory, to->directory, now);
	carry(&to->inode, to->directory, from->directory, now);
	entry_put(names, batch, to->parent, to->name, &from->inode);
	entry_put(names, batch, from->parent, from->name, &to->inode);
	inode_store(names, batch, &to->inode);
	return 0;
}

static int move_locked(struct names *names, struct kv_batch *batch, struct move *move, unsigned flags)
{
	struct timespec now = inode_now();
	int rc = load(names, move);

	if (rc)
		return rc;
	if (move->exchange && !move->to.exists)
		return -ENOENT;
	if ((flags & RENAME_NOREPLACE) && move->to.exists)
		return -EEXIST;
	if (move->to.exists && move->from.inode.ino == move->to.inode.ino)
		return 0; /* two names of one inode: nothing to do */
	rc = check_loops(names, move);
	if (!rc)
		rc = move->exchange ? exchange(names, batch, move, now)
				    : move_or_replace(names, batch, move, now);
	if (rc)
		return rc;
	directory_touch(move->from.directory, now);
	directory_touch(move->to.directory, now);
	inode_store(names, batch, &move->from.inode);
	inode_store(names, batch, move->from.directory);
	if (move->to.directory != move->from.directory)
		inode_store(names, batch, move->to.directory);
	return kv_write(names->kv, batch, false);
}

int names_rename(struct names *names, uint64_t parent, const char *name, uint64_t new_parent,
	const char *new_name, unsigned flags, struct names_renamed *out)
{
	struct move move = {.from = {.parent = parent, .name = name},
		.to = {.parent = new_parent, .name = new_name},
		.exchange = flags & RENAME_EXCHANGE};
	struct kv_batch *batch;
	bool last;
	int rc = name_check(name);

	if (out)
		memset(out, 0, sizeof *out);
	if (!rc)
		rc = name_check(new_name);
	if (rc)
		return rc;
	if (flags && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)
		return -EINVAL;
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	rc = lock(names, &move);
	if (rc)
		goto out;
	rc = move_locked(names, batch, &move, flags);
	last = !rc && move.to.exists && !move.to.inode.nlink;
	unlock(names, &move);
	if (last)
		names_counted(names, move.to.inode.mode, -1);
	if (!rc && out) {
		out->moved = move.from.inode;
		out->over_file = move.to.exists && S_ISREG(move.to.inode.mode);
		out->gone = last ? move.to.inode.ino : 0;
	}
out:
	kv_batch_free(batch);
	return rc;
}
