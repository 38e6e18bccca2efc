/* Directory entries: be64 parent, be64 hash of the name, name -> le64 child, u8 type. */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "store/names/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

int name_check(const char *name)
{
	size_t len = strlen(name);

	if (len > NAMES_MAX)
		return -ENAMETOOLONG;
	if (!len || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	return 0;
}

uint64_t name_hash(const struct names *names, const char *name, size_t len)
{
	uint64_t hash = XXH3_64bits_withSeed(name, len, names->seed) >> 2 & names->hash_mask;

	return hash < FIRST_HASH ? hash + FIRST_HASH : hash;
}

static size_t entry_key(
	const struct names *names, uint8_t key[ENTRY_KEY_MAX], uint64_t parent, const char *name)
{
	size_t len = strlen(name);

	put_be64(key, parent);
	put_be64(key + 8, name_hash(names, name, len));
	memcpy(key + 16, name, len);
	return 16 + len;
}

int entry_decode(struct entry *out, const uint8_t *value, size_t len)
{
	if (len != ENTRY_VALUE_SIZE || value[8] > 15)
		return -EBADMSG;
	out->ino = get_le64(value);
	out->type = (uint32_t)value[8] << 12;
	return out->ino ? 0 : -EBADMSG;
}

int entry_get(struct names *names, uint64_t parent, const char *name, struct entry *out)
{
	uint8_t key[ENTRY_KEY_MAX], value[ENTRY_VALUE_SIZE];
	size_t len = 0;
	int rc = kv_get(
		names->kv, KV_ENTRIES, key, entry_key(names, key, parent, name), value, sizeof value, &len);

	if (rc == -ENOENT)
		return rc;
	if (rc == -ENOBUFS || (!rc && entry_decode(out, value, len))) {
		log_error("directory %llu: the entry of \"%s\" is damaged", (unsigned long long)parent, name);
		return -EIO;
	}
	return rc;
}

int entry_absent(struct names *names, uint64_t parent)
{
	struct inode directory;
	int rc = directory_load(names, parent, &directory);

	return rc ? rc : -ENOENT;
}

int entry_lock(struct names *names, uint64_t parent, const char *name, struct entry *out, struct locks *locks)
{
	struct entry seen;
	int rc;

	locks_take(names, locks, &parent, 1);
	for (;;) {
		rc = entry_get(names, parent, name, &seen);
		if (!rc && locks_try(names, locks, seen.ino)) {
			*out = seen;
			return 0;
		}
		locks_release(names, locks);
		if (rc)
			return rc == -ENOENT ? entry_absent(names, parent) : rc;
		/* In their order; what was seen may have changed meanwhile. */
		locks_take(names, locks, (uint64_t[]){parent, seen.ino}, 2);
	}
}

int child_load(struct names *names, const struct entry *entry, struct inode *out)
{
	int rc = inode_load(names, entry->ino, out);

	if (rc && rc != -ENOENT)
		return rc;
	if (rc || (out->mode & S_IFMT) != entry->type || !out->nlink) {
		log_error("inode %llu is not what its name says", (unsigned long long)entry->ino);
		return -EIO;
	}
	return 0;
}

void entry_put(struct names *names, struct kv_batch *batch, uint64_t parent, const char *name,
	const struct inode *child)
{
	uint8_t key[ENTRY_KEY_MAX], value[ENTRY_VALUE_SIZE];
	size_t len = entry_key(names, key, parent, name);

	put_le64(value, child->ino);
	value[8] = (uint8_t)(child->mode >> 12);
	kv_batch_put(names->kv, batch, KV_ENTRIES, key, len, value, sizeof value);
}

void entry_delete(struct names *names, struct kv_batch *batch, uint64_t parent, const char *name)
{
	uint8_t key[ENTRY_KEY_MAX];
	size_t len = entry_key(names, key, parent, name);

	kv_batch_delete(names->kv, batch, KV_ENTRIES, key, len);
}
