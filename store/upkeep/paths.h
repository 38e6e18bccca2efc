/*
 * From inode numbers and damaged chunks back to what a user knows: paths.
 */
#ifndef MITHRIL_STORE_UPKEEP_PATHS_H
#define MITHRIL_STORE_UPKEEP_PATHS_H

#include "store/upkeep/marks.h"
#include "store/upkeep/numbers.h"
#include "store/upkeep/upkeep.h"

#define PATHS_MAX 4096u

/* "/dir/name" of one name of each inode in `wanted` (keys), by one walk over all entries; "inode N" for those
 * without a name. -errno. */
int paths_each(const struct parts *parts, const struct numbers *wanted,
	int (*each)(void *ctx, uint64_t ino, const char *path), void *ctx);

/* Reports a line for each file that has one of these chunks: its path, how many places are hurt and where the
 * first is. Returns how many files, or -errno. */
int64_t paths_report_hurt(const struct parts *parts, const struct marks *bad,
	void (*report)(void *ctx, const char *line), void *ctx);

#endif
