#include <errno.h>
#include <string.h>

#include "store/names/names.h"
#include "store/util/bytes.h"

#define RECORD_VERSION 1u
#define RECORD_SIZE 120u
#define FLAGS_KNOWN                                                                                          \
	(INODE_XATTRS | INODE_ACL | INODE_DEFAULT_ACL | INODE_CAPABILITY | INODE_CACHE | INODE_EVICTED)

enum {
	AT_VERSION = 0,
	AT_CONTENT = 1,
	AT_FLAGS = 2,
	AT_MODE = 4,
	AT_UID = 8,
	AT_GID = 12,
	AT_NLINK = 16,
	AT_ATIME_NS = 20,
	AT_ATIME = 24,
	AT_MTIME = 32,
	AT_CTIME = 40,
	AT_BTIME = 48,
	AT_MTIME_NS = 56,
	AT_CTIME_NS = 60,
	AT_BTIME_NS = 64,
	AT_ZERO = 68,
	AT_SIZE = 72,
	AT_BLOCKS = 80,
	AT_RDEV = 88,
	AT_PARENT = 96,
	AT_RECIPE = 104,
	AT_CONTENT_VERSION = 112,
};

static void put_time(uint8_t *dst, size_t at, size_t at_ns, const struct timespec *t)
{
	put_le64(dst + at, (uint64_t)t->tv_sec);
	put_le32(dst + at_ns, (uint32_t)t->tv_nsec);
}

static bool get_time(const uint8_t *src, size_t at, size_t at_ns, struct timespec *t)
{
	t->tv_sec = (time_t)get_le64(src + at);
	t->tv_nsec = (long)get_le32(src + at_ns);
	return t->tv_nsec < 1000000000L;
}

size_t inode_encode(const struct inode *inode, uint8_t dst[NAMES_RECORD_MAX])
{
	dst[AT_VERSION] = RECORD_VERSION;
	dst[AT_CONTENT] = (uint8_t)inode->content;
	put_le16(dst + AT_FLAGS, (uint16_t)inode->flags);
	put_le32(dst + AT_MODE, inode->mode);
	put_le32(dst + AT_UID, inode->uid);
	put_le32(dst + AT_GID, inode->gid);
	put_le32(dst + AT_NLINK, inode->nlink);
	put_time(dst, AT_ATIME, AT_ATIME_NS, &inode->atime);
	put_time(dst, AT_MTIME, AT_MTIME_NS, &inode->mtime);
	put_time(dst, AT_CTIME, AT_CTIME_NS, &inode->ctime);
	put_time(dst, AT_BTIME, AT_BTIME_NS, &inode->btime);
	put_le32(dst + AT_ZERO, 0);
	put_le64(dst + AT_SIZE, inode->size);
	put_le64(dst + AT_BLOCKS, inode->blocks);
	put_le64(dst + AT_RDEV, inode->flags & INODE_CACHE ? inode->cache : inode->rdev);
	put_le64(dst + AT_PARENT, inode->parent);
	put_le64(dst + AT_RECIPE, inode->recipe);
	put_le64(dst + AT_CONTENT_VERSION, inode->version);
	return RECORD_SIZE;
}

static bool is_file_type(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) ||
	       S_ISCHR(mode) || S_ISBLK(mode);
}

static bool is_sound(const struct inode *inode)
{
	if (inode->mode > 0177777 || !is_file_type(inode->mode) || inode->size > INT64_MAX)
		return false;
	if (inode->content > CONTENT_ENCODED || (inode->content != CONTENT_NONE && !S_ISREG(inode->mode)))
		return false;
	if ((inode->flags & INODE_CACHE) &&
		(!inode->cache || !(S_ISREG(inode->mode) || S_ISDIR(inode->mode))))
		return false;
	return (inode->flags & ~FLAGS_KNOWN) == 0 && S_ISDIR(inode->mode) == (inode->parent != 0);
}

int inode_decode(struct inode *inode, uint64_t ino, const uint8_t *src, size_t len)
{
	memset(inode, 0, sizeof *inode);
	if (len != RECORD_SIZE || src[AT_VERSION] != RECORD_VERSION || get_le32(src + AT_ZERO) != 0)
		return -EBADMSG;
	inode->ino = ino;
	inode->content = (enum content_state)src[AT_CONTENT];
	inode->flags = get_le16(src + AT_FLAGS);
	inode->mode = get_le32(src + AT_MODE);
	inode->uid = get_le32(src + AT_UID);
	inode->gid = get_le32(src + AT_GID);
	inode->nlink = get_le32(src + AT_NLINK);
	inode->size = get_le64(src + AT_SIZE);
	inode->blocks = get_le64(src + AT_BLOCKS);
	if (inode->flags & INODE_CACHE)
		inode->cache = get_le64(src + AT_RDEV);
	else
		inode->rdev = get_le64(src + AT_RDEV);
	inode->parent = get_le64(src + AT_PARENT);
	inode->recipe = get_le64(src + AT_RECIPE);
	inode->version = get_le64(src + AT_CONTENT_VERSION);
	if (!get_time(src, AT_ATIME, AT_ATIME_NS, &inode->atime) ||
		!get_time(src, AT_MTIME, AT_MTIME_NS, &inode->mtime) ||
		!get_time(src, AT_CTIME, AT_CTIME_NS, &inode->ctime) ||
		!get_time(src, AT_BTIME, AT_BTIME_NS, &inode->btime))
		return -EBADMSG;
	return is_sound(inode) ? 0 : -EBADMSG;
}
