/*
 * Whole-buffer I/O on descriptors: short transfers and EINTR are carried on, never seen by the caller.
 */
#ifndef MITHRIL_STORE_UTIL_IO_H
#define MITHRIL_STORE_UTIL_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads exactly `len` bytes at `off`. 0; -ENODATA if the file ends before; else -errno of pread(2). */
int io_pread_full(int fd, void *dst, size_t len, uint64_t off);

/* Reads up to `len` bytes at `off`, stopping only at the end of the file. Bytes read, or -errno. */
ssize_t io_pread_some(int fd, void *dst, size_t len, uint64_t off);

/* Writes exactly `len` bytes at `off`. 0, or -errno of pwrite(2) (-ENOSPC, -EDQUOT, -EIO, ...). */
int io_pwrite_full(int fd, const void *src, size_t len, uint64_t off);

/* fsync(2) of the directory at `path`, so that names made in it survive a power cut. 0 or -errno. */
int io_sync_dir(const char *path);

#endif
