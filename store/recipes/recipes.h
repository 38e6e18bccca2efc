/*
 * Recipes: which chunks a file's bytes are, in order; and the file's segments (tensors) by name.
 *
 * A recipe is immutable and belongs to one inode.
 *
 * Extents cover the file from 0 to size without gaps; a hole is an extent with a zero id.
 * An extent may be a part of a chunk (chunk_off, len): the headers and small tensors of a structured file are
 * gathered in file order into one stream, its skeleton, which is cut into chunks of its own.
 *
 * A family is a digest of what kind of file it is (the set of tensor names, dtypes and shapes): the lineage
 * by content.
 *
 * On disk. Integers are little-endian except in keys, where they are big-endian. Checksums are XXH3-64.
 *
 * KV_RECIPES, key: 8 bytes recipe (never 0), 1 byte kind, 8 bytes offset.
 *   'H' 0       the head
 *   'S' index   a page of segments, the first of which is the index-th of the file
 *   'X' off     a page of extents, the first of which begins at file offset off
 *
 *   head       96 bytes
 *   offset     size  meaning
 *        0        4  version, 1
 *        4        4  format (store/formats/formats.h)
 *        8        8  recipe
 *       16        8  size of the file
 *       24        8  payload bytes that this file added to the packs
 *       32        8  number of extents
 *       40        8  number of segments
 *       48       16  family
 *       64       24  zero
 *       88        8  checksum of bytes 0..87
 *
 *   page       at most RECIPE_PAGE items
 *   offset     size  meaning
 *        0        8  recipe
 *        8        8  offset or index, as in the key
 *       16        4  number of items, 1..RECIPE_PAGE
 *       20        4  zero
 *       24           items, back to back
 *      end-8      8  checksum of all before it
 *
 *   extent     28 bytes; begins where the one before it ends
 *        0       16  chunk id; zero: a hole
 *       16        8  length in bytes, at least 1
 *       24        4  offset in the chunk's raw bytes; 0 for a hole. With the length at most FRAME_RAW_MAX
 *
 *   segment    22 bytes, dims, name
 *        0        8  offset in the file
 *        8        8  length in bytes
 *       16        1  dtype (store/util/dtype.h)
 *       17        1  flags; bit 0: it is in KV_TENSORS
 *       18        1  number of dims, 0..RECIPE_DIMS_MAX
 *       19        1  zero
 *       20        2  length of the name, 0..RECIPE_NAME_MAX
 *       22           dims, 8 bytes each, then the name, without a zero byte
 *
 * KV_TENSORS finds bases. Key: 16 bytes XXH3-128 (canonical form) of dtype (1 byte), number of dims (1), dims
 * (8 each) and name; 8 bytes of ~recipe, so that the newest comes first. Value: 8 bytes offset, 8 length, 16
 * family. Tensors of f32, f16 and bf16 are there a second time, one of each size and width in a recipe: under
 * XXH3-128 of ff, width in bytes (1) and number of elements (8).
 *
 * KV_DEAD, key: 8 bytes recipe; no value.   KV_META "recipes.next": 8 bytes, all recipe numbers below may be
 * in use.
 *
 * A recipe whose file is gone is not deleted at once: recipes_bury puts it into KV_DEAD, where it can still
 * lend bases (a file that is written over is the best base of its successor) until garbage collection purges
 * it.
 *
 * Any thread.
 */
#ifndef MITHRIL_STORE_RECIPES_RECIPES_H
#define MITHRIL_STORE_RECIPES_RECIPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/chunks/chunks.h"
#include "store/kv/kv.h"
#include "store/util/dtype.h"

#define RECIPE_PAGE 1024u
#define RECIPE_DIMS_MAX 8u
#define RECIPE_NAME_MAX 1024u

struct extent {
	uint64_t off, len;     /* in the file */
	struct chunk_id chunk; /* zero: a hole */
	uint32_t chunk_off;    /* of `off` in the chunk's raw bytes */
};

struct segment {
	uint64_t off, len;
	enum dtype dtype;
	uint32_t ndims;
	uint64_t dims[RECIPE_DIMS_MAX];
	char name[RECIPE_NAME_MAX + 1];
};

/* A small file of a cache stands in KV_TENSORS by two segments of no tensor: opaque, of this name, from the
 * file's start to its end. One has three dims, the two halves of a digest of its bytes and its size; the
 * other, of the first file in a chunk, has none. */
#define SEGMENT_SMALL "\1small"
bool segment_is_small(const struct segment *segment);

/* Elements of a segment of f32, f16 or bf16; 0: any other. */
uint64_t segment_elements(const struct segment *segment);

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

/* Building: extents in order, then finish. Pages go into `batch` as they fill, so memory stays small; the
 * batch is the caller's to write or to drop. */
struct recipe_builder;
/* Reserves a new recipe number (persisted in blocks). NULL: no memory or -EIO. */
struct recipe_builder *recipe_builder_new(struct recipes *recipes, struct kv_batch *batch);
uint64_t recipe_builder_number(const struct recipe_builder *builder);
/* Adjacent extents that continue in the same chunk, and adjacent holes, are joined. -EINVAL when it does not
 * begin where the last ended, is empty, or reaches past the largest chunk. */
int recipe_builder_extent(struct recipe_builder *builder, const struct extent *extent);
/* `indexed`: also enters it into KV_TENSORS (for tensors worth a base search; opaque pseudo-segments too).
 * -EINVAL a field out of bounds. */
int recipe_builder_segment(struct recipe_builder *builder, const struct segment *segment,
	const struct family_id *family, int indexed);
/* Writes the last pages and the head (head->recipe, extents, segments are filled in). -EINVAL head->size is
 * not what the extents cover. */
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

/* In order, until `each` gives non-zero, which is then returned. -ENOENT; -EBADMSG; -ENOMEM. */
int recipe_each_segment(struct recipes *recipes, uint64_t recipe,
	int (*each)(void *ctx, const struct segment *segment), void *ctx);

/* Where an earlier file has the same tensor. */
struct tensor_hit {
	uint64_t recipe, off, len;
	struct family_id family;
};
/* The newest `capacity` files with this tensor (same name, dtype, dims), newest first. Count, or -EIO. */
int recipes_find_tensor(
	struct recipes *recipes, const struct segment *segment, struct tensor_hit *hits, size_t capacity);

/* The same for files with some tensor of `count` elements of `width` bytes, f32, f16 or bf16, whatever its
 * name and dims. The hit's place is that of one of them. */
int recipes_find_elements(
	struct recipes *recipes, unsigned width, uint64_t count, struct tensor_hit *hits, size_t capacity);

/* Adds to `batch`: the recipe's file is gone. */
void recipes_bury(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe);
/* Whether it is. -EIO counts as yes. */
bool recipes_is_dead(struct recipes *recipes, uint64_t recipe);
int recipes_each_dead(struct recipes *recipes, int (*each)(void *ctx, uint64_t recipe), void *ctx);
/* Adds to `batch` the removal of all pages, index entries and the KV_DEAD key. 0 also when damaged or not
 * there; -EIO. */
int recipes_purge(struct recipes *recipes, struct kv_batch *batch, uint64_t recipe);
/* Calls `each` for every extent of every recipe that is not dead (over a snapshot), until it gives non-zero,
 * which is then returned: the marking of garbage collection. Damaged pages and recipes that do not cover
 * their file are logged and passed over; -EBADMSG at the end if there were any (nothing may be collected
 * then). -EIO, -ENOMEM. */
int recipes_each_extent(struct recipes *recipes,
	int (*each)(void *ctx, uint64_t recipe, const struct extent *extent), void *ctx);

#endif
