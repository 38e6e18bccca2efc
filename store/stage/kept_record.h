/*
 * The record that proves of a raw copy in kept/ that it has the bytes of a file's content: mithril-format(5).
 *
 * It is written after the copy was made durable, and names both: the content by its version, recipe and size,
 * the copy by what fstat(2) says of it. A copy that anybody has written to, replaced, or copied to another
 * disk has another time of change or another number; a file whose content has changed has another version.
 * Either does not fit.
 *
 * In KV_META, key: "kept." and the be64 inode number.
 */
#ifndef MITHRIL_STORE_STAGE_KEPT_RECORD_H
#define MITHRIL_STORE_STAGE_KEPT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct inode;
struct kv;
struct kv_batch;
struct stat;

struct kept_record {
	uint64_t version, recipe, size; /* of the content, as in struct inode */
	uint64_t copy_ino;		/* of the copy, on the file system below */
	struct timespec mtime, ctime;
};

/*
 * Pure: the record's bytes.
 *
 *   offset size                  offset size                offset size
 *        0    1  1 (version)        16    8  recipe            40    8  mtime, s
 *        1    7  0                  24    8  size              48    8  ctime, s
 *        8    8  content's version  32    8  copy's number     56    4  mtime, ns
 *                                                              60    4  ctime, ns
 *
 * decode gives -EBADMSG for another length or version, and for nanoseconds of 10^9 or more.
 */
#define KEPT_RECORD_SIZE 64u
void kept_record_encode(const struct kept_record *record, uint8_t dst[KEPT_RECORD_SIZE]);
int kept_record_decode(struct kept_record *record, const uint8_t *src, size_t len);

/* Fills in what names the copy, from what fstat(2) says of it. */
void kept_record_name(struct kept_record *record, const struct stat *st);
/* The copy is still the file that the record names. */
bool kept_record_is_of(const struct kept_record *record, const struct stat *st);
/* And its bytes are the content of this inode. */
bool kept_record_fits(const struct kept_record *record, const struct inode *inode, const struct stat *st);

void kept_record_put(struct kv *kv, struct kv_batch *batch, uint64_t ino, const struct kept_record *record);
void kept_record_delete(struct kv *kv, struct kv_batch *batch, uint64_t ino);
/* -ENOENT; -EBADMSG; -EIO. */
int kept_record_get(struct kv *kv, uint64_t ino, struct kept_record *record);
/* Calls `each` for every record's inode number, sound or not, until it gives non-zero, which is then
 * returned. -ENOMEM, -EIO. */
int kept_records_each(struct kv *kv, int (*each)(void *ctx, uint64_t ino), void *ctx);

#endif
