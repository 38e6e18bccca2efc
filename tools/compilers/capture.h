/*
 * Small answers of files and commands, bounded in size and in time.
 */
#ifndef MITHRIL_COMPILERS_CAPTURE_H
#define MITHRIL_COMPILERS_CAPTURE_H

#include <stddef.h>
#include <sys/types.h>

#include "tools/compilers/fingerprint.h"

/* The beginning of a file, with a 0 behind it. Its length (less than `capacity`), or -errno of open(2),
 * read(2). */
ssize_t capture_file(const char *path, char *dst, size_t capacity);

/* 16 hex digits of a digest of a regular file's bytes. 0, or -errno. */
int capture_digest(const char *path, char digest[FINGERPRINT_ID]);

/* Standard output of a command (its beginning, with a 0 behind it) whose standard input and error are
 * /dev/null; it is killed after twenty seconds, for machines on which many jobs start at once. argv[0] is
 * looked for in PATH. Its length; -ETIMEDOUT; -EPIPE it cannot be run or failed; -errno of pipe(2),
 * posix_spawn(3). */
ssize_t capture_command(char *const argv[], char *dst, size_t capacity);

#endif
