#include "store/stage/kept_record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "store/kv/kv.h"
#include "store/names/names.h"
#include "store/util/bytes.h"

#define VERSION 1u
#define PREFIX "kept."
#define PREFIX_LEN (sizeof PREFIX - 1)
#define KEY_SIZE (PREFIX_LEN + 8)

void kept_record_encode(const struct kept_record *record, uint8_t dst[KEPT_RECORD_SIZE])
{
	memset(dst, 0, 8);
	dst[0] = VERSION;
	put_le64(dst + 8, record->version);
	put_le64(dst + 16, record->recipe);
	put_le64(dst + 24, record->size);
	put_le64(dst + 32, record->copy_ino);
	put_le64(dst + 40, (uint64_t)record->mtime.tv_sec);
	put_le64(dst + 48, (uint64_t)record->ctime.tv_sec);
	put_le32(dst + 56, (uint32_t)record->mtime.tv_nsec);
	put_le32(dst + 60, (uint32_t)record->ctime.tv_nsec);
}

int kept_record_decode(struct kept_record *record, const uint8_t *src, size_t len)
{
	if (len != KEPT_RECORD_SIZE || src[0] != VERSION)
		return -EBADMSG;
	*record = (struct kept_record){.version = get_le64(src + 8),
		.recipe = get_le64(src + 16),
		.size = get_le64(src + 24),
		.copy_ino = get_le64(src + 32),
		.mtime = {(time_t)get_le64(src + 40), (long)get_le32(src + 56)},
		.ctime = {(time_t)get_le64(src + 48), (long)get_le32(src + 60)}};
	return record->mtime.tv_nsec < 1000000000 && record->ctime.tv_nsec < 1000000000 ? 0 : -EBADMSG;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void kept_record_name(struct kept_record *record, const struct stat *st)
{
	record->copy_ino = st->st_ino;
	record->mtime = st->st_mtim;
	record->ctime = st->st_ctim;
}

bool kept_record_is_of(const struct kept_record *record, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && (uint64_t)st->st_size == record->size &&
	       st->st_ino == record->copy_ino && is_same_time(st->st_mtim, record->mtime) &&
	       is_same_time(st->st_ctim, record->ctime);
}

bool kept_record_fits(const struct kept_record *record, const struct inode *inode, const struct stat *st)
{
	return inode->content == CONTENT_ENCODED && inode->version == record->version &&
	       inode->recipe == record->recipe && inode->size == record->size &&
	       kept_record_is_of(record, st);
}

static void key_of(uint64_t ino, uint8_t key[KEY_SIZE])
{
	memcpy(key, PREFIX, PREFIX_LEN);
	put_be64(key + PREFIX_LEN, ino);
}

void kept_record_put(struct kv *kv, struct kv_batch *batch, uint64_t ino, const struct kept_record *record)
{
	uint8_t key[KEY_SIZE], value[KEPT_RECORD_SIZE];

	key_of(ino, key);
	kept_record_encode(record, value);
	kv_batch_put(kv, batch, KV_META, key, sizeof key, value, sizeof value);
}

void kept_record_delete(struct kv *kv, struct kv_batch *batch, uint64_t ino)
{
	uint8_t key[KEY_SIZE];

	key_of(ino, key);
	kv_batch_delete(kv, batch, KV_META, key, sizeof key);
}

int kept_record_get(struct kv *kv, uint64_t ino, struct kept_record *record)
{
	uint8_t key[KEY_SIZE], value[KEPT_RECORD_SIZE];
	size_t len;
	int rc;

	key_of(ino, key);
	rc = kv_get(kv, KV_META, key, sizeof key, value, sizeof value, &len);
	if (rc == -ENOBUFS)
		return -EBADMSG;
	return rc ? rc : kept_record_decode(record, value, len);
}

int kept_records_each(struct kv *kv, int (*each)(void *ctx, uint64_t ino), void *ctx)
{
	struct kv_iter *it = kv_iter_new(kv, KV_META, PREFIX, PREFIX_LEN);
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		size_t len;
		const uint8_t *key = kv_iter_key(it, &len);

		if (len == KEY_SIZE)
			rc = each(ctx, get_be64(key + PREFIX_LEN));
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}
