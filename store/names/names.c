/* Opening and closing the namespace, inode numbers, and finding a name. */
#include "store/names/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/names/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

#define KEY_NEXT "names.next" /* le64: the first inode number that is not reserved */
#define KEY_COUNTS                                                                                           \
	"names.counts" /* le64 files, directories, others: there only while the store is closed              \
			*/
#define NUMBERS_BLOCK 4096u

static void put_meta(
	struct names *names, struct kv_batch *batch, const char *key, const void *value, size_t len)
{
	kv_batch_put(names->kv, batch, KV_META, key, strlen(key), value, len);
}

static void put_next(struct names *names, struct kv_batch *batch, uint64_t next)
{
	uint8_t value[8];

	put_le64(value, next);
	put_meta(names, batch, KEY_NEXT, value, sizeof value);
}

static int make_root(struct names *names, uint32_t uid, uint32_t gid)
{
	struct timespec now = inode_now();
	const struct inode root = {
		.ino = NAMES_ROOT,
		.mode = S_IFDIR | 0755,
		.uid = uid,
		.gid = gid,
		.nlink = 2,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
		.parent = NAMES_ROOT,
	};
	struct kv_batch *batch = kv_batch_new();
	int rc;

	if (!batch)
		return -ENOMEM;
	inode_store(names, batch, &root);
	put_next(names, batch, NAMES_ROOT + 1);
	rc = kv_write(names->kv, batch, false);
	kv_batch_free(batch);
	return rc;
}

/* The higher of what is recorded and what is used: numbers stay unique even when the record is lost. */
static int load_numbers(struct names *names)
{
	static const uint8_t last[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct kv_iter *it = kv_iter_new(names->kv, KV_INODES, NULL, 0);
	uint8_t value[8];
	size_t len = 0;
	int rc;

	if (!it)
		return -ENOMEM;
	kv_iter_seek_for_prev(it, last, sizeof last);
	if (kv_iter_valid(it)) {
		const void *key = kv_iter_key(it, &len);
		if (len == 8)
			names->next_ino = get_be64(key) + 1;
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	if (rc)
		return rc;
	rc = kv_get(names->kv, KV_META, KEY_NEXT, strlen(KEY_NEXT), value, sizeof value, &len);
	if (!rc && len == 8 && get_le64(value) > names->next_ino)
		names->next_ino = get_le64(value);
	names->last_ino = names->next_ino;
	return rc == -EIO ? rc : 0;
}

static int count_all(struct names *names)
{
	struct kv_iter *it = kv_iter_new(names->kv, KV_INODES, NULL, 0);
	struct inode inode;
	int rc;

	if (!it)
		return -ENOMEM;
	for (; kv_iter_valid(it); kv_iter_next(it)) {
		size_t key_len, len;
		const void *key = kv_iter_key(it, &key_len);
		const void *record = kv_iter_value(it, &len);
		if (key_len == 8 && !inode_decode(&inode, get_be64(key), record, len) && inode.nlink &&
			inode.ino != NAMES_ROOT)
			names_counted(names, inode.mode, 1);
	}
	rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

/* Takes the counts that the last clean close left, so that a later death is seen; else counts. */
static int load_counts(struct names *names)
{
	struct kv_batch *batch;
	uint8_t value[24];
	size_t len = 0;
	int rc = kv_get(names->kv, KV_META, KEY_COUNTS, strlen(KEY_COUNTS), value, sizeof value, &len);

	if (rc || len != sizeof value)
		return count_all(names);
	batch = kv_batch_new();
	if (!batch)
		return -ENOMEM;
	kv_batch_delete(names->kv, batch, KV_META, KEY_COUNTS, strlen(KEY_COUNTS));
	rc = kv_write(names->kv, batch, false);
	kv_batch_free(batch);
	names->files = get_le64(value);
	names->directories = get_le64(value + 8);
	names->others = get_le64(value + 16);
	return rc == -EROFS || rc == -ENOSPC ? 0 : rc;
}

static void save(struct names *names)
{
	struct kv_batch *batch = kv_batch_new();
	uint8_t value[24];

	if (!batch)
		return;
	put_le64(value, names->files);
	put_le64(value + 8, names->directories);
	put_le64(value + 16, names->others);
	put_meta(names, batch, KEY_COUNTS, value, sizeof value);
	put_next(names, batch, names->next_ino);
	kv_write(names->kv, batch, false); /* without it the next open counts */
	kv_batch_free(batch);
}

static void init_locks(struct names *names)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&names->stripes[i], NULL);
	pthread_mutex_init(&names->moving, NULL);
	pthread_mutex_init(&names->numbers, NULL);
}

static void release(struct names *names)
{
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&names->stripes[i]);
	pthread_mutex_destroy(&names->moving);
	pthread_mutex_destroy(&names->numbers);
	free(names);
}

int names_open(struct kv *kv, uint64_t seed, uint32_t root_uid, uint32_t root_gid, struct names **out)
{
	struct names *names = calloc(1, sizeof *names);
	struct inode root;
	int rc;

	if (!names)
		return -ENOMEM;
	names->kv = kv;
	names->seed = seed;
	names->hash_mask = UINT64_MAX;
	init_locks(names);
	rc = inode_load(names, NAMES_ROOT, &root);
	if (rc == -ENOENT)
		rc = make_root(names, root_uid, root_gid);
	if (!rc)
		rc = load_numbers(names);
	if (!rc)
		rc = load_counts(names);
	if (rc) {
		release(names);
		return rc;
	}
	*out = names;
	return 0;
}

void names_close(struct names *names)
{
	if (!names)
		return;
	save(names);
	release(names);
}

static int reserve_block(struct names *names)
{
	struct kv_batch *batch = kv_batch_new();
	uint64_t last = names->last_ino + NUMBERS_BLOCK;
	int rc;

	if (!batch)
		return -ENOMEM;
	put_next(names, batch, last);
	rc = kv_write(names->kv, batch, false);
	kv_batch_free(batch);
	if (!rc)
		names->last_ino = last;
	return rc;
}

int names_reserve(struct names *names, uint64_t *ino)
{
	int rc = 0;

	pthread_mutex_lock(&names->numbers);
	if (names->next_ino == names->last_ino)
		rc = reserve_block(names);
	if (!rc)
		*ino = names->next_ino++;
	pthread_mutex_unlock(&names->numbers);
	return rc;
}

/* "." and "..". */
static int lookup_dots(struct names *names, uint64_t parent, const char *name, struct inode *out)
{
	int rc = inode_load(names, parent, out);

	if (!rc && !S_ISDIR(out->mode))
		return -ENOTDIR;
	return rc || !name[1] ? rc : inode_load(names, out->parent, out);
}

int names_lookup(struct names *names, uint64_t parent, const char *name, struct inode *out)
{
	struct entry entry;
	int rc;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return lookup_dots(names, parent, name, out);
	rc = name_check(name);
	if (!rc)
		rc = entry_get(names, parent, name, &entry);
	if (!rc)
		return inode_load(names, entry.ino, out);
	if (rc != -ENOENT)
		return rc;
	rc = directory_load(names, parent, out);
	return rc ? rc : -ENOENT;
}

int names_sync(struct names *names)
{
	return kv_sync(names->kv);
}
