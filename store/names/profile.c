/* The cache profile: in the inode what is asked at every creation, in KV_META the caches and their bounds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/names/internal.h"
#include "store/util/bytes.h"

#define CACHE_KEY "cache."
#define CACHE_KEY_LEN 6u
#define CACHE_KEY_SIZE (CACHE_KEY_LEN + 8u)
#define VALUE_MAX 32u

bool is_profile(const char *name)
{
	return !strcmp(name, NAMES_PROFILE) || !strcmp(name, NAMES_MAX_SIZE);
}

static bool is_cache(const struct inode *inode)
{
	return inode->cache && inode->cache == inode->ino;
}

static void cache_key(uint8_t key[CACHE_KEY_SIZE], uint64_t ino)
{
	memcpy(key, CACHE_KEY, CACHE_KEY_LEN);
	put_be64(key + CACHE_KEY_LEN, ino);
}

static void remember(struct names *names, struct kv_batch *batch, uint64_t ino, uint64_t max_size)
{
	uint8_t key[CACHE_KEY_SIZE], value[8];

	cache_key(key, ino);
	put_le64(value, max_size);
	kv_batch_put(names->kv, batch, KV_META, key, sizeof key, value, sizeof value);
}

void profile_forget(struct names *names, struct kv_batch *batch, uint64_t ino)
{
	uint8_t key[CACHE_KEY_SIZE];

	cache_key(key, ino);
	kv_batch_delete(names->kv, batch, KV_META, key, sizeof key);
}

/* 0 also where there is none. */
static int bound_of(struct names *names, const struct inode *inode, uint64_t *max_size)
{
	uint8_t key[CACHE_KEY_SIZE], value[8];
	size_t len;
	int rc = -ENOENT;

	*max_size = 0;
	if (is_cache(inode)) {
		cache_key(key, inode->ino);
		rc = kv_get(names->kv, KV_META, key, sizeof key, value, sizeof value, &len);
	}
	if (!rc && len == sizeof value)
		*max_size = get_le64(value);
	return rc == -ENOENT ? 0 : rc == -ENOBUFS ? -EIO : rc;
}

/* The attribute's text, or -ENODATA. */
static int text_of(struct names *names, const struct inode *inode, const char *name, char text[VALUE_MAX])
{
	uint64_t max_size;
	int rc;

	if (!strcmp(name, NAMES_PROFILE)) {
		strcpy(text, "cache");
		return inode->flags & INODE_CACHE ? 0 : -ENODATA;
	}
	rc = bound_of(names, inode, &max_size);
	snprintf(text, VALUE_MAX, "%" PRIu64, max_size);
	return rc || max_size ? rc : -ENODATA;
}

ssize_t profile_get(
	struct names *names, const struct inode *inode, const char *name, void *dst, size_t capacity)
{
	char text[VALUE_MAX];
	int rc = text_of(names, inode, name, text);
	size_t len = strlen(text);

	if (rc)
		return rc;
	if (!capacity)
		return (ssize_t)len;
	if (len > capacity)
		return -ERANGE;
	memcpy(dst, text, len);
	return (ssize_t)len;
}

ssize_t profile_list(struct names *names, const struct inode *inode, char *dst, size_t capacity)
{
	static const char *const all[] = {NAMES_PROFILE, NAMES_MAX_SIZE};
	char text[VALUE_MAX];
	size_t total = 0;

	for (size_t i = 0; is_cache(inode) && i < 2; i++) {
		size_t len = strlen(all[i]) + 1;
		int rc = text_of(names, inode, all[i], text);
		if (rc == -ENODATA)
			continue;
		if (rc)
			return rc;
		if (total + len <= capacity)
			memcpy(dst + total, all[i], len);
		total += len;
	}
	return (ssize_t)total;
}

int profile_parse_bound(const char *text, uint64_t *out)
{
	static const char letters[] = "KMGT";
	uint64_t step = 1024;
	const char *letter;
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || end == text || *text < '0' || *text > '9')
		return -EINVAL;
	if (!*end)
		return *out > INT64_MAX ? -EINVAL : 0;
	letter = strchr(letters, *end++);
	if (!letter)
		return -EINVAL;
	if (!strcmp(end, "B"))
		step = 1000;
	else if (*end && strcmp(end, "iB") != 0)
		return -EINVAL;
	for (; letter >= letters; letter--)
		if (__builtin_mul_overflow(*out, step, out))
			return -EINVAL;
	return *out > INT64_MAX ? -EINVAL : 0;
}

static int set_profile(struct names *names, struct kv_batch *batch, struct inode *inode, bool on)
{
	uint64_t max_size = 0;
	int rc = on ? bound_of(names, inode, &max_size) : 0;

	if (rc)
		return rc;
	if (on)
		remember(names, batch, inode->ino, max_size);
	else if (is_cache(inode))
		profile_forget(names, batch, inode->ino);
	inode->flags = on ? inode->flags | INODE_CACHE : inode->flags & ~(uint32_t)INODE_CACHE;
	inode->cache = on ? inode->ino : 0;
	return store_inode(names, batch, inode);
}

int profile_set(struct names *names, struct kv_batch *batch, struct inode *inode, const char *name,
	const void *value, size_t len, int flags)
{
	char text[VALUE_MAX];
	uint64_t max_size = 0;
	int there = text_of(names, inode, name, text);

	if (there && there != -ENODATA)
		return there;
	if (there && (!value || (flags & XATTR_REPLACE)))
		return -ENODATA;
	if (!there && (flags & XATTR_CREATE))
		return -EEXIST;
	if (len >= sizeof text)
		return -EINVAL;
	memcpy(text, value ? value : "", len);
	text[len] = '\0';
	if (!strcmp(name, NAMES_PROFILE)) {
		bool on = value && !strcmp(text, "cache");
		if (value && !on && strcmp(text, "default") != 0)
			return -EINVAL;
		if (on && !S_ISDIR(inode->mode))
			return -ENOTDIR;
		return set_profile(names, batch, inode, on);
	}
	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (!is_cache(inode) || (value && profile_parse_bound(text, &max_size)))
		return -EINVAL;
	remember(names, batch, inode->ino, max_size);
	return store_inode(names, batch, inode);
}

int names_caches(struct names *names, int (*each)(void *ctx, uint64_t ino, uint64_t max_size), void *ctx)
{
	struct kv_iter *it = kv_iter_new(names->kv, KV_META, CACHE_KEY, CACHE_KEY_LEN);
	int rc = 0;

	if (!it)
		return -ENOMEM;
	for (; !rc && kv_iter_valid(it); kv_iter_next(it)) {
		size_t key_len, len;
		const uint8_t *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
		struct inode inode;
		if (key_len != CACHE_KEY_SIZE || len != 8 ||
			inode_load(names, get_be64(key + CACHE_KEY_LEN), &inode) || !is_cache(&inode))
			continue;
		if (inode.nlink)
			rc = each(ctx, get_be64(key + CACHE_KEY_LEN), get_le64(value));
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

int names_used(struct names *names, uint64_t ino, struct timespec when)
{
	struct kv_batch *batch = kv_batch_new();
	struct inode inode;
	int rc;

	if (!batch)
		return -ENOMEM;
	names_lock(names, ino);
	rc = inode_load(names, ino, &inode);
	if (!rc && (when.tv_sec > inode.atime.tv_sec ||
			   (when.tv_sec == inode.atime.tv_sec && when.tv_nsec > inode.atime.tv_nsec))) {
		inode.atime = when;
		inode_store(names, batch, &inode);
		rc = kv_write(names->kv, batch, false);
	}
	names_unlock(names, ino);
	kv_batch_free(batch);
	return rc;
}
