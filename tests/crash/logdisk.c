// links: PkgConfig::FUSE3
/*
 * A disk that remembers: a FUSE file system with one file, `disk`, to be put under a loop device. Each write
 * to it and each flush goes into a log, in order, so that the disk can be had again as a power cut at any
 * moment would have left it (tests/crash/powercut does that).
 *
 *   crash_logdisk IMAGE LOG MNT      in the foreground, until MNT is unmounted
 *
 * IMAGE holds the bytes. LOG gets records, back to back: 8 bytes offset, 8 bytes length, little-endian, and
 * the bytes written; a flush has the offset 2^64-1 and no bytes. The file `position` of MNT tells how many
 * records there are.
 *
 * One thread, so that the log's order is the order of the replies.
 */
#define FUSE_USE_VERSION 312
#include <fuse3/fuse.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FLUSH UINT64_MAX

struct disk {
	int image, log;
	uint64_t records;
};

static struct disk *self(void)
{
	return fuse_get_context()->private_data;
}

static bool is_disk(const char *path)
{
	return !strcmp(path, "/disk");
}

static int note(struct disk *disk, uint64_t off, const char *src, uint64_t len)
{
	uint64_t head[2] = {off, len};
	struct iovec parts[] = {{head, sizeof head}, {(void *)src, len}};

	if (writev(disk->log, parts, 2) != (ssize_t)(sizeof head + len))
		return -EIO;
	disk->records++;
	return 0;
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *file)
{
	(void)file;
	memset(st, 0, sizeof *st);
	st->st_nlink = 1;
	st->st_mode = S_IFREG | 0600;
	if (!strcmp(path, "/"))
		st->st_mode = S_IFDIR | 0700;
	else if (is_disk(path))
		return fstat(self()->image, st) ? -errno : 0;
	else if (strcmp(path, "/position"))
		return -ENOENT;
	return 0;
}

static int open_file(const char *path, struct fuse_file_info *file)
{
	file->direct_io = !is_disk(path);
	return 0;
}

static int read_file(const char *path, char *dst, size_t len, off_t off, struct fuse_file_info *file)
{
	char text[24];
	ssize_t n;

	(void)file;
	if (!is_disk(path)) {
		n = snprintf(text, sizeof text, "%" PRIu64, self()->records);
		if (off >= n)
			return 0;
		n -= off;
		if ((size_t)n > len)
			n = (ssize_t)len;
		memcpy(dst, text + off, (size_t)n);
		return (int)n;
	}
	n = pread(self()->image, dst, len, off);
	return n < 0 ? -errno : (int)n;
}

static int write_file(const char *path, const char *src, size_t len, off_t off, struct fuse_file_info *file)
{
	struct disk *disk = self();
	int ret;

	(void)file;
	if (!is_disk(path))
		return -EACCES;
	if (pwrite(disk->image, src, len, off) != (ssize_t)len)
		return -EIO;
	ret = note(disk, (uint64_t)off, src, len);
	return ret ? ret : (int)len;
}

static int flush_disk(const char *path, int data_only, struct fuse_file_info *file)
{
	(void)data_only;
	(void)file;
	return is_disk(path) ? note(self(), FLUSH, NULL, 0) : 0;
}

static void *start(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->kernel_cache = 1;
	return self();
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.init = start,
		.getattr = get_attributes,
		.open = open_file,
		.read = read_file,
		.write = write_file,
		.fsync = flush_disk,
	};
	struct disk disk = {0};
	char *arguments[] = {argv[0], "-f", "-s", argc == 4 ? argv[3] : NULL, NULL};

	if (argc != 4) {
		fprintf(stderr, "usage: crash_logdisk IMAGE LOG MNT\n");
		return 2;
	}
	disk.image = open(argv[1], O_RDWR);
	disk.log = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (disk.image < 0 || disk.log < 0) {
		fprintf(stderr, "crash_logdisk: %s: %s\n", disk.image < 0 ? argv[1] : argv[2],
			strerror(errno));
		return 3;
	}
	return fuse_main(4, arguments, &operations, &disk);
}
