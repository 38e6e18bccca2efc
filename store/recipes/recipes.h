/*
 * Recipes: which chunks a file's bytes are, in order; and the file's segments (tensors) by name.
 *
 * A recipe is immutable and belongs to one inode. In KV_RECIPES, keys: be64 recipe, one byte kind, be64 offset:
 *   'H' 0       head: le32 version, le64 size, le64 stored estimate, format, counts
 *   'X' off     a page of up to RECIPE_PAGE extents that begins at file offset off
 *   'S' index   a page of segments
 * Extents cover the file from 0 to size without gaps; a hole is an extent with a zero id.
 * An extent may be a part of a chunk (chunk_off, len): the headers and small tensors of a structured file are gathered in file order
 * into one stream, its skeleton, which is cut into chunks of its own.
 *
 * KV_TENSORS finds bases: key = XXH3-128 of (name, dtype, dims), be64 of ~recipe, so the newest comes first;
 * value: le64 offset, le64 length, 16-byte family id.  A family is a digest of what kind of file it is (the set of tensor names, dtypes and shapes): the
 * lineage by content.
 *
 * A recipe whose file is gone is not deleted at once: recipes_bury puts it into KV_DEAD, where it can still lend bases (a file that is
 * written over is the best base of its successor) until garbage collection purges it.
 *
 * Any thread.
 */
#ifndef MITHRIL_STORE_RECIPES_RECIPES_H
#define MITHRIL_STORE_RECIPES_RECIPES_H

#include <stddef.h>
#include <stdint.h>

#include "store/chunks/chunks.h"
#include "store/kv/kv.h"
#include "store/util/dtype.h"

#define RECIPE_PAGE 1024u
#define RECIPE_DIMS_MAX 8u
#define RECIPE_NAME_MAX 1024u

struct extent {
	uint64_t off, len; /* in the file */
	struct chunk_id chunk; /* zero: a hole */
	uint32_t chunk_off; /* of `off` in the chunk's raw bytes */
};

struct segment {
	uint64_t off, len;
	enum dtype dtype;
	uint32_t ndims;
	uint64_t dims[RECIPE_DIMS_MAX];
	char name[RECIPE_NAME_MAX + 1];
};

struct family_id {
	uint8_t b[16];
};

struct recipe_head {
	uint64_t recipe, size;
	uint64_t new_bytes; /* payload bytes that this file added to the packs when it was encoded */
	uint64_t extents, segments;
	uint32_t format; /* enum format */
	struct family_id family;
};

struct recipes;
int recipes_open(struct kv *kv, struct recipes **out);
void recipes_close(struct recipes *recipes);

/* Building: extents in order, then finish. Pages go into `batch` as they fill, so memory stays small; the batch is the caller's to write or to drop. */
struct recipe_builder;
/* Reserves a new recipe number (persisted in blocks). NULL: no memory or -EIO. */
struct recipe_builder *recipe_builder_new(struct recipes *recipes, struct kv_batch *batch);
uint64_t recipe_builder_number(const struct recipe_builder *builder);
/* Adjacent extents that continue in the same chunk, and adjacent holes, are joined. -EINVAL when it does not begin where the last ended. */
int recipe_builder_extent(struct recipe_builder *builder, const struct extent *extent);
/* `indexed`: also enters it into KV_TENSORS (for tensors worth a base search; opaque pseudo-segments too). */
int recipe_builder_segment(struct recipe_builder *builder, const struct segment *segment, const struct family_id *family, int indexed);
/* Writes the last pages and the head (head->recipe, extents, segments are filled in). */
int recipe_builder_finish(struct recipe_builder *builder, struct recipe_head *head);
void recipe_builder_free(struct recipe_builder *builder);

/* -ENOENT, -EBADMSG. */
int recipe_head_get(struct recipes *recipes, uint64_t recipe, struct recipe_head *head);

/* A cursor over one recipe's extents; holds one page. Not shared between threads. */
struct recipe_cursor;
struct recipe_cursor *recipe_cursor_new(struct recipes *recipes, uint64_t recipe);
/* The extent that contains file offset `off`. -ENXIO at or past the end; -EBADMSG; -ENOENT. */
int recipe_cursor_at(struct recipe_cursor *cursor, uint64_t off, struct extent *extent);
void recipe_cursor_free(struct recipe_cursor *cursor);

int recipe_each_segment(struct recipes *recipes, uint64_t recipe, int (*each)(void *ctx, const struct segment *segment), void *ctx);

/* Where an earlier file has the same tensor. */
struct tensor_hit {
	uint64_t recipe, off, len;
	struct family_id family;
};
/* The newest `capacity` files with this tensor (same name, dtype, dims), newest first. Count, or -EIO. */
int recipes_find_tensor(struct recipes *recipes, const struct segment *segment, struct tensor_hit *hits, size_t capacity);

/* Adds to `batch`: the recipe's file is gone. */
void recipes_bury(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe);
int recipes_each_dead(struct recipes *recipes, int (*each)(void *ctx, uint64_t recipe), void *ctx);
/* Adds to `batch` the removal of all pages, index entries and the KV_DEAD key. */
int recipes_purge(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe);
/* Calls `each` for every extent of every recipe that is not dead (over a snapshot): the marking of garbage collection. */
int recipes_each_extent(struct recipes *recipes, int (*each)(void *ctx, uint64_t recipe, const struct extent *extent), void *ctx);

#endif
