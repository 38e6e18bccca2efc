#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "store/upkeep/fsck.h"
#include "store/util/bytes.h"

#define ENTRY_KEY_MIN 17u /* be64 parent, be64 hash, name */
#define ENTRY_VALUE 9u	  /* le64 child, type */

struct tally {
	struct numbers links;	/* inode -> entries that name it */
	struct numbers subdirs; /* directory -> directories in it */
	struct numbers entries; /* directory -> entries in it */
	struct numbers caches;	/* directories on the list of caches */
	uint64_t parent;	/* of the last entry, */
	int parent_rc;		/* and whether it is a directory */
	uint64_t xattrs_of;
};

static int load(const struct fsck *fsck, uint64_t ino, struct inode *inode)
{
	uint8_t key[8], value[NAMES_RECORD_MAX];
	size_t len;
	int rc;

	put_be64(key, ino);
	rc = kv_get(fsck->parts->kv, KV_INODES, key, sizeof key, value, sizeof value, &len);
	if (rc == -ENOBUFS)
		return -EBADMSG;
	return rc ? rc : inode_decode(inode, ino, value, len);
}

static int store(const struct fsck *fsck, const struct inode *inode)
{
	uint8_t key[8], value[NAMES_RECORD_MAX];
	struct kv_batch *batch = kv_batch_new();
	int rc = -ENOMEM;

	if (!batch)
		return rc;
	put_be64(key, inode->ino);
	kv_batch_put(fsck->parts->kv, batch, KV_INODES, key, sizeof key, value, inode_encode(inode, value));
	rc = kv_write(fsck->parts->kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

static int count(struct numbers *numbers, uint64_t key)
{
	uint64_t *value = numbers_at(numbers, key);

	if (!value)
		return -ENOMEM;
	(*value)++;
	return 0;
}

/* --- entries --- */

static int check_parent(struct fsck *fsck, struct tally *tally, uint64_t parent)
{
	struct inode inode;
	int rc;

	if (parent == tally->parent)
		return tally->parent_rc;
	rc = load(fsck, parent, &inode);
	if (!rc && !S_ISDIR(inode.mode))
		rc = -ENOTDIR;
	if (rc == -ENOENT || rc == -EBADMSG || rc == -ENOTDIR)
		fsck_found(fsck,
			"inode %" PRIu64
			" has entries and is no sound directory; what is in it cannot be reached",
			parent);
	tally->parent = parent;
	tally->parent_rc = rc;
	return rc;
}

static int check_child(struct fsck *fsck, struct tally *tally, uint64_t parent, const char *name,
	uint64_t ino, uint32_t type)
{
	struct inode inode, looked_up;
	int rc = load(fsck, ino, &inode);

	if (rc == -ENOENT || rc == -EBADMSG) {
		fsck_found(fsck,
			"entry \"%s\" of directory %" PRIu64 ": inode %" PRIu64 " is %s; remove the entry",
			name, parent, ino, rc == -ENOENT ? "missing" : "damaged");
		return 0;
	}
	if (rc)
		return rc;
	if ((inode.mode & S_IFMT) != type)
		fsck_found(fsck,
			"entry \"%s\" of directory %" PRIu64 " tells another type than inode %" PRIu64, name,
			parent, ino);
	if (names_lookup(fsck->parts->names, parent, name, &looked_up))
		fsck_found(fsck, "entry \"%s\" of directory %" PRIu64 " cannot be looked up", name, parent);
	if (S_ISDIR(inode.mode)) {
		if (inode.parent != parent)
			fsck_found(fsck,
				"directory %" PRIu64 " is in %" PRIu64 " and says that it is in %" PRIu64,
				ino, parent, inode.parent);
		rc = count(&tally->subdirs, parent);
	}
	return rc;
}

static int check_entry(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct tally *tally = ctx;
	char name[NAMES_MAX + 1];
	uint64_t parent, ino;
	size_t len;
	int rc;

	parent = pair->key_len < ENTRY_KEY_MIN ? 0 : get_be64(pair->key);
	len = pair->key_len - 16;
	if (!parent || len > NAMES_MAX || memchr(pair->key + 16, 0, len) || pair->value_len != ENTRY_VALUE ||
		!get_le64(pair->value)) {
		fsck_found(fsck, "directory %" PRIu64 ": a damaged entry", parent);
		return 0;
	}
	memcpy(name, pair->key + 16, len);
	name[len] = 0;
	ino = get_le64(pair->value);
	rc = count(&tally->links, ino);
	if (!rc)
		rc = count(&tally->entries, parent);
	if (rc)
		return rc;
	rc = check_parent(fsck, tally, parent);
	if (rc)
		return rc == -ENOENT || rc == -EBADMSG || rc == -ENOTDIR ? 0 : rc;
	return check_child(fsck, tally, parent, name, ino, (uint32_t)pair->value[8] << 12);
}

/* --- inodes --- */

static bool is_orphan(const struct fsck *fsck, uint64_t ino)
{
	uint8_t key[8], value[8];
	size_t len;

	put_be64(key, ino);
	return kv_get(fsck->parts->kv, KV_ORPHANS, key, sizeof key, value, sizeof value, &len) != -ENOENT;
}

static int repair_links(struct fsck *fsck, struct inode *inode, uint64_t links)
{
	uint32_t was = inode->nlink;
	int rc;

	if (!fsck->options->repair || links > NAMES_LINK_MAX + 2) {
		fsck_found(fsck,
			"inode %" PRIu64 ": link count %" PRIu32 " is not %" PRIu64 "; --repair sets it",
			inode->ino, was, links);
		return 0;
	}
	inode->nlink = (uint32_t)links;
	rc = store(fsck, inode);
	if (!rc)
		fsck_fixed(fsck, "inode %" PRIu64 ": link count %" PRIu32 " set to %" PRIu64, inode->ino, was,
			links);
	return rc;
}

static int repair_size(struct fsck *fsck, struct inode *inode, uint64_t entries)
{
	uint64_t was = inode->size;
	int rc;

	if (!fsck->options->repair) {
		fsck_found(fsck,
			"directory %" PRIu64 ": it counts %" PRIu64 " entries and has %" PRIu64
			"; --repair sets it",
			inode->ino, was, entries);
		return 0;
	}
	inode->size = entries;
	rc = store(fsck, inode);
	if (!rc)
		fsck_fixed(fsck, "directory %" PRIu64 ": entries counted anew, %" PRIu64 " and not %" PRIu64,
			inode->ino, entries, was);
	return rc;
}

static int note_cache(void *ctx, uint64_t ino, uint64_t max_size)
{
	(void)max_size;
	return count(ctx, ino);
}

/* A cache that is not on the list of caches has lost its bound. */
static int check_cache(struct fsck *fsck, const struct tally *tally, const struct inode *inode)
{
	int rc;

	if (inode->cache != inode->ino || numbers_get(&tally->caches, inode->ino))
		return 0;
	if (!fsck->options->repair) {
		fsck_found(fsck, "directory %" PRIu64 " is not on the list of caches; --repair enters it",
			inode->ino);
		return 0;
	}
	rc = names_setxattr(fsck->parts->names, inode->ino, NAMES_PROFILE, "cache", 5, 0);
	if (!rc)
		fsck_fixed(fsck, "directory %" PRIu64 " is on the list of caches again, without a bound",
			inode->ino);
	return rc;
}

static int check_directory(struct fsck *fsck, struct tally *tally, struct inode *inode, uint64_t names)
{
	uint64_t entries = numbers_get(&tally->entries, inode->ino);
	uint64_t links = 2 + numbers_get(&tally->subdirs, inode->ino);
	int rc = 0;

	if (names > 1 || (names && inode->ino == NAMES_ROOT))
		fsck_found(fsck, "directory %" PRIu64 " is in %" PRIu64 " places", inode->ino, names);
	if (inode->nlink != links)
		rc = repair_links(fsck, inode, links);
	if (!rc && inode->size != entries)
		rc = repair_size(fsck, inode, entries);
	return rc ? rc : check_cache(fsck, tally, inode);
}

static int check_inode(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct tally *tally = ctx;
	char target[NAMES_SYMLINK_MAX + 1];
	struct inode inode;
	uint64_t names;

	if (pair->key_len != 8 || inode_decode(&inode, get_be64(pair->key), pair->value, pair->value_len)) {
		fsck_found(fsck, "inode %" PRIu64 ": a damaged record",
			pair->key_len >= 8 ? get_be64(pair->key) : 0);
		return 0;
	}
	names = numbers_get(&tally->links, inode.ino);
	if (!names && inode.ino != NAMES_ROOT) {
		if (inode.nlink)
			fsck_found(fsck, "inode %" PRIu64 " (%" PRIu64 " bytes) has no name", inode.ino,
				inode.size);
		else if (!is_orphan(fsck, inode.ino))
			fsck_found(fsck,
				"inode %" PRIu64 " has no name and is not on the list of those to drop",
				inode.ino);
		return 0;
	}
	if (S_ISDIR(inode.mode))
		return check_directory(fsck, tally, &inode, names);
	if (S_ISLNK(inode.mode) && names_readlink(fsck->parts->names, inode.ino, target, sizeof target))
		fsck_found(fsck, "symbolic link %" PRIu64 " has no target", inode.ino);
	return inode.nlink == names ? 0 : repair_links(fsck, &inode, names);
}

/* --- what hangs on inodes --- */

static int check_orphan(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct inode inode;

	(void)ctx;
	if (pair->key_len != 8 || load(fsck, get_be64(pair->key), &inode))
		fsck_found(fsck, "the list of inodes to drop names one that is missing or damaged");
	else if (inode.nlink)
		fsck_found(
			fsck, "inode %" PRIu64 " is on the list of those to drop and has a name", inode.ino);
	return 0;
}

/* The one with an empty name is the target of a symbolic link. */
static int check_xattr(struct fsck *fsck, void *ctx, const struct pair *pair)
{
	struct tally *tally = ctx;
	uint64_t ino = pair->key_len >= 8 ? get_be64(pair->key) : 0;
	struct inode inode;

	if (pair->key_len > 8) {
		if (ino == tally->xattrs_of)
			return 0;
		tally->xattrs_of = ino;
	}
	if (!ino || load(fsck, ino, &inode)) {
		fsck_found(
			fsck, "extended attributes of inode %" PRIu64 ", which is missing or damaged", ino);
		return 0;
	}
	if (pair->key_len == 8) {
		if (!S_ISLNK(inode.mode) || pair->value_len != inode.size)
			fsck_found(fsck, "inode %" PRIu64 ": a target of %zu bytes that is not its own", ino,
				pair->value_len);
		return 0;
	}
	if (inode.flags & INODE_XATTRS)
		return 0;
	if (!fsck->options->repair) {
		fsck_found(fsck,
			"inode %" PRIu64 " does not know of its extended attributes; --repair tells it", ino);
		return 0;
	}
	inode.flags |= INODE_XATTRS;
	fsck_fixed(fsck, "inode %" PRIu64 " did not know of its extended attributes", ino);
	return store(fsck, &inode);
}

/* Every directory must lead to the root. `reaches` remembers those that do. */
static int climb(struct fsck *fsck, struct numbers *reaches, uint64_t from)
{
	uint64_t ino = from, steps = 0;

	while (ino != NAMES_ROOT && !numbers_get(reaches, ino)) {
		struct inode inode;

		/* More steps than there are directories seen: a loop. */
		if (load(fsck, ino, &inode) || !S_ISDIR(inode.mode) || !inode.nlink || ++steps > 1u << 20) {
			fsck_found(fsck, "directory %" PRIu64 " does not lead to the root", from);
			return 0;
		}
		ino = inode.parent;
	}
	return count(reaches, from);
}

static int check_reach(struct fsck *fsck, struct tally *tally)
{
	struct numbers reaches = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < tally->entries.capacity; i++) {
		uint64_t ino = tally->entries.entries[i].key;
		struct inode inode;

		if (ino && !load(fsck, ino, &inode) && S_ISDIR(inode.mode) && inode.nlink)
			rc = climb(fsck, &reaches, ino);
	}
	numbers_release(&reaches);
	return rc;
}

int fsck_names(struct fsck *fsck)
{
	struct tally tally = {0};
	struct inode root;
	int rc = fsck_step(fsck, "names", 0);

	if (!rc && load(fsck, NAMES_ROOT, &root))
		fsck_found(fsck, "the root directory is missing or damaged");
	if (!rc)
		rc = fsck_walk(fsck, KV_ENTRIES, check_entry, &tally);
	if (!rc)
		rc = fsck_step(fsck, "names", 0.5);
	if (!rc)
		rc = names_caches(fsck->parts->names, note_cache, &tally.caches);
	if (!rc)
		rc = fsck_walk(fsck, KV_INODES, check_inode, &tally);
	if (!rc)
		rc = fsck_walk(fsck, KV_ORPHANS, check_orphan, &tally);
	if (!rc)
		rc = fsck_walk(fsck, KV_XATTRS, check_xattr, &tally);
	if (!rc)
		rc = check_reach(fsck, &tally);
	if (!rc)
		rc = fsck_step(fsck, "names", 1);
	numbers_release(&tally.links);
	numbers_release(&tally.subdirs);
	numbers_release(&tally.caches);
	numbers_release(&tally.entries);
	return rc;
}
