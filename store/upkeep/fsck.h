/*
 * One check, shared by its phases. fsck.c is its table of contents.
 */
#ifndef MITHRIL_STORE_UPKEEP_FSCK_H
#define MITHRIL_STORE_UPKEEP_FSCK_H

#include "store/upkeep/marks.h"
#include "store/upkeep/numbers.h"
#include "store/upkeep/upkeep.h"

struct fsck {
	const struct parts *parts;
	const struct fsck_options *options;
	int64_t findings;
	struct marks bad; /* chunks that no sound frame was found for */
};

/* Something is wrong: counted, and reported as one line. */
void fsck_found(struct fsck *fsck, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something was wrong and is put right: reported only. */
void fsck_fixed(struct fsck *fsck, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* 0, or -EINTR when the caller wants it to end. */
int fsck_step(const struct fsck *fsck, const char *phase, double share);

/* Calls `each` for every pair of a family until it gives non-zero. */
struct pair {
	const uint8_t *key, *value;
	size_t key_len, value_len;
};
int fsck_walk(struct fsck *fsck, enum kv_family family,
	int (*each)(struct fsck *fsck, void *ctx, const struct pair *pair), void *ctx);

/* The phases. 0 whatever they find, or -errno when they cannot go on. */
int fsck_index(struct fsck *fsck);   /* chunk records, bases, frames in packs; fills fsck->bad */
int fsck_names(struct fsck *fsck);   /* entries, inodes, link counts, xattrs, orphans */
int fsck_content(struct fsck *fsck); /* where each file's bytes are; recipes and their chunks; adds to
					fsck->bad what has no record */
int fsck_kept(struct fsck *fsck);    /* raw copies that are kept, and their records; with data, their bytes */

/* Looks for a sound frame of every chunk that has no record or is in fsck->bad, in all packs, and writes
 * records for those that can be decoded (their bases too). What is found leaves fsck->bad. */
int fsck_rebuild(struct fsck *fsck, uint64_t *found);

#endif
