#include "store/kv/superblock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "store/util/bytes.h"
#include "store/util/io.h"

enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_FLAGS = 12,
	AT_UUID = 16,
	AT_SEED = 32,
	AT_CREATED = 40,
	AT_CHUNK_SIZE = 48,
	AT_CHECKSUM = SUPERBLOCK_SIZE - 8,
};

#define MAGIC "MITHRIL\n"
#define CHUNK_SIZE_DEFAULT (1u << 20)
#define CHUNK_SIZE_MAX (1u << 26)

void superblock_encode(const struct superblock *sb, uint8_t dst[SUPERBLOCK_SIZE])
{
	memset(dst, 0, SUPERBLOCK_SIZE);
	memcpy(dst + AT_MAGIC, MAGIC, 8);
	put_le32(dst + AT_VERSION, sb->version);
	memcpy(dst + AT_UUID, sb->uuid, sizeof sb->uuid);
	put_le64(dst + AT_SEED, sb->hash_seed);
	put_le64(dst + AT_CREATED, sb->created);
	put_le32(dst + AT_CHUNK_SIZE, sb->chunk_size);
	put_le64(dst + AT_CHECKSUM, XXH3_64bits(dst, AT_CHECKSUM));
}

int superblock_decode(struct superblock *sb, const uint8_t *src, size_t len)
{
	memset(sb, 0, sizeof *sb);
	if (len < 8 || memcmp(src + AT_MAGIC, MAGIC, 8) != 0)
		return -EINVAL;
	if (len != SUPERBLOCK_SIZE || get_le64(src + AT_CHECKSUM) != XXH3_64bits(src, AT_CHECKSUM))
		return -EBADMSG;
	sb->version = get_le32(src + AT_VERSION);
	if (sb->version > SUPERBLOCK_VERSION || get_le32(src + AT_FLAGS) != 0)
		return -EPROTONOSUPPORT;
	memcpy(sb->uuid, src + AT_UUID, sizeof sb->uuid);
	sb->hash_seed = get_le64(src + AT_SEED);
	sb->created = get_le64(src + AT_CREATED);
	sb->chunk_size = get_le32(src + AT_CHUNK_SIZE);
	if (sb->version == 0 || sb->chunk_size == 0 || sb->chunk_size > CHUNK_SIZE_MAX)
		return -EBADMSG;
	return 0;
}

int superblock_generate(struct superblock *sb)
{
	uint8_t random[24];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return -EIO;
	memset(sb, 0, sizeof *sb);
	sb->version = SUPERBLOCK_VERSION;
	memcpy(sb->uuid, random, 16);
	sb->uuid[6] = (sb->uuid[6] & 0x0f) | 0x40; /* RFC 4122, version 4 */
	sb->uuid[8] = (sb->uuid[8] & 0x3f) | 0x80;
	sb->hash_seed = get_le64(random + 16);
	sb->created = (uint64_t)time(NULL);
	sb->chunk_size = CHUNK_SIZE_DEFAULT;
	return 0;
}

static int join(char dst[PATH_MAX], const char *store, const char *name)
{
	int n = snprintf(dst, PATH_MAX, "%s/%s", store, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int write_file(const char *path, const uint8_t *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = io_pwrite_full(fd, bytes, len, 0);
	if (!rc && fsync(fd))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

int superblock_write(const char *store, const struct superblock *sb)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	uint8_t block[SUPERBLOCK_SIZE];
	int rc;

	if (join(path, store, "superblock") || join(temporary, store, "superblock.new"))
		return -ENAMETOOLONG;
	superblock_encode(sb, block);
	rc = write_file(temporary, block, sizeof block);
	if (!rc && rename(temporary, path))
		rc = -errno;
	if (rc) {
		unlink(temporary);
		return rc;
	}
	return io_sync_dir(store);
}

int superblock_read(const char *store, struct superblock *sb)
{
	char path[PATH_MAX];
	uint8_t block[SUPERBLOCK_SIZE + 1]; /* one more, to see a file that is too long */
	ssize_t n;
	int fd;

	if (join(path, store, "superblock"))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = io_pread_some(fd, block, sizeof block, 0);
	close(fd);
	if (n < 0)
		return (int)n;
	return superblock_decode(sb, block, (size_t)n);
}
