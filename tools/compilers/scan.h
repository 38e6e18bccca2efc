/*
 * The artifacts of a namespace, by walking it: the index is the tree itself.
 */
#ifndef MITHRIL_COMPILERS_SCAN_H
#define MITHRIL_COMPILERS_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "tools/compilers/artifact.h"

struct scan_file {
	char *path; /* below the namespace */
	struct artifact artifact;
	uint64_t bytes;
	int64_t changed_ns; /* when its bytes came, since 1970 */
};

/* Sorted by path; so the files of one group are neighbours. */
struct scan {
	size_t count, capacity;
	struct scan_file *files;
};

/* Walks `dir`, the namespace of client `client`, without following links or leaving the file system; what
 * goes away meanwhile is left out, and so are directories deeper than 32. 0; -ENOMEM; -ETIMEDOUT it took
 * longer than `patience_ms` (0: no limit); -errno of the directory itself. Frees nothing on success;
 * scan_free. */
int scan_read(const char *client, const char *dir, unsigned patience_ms, struct scan *out);
void scan_free(struct scan *scan);

/* The end (exclusive) of the group that begins at file `first`. */
size_t scan_group_end(const struct scan *scan, size_t first);

#endif
