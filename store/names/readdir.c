/*
 * Walking a directory. Offset 0 is before ".", 1 before "..", 2 before the first entry; any other is the
 * lowest hash that the walk has not passed.
 */
#include <errno.h>
#include <string.h>

#include "store/names/internal.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

#define OFFSET_DOT 1u
#define OFFSET_FIRST 2u

typedef int (*emit_fn)(void *ctx, const struct names_entry *entry);

/* An entry, copied, so that it is still there when the next one has been looked at. */
struct step {
	char name[NAMES_MAX + 1];
	uint64_t hash;
	struct entry entry;
};

/* Reads the entry that the iterator is at. 0 or -EIO. */
static int read_step(struct kv_iter *it, uint64_t ino, struct step *step)
{
	size_t key_len, len;
	const uint8_t *key = kv_iter_key(it, &key_len);
	const uint8_t *value = kv_iter_value(it, &len);

	if (key_len <= 16 || key_len > ENTRY_KEY_MAX || entry_decode(&step->entry, value, len)) {
		log_error("directory %llu: an entry is damaged", (unsigned long long)ino);
		return -EIO;
	}
	step->hash = get_be64(key + 8);
	memcpy(step->name, key + 16, key_len - 16);
	step->name[key_len - 16] = 0;
	return 0;
}

static int emit_dots(const struct inode *directory, uint64_t offset, emit_fn emit, void *ctx)
{
	const struct names_entry dot = {".", directory->ino, S_IFDIR, OFFSET_DOT};
	const struct names_entry dots = {"..", directory->parent, S_IFDIR, OFFSET_FIRST};
	int rc = 0;

	if (offset < OFFSET_DOT)
		rc = emit(ctx, &dot);
	if (!rc && offset < OFFSET_FIRST)
		rc = emit(ctx, &dots);
	return rc;
}

/* Whether the iterator is at another entry with the same hash: then the walk cannot go on past it by hash. */
static bool is_shared(const struct kv_iter *it, uint64_t hash)
{
	size_t len;
	const uint8_t *key;

	if (!kv_iter_valid(it))
		return false;
	key = kv_iter_key(it, &len);
	return len > 16 && get_be64(key + 8) == hash;
}

static int emit_entries(struct kv_iter *it, uint64_t ino, emit_fn emit, void *ctx)
{
	struct step step;
	int rc;

	while (kv_iter_valid(it)) {
		struct names_entry entry = {.name = step.name};
		rc = read_step(it, ino, &step);
		if (rc)
			return rc;
		kv_iter_next(it);
		entry.ino = step.entry.ino;
		entry.type = step.entry.type;
		entry.next = is_shared(it, step.hash) ? step.hash : step.hash + 1;
		if (emit(ctx, &entry))
			return 0;
	}
	return kv_iter_error(it);
}

int names_readdir(struct names *names, uint64_t ino, uint64_t offset,
	int (*emit)(void *ctx, const struct names_entry *entry), void *ctx)
{
	struct inode directory;
	struct kv_iter *it;
	uint8_t key[16];
	int rc = inode_load(names, ino, &directory);

	if (rc)
		return rc;
	if (!S_ISDIR(directory.mode))
		return -ENOTDIR;
	if (emit_dots(&directory, offset, emit, ctx))
		return 0;
	put_be64(key, ino);
	put_be64(key + 8, offset < FIRST_HASH ? FIRST_HASH : offset);
	it = kv_iter_new(names->kv, KV_ENTRIES, key, 8);
	if (!it)
		return -ENOMEM;
	kv_iter_seek(it, key, sizeof key);
	rc = emit_entries(it, ino, emit, ctx);
	kv_iter_free(it);
	return rc;
}
