#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/codec/codec.h"
#include "store/formats/formats.h"
#include "store/report/origin.h"
#include "store/report/report.h"
#include "store/upkeep/marks.h"
#include "store/util/array.h"

#define OUTSIDE "(headers and small tensors)"

/* What is known of the bytes of one segment. */
struct part {
	uint64_t off, len;
	char *name;
	enum dtype dtype;
	uint32_t ndims;
	uint64_t dims[RECIPE_DIMS_MAX];
	uint64_t chunks, holes, stored, raw, raw_on_base;
	uint64_t codecs[CODEC_COUNT + 1]; /* the last: unknown ones */
	unsigned depth_max;
	uint64_t derived_at;	      /* offset of its first derived chunk */
	struct chunk_id derived_from; /* the first chunk below it; zero: none is derived */
	char *origin_path, *origin_tensor;
};

struct info {
	struct store *store;
	struct part *parts; /* by offset */
	size_t count, capacity;
	struct part outside;
	struct marks seen;
	uint64_t stored;
	bool small; /* a small file of a cache: it has its part of chunks that it shares */
};

static int add_segment(void *ctx, const struct segment *segment)
{
	struct info *info = ctx;
	struct part *part, *parts;

	if (segment_is_small(segment)) {
		info->small = true;
		return 0;
	}
	parts = array_grow(info->parts, info->count, &info->capacity, sizeof *parts);

	if (!parts)
		return -ENOMEM;
	info->parts = parts;
	part = &parts[info->count];
	*part = (struct part){
		.off = segment->off, .len = segment->len, .dtype = segment->dtype, .ndims = segment->ndims};
	memcpy(part->dims, segment->dims, sizeof part->dims);
	part->name = strdup(segment->name);
	if (!part->name)
		return -ENOMEM;
	info->count++;
	return 0;
}

static int by_off(const void *a, const void *b)
{
	uint64_t x = ((const struct part *)a)->off, y = ((const struct part *)b)->off;

	return (x > y) - (x < y);
}

static int add_chunk(struct info *info, struct part *part, const struct extent *extent)
{
	struct chunk_record record;
	int rc = marks_add(&info->seen, &extent->chunk, MARK_BASE, MARK_NOWHERE);
	uint64_t stored;

	if (rc < 0)
		return rc;
	part->chunks++;
	if (chunks_get(info->store->parts.chunks, &extent->chunk, &record))
		return 0; /* lost: fsck tells */
	part->codecs[codec_known(record.codec) ? record.codec : CODEC_COUNT]++;
	part->raw += record.raw_len;
	if (record.bases.count)
		part->raw_on_base += record.raw_len;
	if (record.depth > part->depth_max)
		part->depth_max = record.depth;
	if (codec_is_derived((enum codec)record.codec) && chunk_id_is_zero(&part->derived_from)) {
		part->derived_at = extent->off;
		part->derived_from = record.bases.id[0];
	}
	stored = record.place.payload_len;
	if (info->small)
		stored = stored * extent->len / record.raw_len;
	if (rc || info->small) {
		part->stored += stored;
		info->stored += stored;
	}
	return 0;
}

/* Walks the extents beside the segments. */
static int add_extents(struct info *info, uint64_t recipe, uint64_t size)
{
	struct recipe_cursor *cursor = recipe_cursor_new(info->store->parts.recipes, recipe);
	struct extent extent;
	size_t next = 0;
	int rc = cursor ? 0 : -ENOMEM;

	for (uint64_t off = 0; !rc && off < size; off = extent.off + extent.len) {
		struct part *part = &info->outside;

		rc = recipe_cursor_at(cursor, off, &extent);
		if (rc || !extent.len)
			break;
		while (next < info->count && info->parts[next].off + info->parts[next].len <= extent.off)
			next++;
		if (next < info->count && info->parts[next].off <= extent.off)
			part = &info->parts[next];
		if (chunk_id_is_zero(&extent.chunk))
			part->holes++;
		else
			rc = add_chunk(info, part, &extent);
	}
	if (cursor)
		recipe_cursor_free(cursor);
	return rc;
}

/* From which tensors the derived ones come. */
static int add_origins(struct info *info)
{
	struct origin *origins = calloc(info->count ? info->count : 1, sizeof *origins);
	size_t count = 0;
	int rc = origins ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < info->count; i++) {
		const struct part *part = &info->parts[i];
		size_t width = dtype_width(part->dtype);

		if (!chunk_id_is_zero(&part->derived_from))
			origins[count++] = (struct origin){.elements = part->len / width,
				.at = (part->derived_at - part->off) / width,
				.width = width,
				.base = part->derived_from};
	}
	if (count)
		rc = origins_find(info->store, origins, count);
	for (size_t i = 0, n = 0; n < count && i < info->count; i++) {
		struct part *part = &info->parts[i];

		if (chunk_id_is_zero(&part->derived_from))
			continue;
		part->origin_path = origins[n].path;
		part->origin_tensor = origins[n++].tensor;
	}
	free(origins);
	return rc;
}

static json_t *codecs_object(const struct part *part)
{
	json_t *codecs = json_object();

	for (int i = 0; codecs && i <= CODEC_COUNT; i++) {
		if (part->codecs[i])
			json_object_set_new(
				codecs, codec_name((enum codec)i), json_integer((json_int_t)part->codecs[i]));
	}
	if (codecs && part->holes)
		json_object_set_new(codecs, "hole", json_integer((json_int_t)part->holes));
	return codecs;
}

/* A name from a file need not be UTF-8; jansson takes nothing else. */
static json_t *text(const char *name)
{
	json_t *value = json_string(name);

	return value ? value : json_string("(a name that is not UTF-8)");
}

static json_t *part_object(const struct part *part)
{
	json_t *shape = json_array();

	for (uint32_t i = 0; shape && i < part->ndims && i < RECIPE_DIMS_MAX; i++)
		json_array_append_new(shape, json_integer((json_int_t)part->dims[i]));
	json_t *name = text(part->name), *origin = json_null();
	if (part->origin_tensor)
		origin = json_pack("{s:o, s:o}", "tensor", text(part->origin_tensor), "file",
			part->origin_path ? text(part->origin_path) : json_null());
	return json_pack("{s:o, s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:f, s:i, s:o}", "name", name, "dtype",
		dtype_name(part->dtype), "shape", shape, "offset", (json_int_t)part->off, "bytes",
		(json_int_t)part->len, "chunks", (json_int_t)part->chunks, "stored_bytes",
		(json_int_t)part->stored, "codecs", codecs_object(part), "base_share",
		part->raw ? (double)part->raw_on_base / (double)part->raw : 0, "depth_max",
		(int)part->depth_max, "derived_from", origin);
}

static json_t *parts_array(const struct info *info)
{
	json_t *array = json_array();

	if (array && info->outside.len)
		json_array_append_new(array, part_object(&info->outside));
	for (size_t i = 0; array && i < info->count; i++)
		json_array_append_new(array, part_object(&info->parts[i]));
	return array;
}

static int describe_recipe(struct info *info, const struct inode *inode, struct recipe_head *head)
{
	struct recipes *recipes = info->store->parts.recipes;
	uint64_t inside = 0;
	int rc = recipe_head_get(recipes, inode->recipe, head);

	if (!rc)
		rc = recipe_each_segment(recipes, inode->recipe, add_segment, info);
	if (rc)
		return rc == -ENOENT ? -EBADMSG : rc;
	if (info->count)
		qsort(info->parts, info->count, sizeof *info->parts, by_off);
	rc = add_extents(info, inode->recipe, head->size);
	if (!rc)
		rc = add_origins(info);
	for (size_t i = 0; i < info->count; i++)
		inside += info->parts[i].len;
	info->outside.len = head->size > inside ? head->size - inside : 0;
	info->outside.name = OUTSIDE;
	return rc;
}

static const char *state_name(const struct inode *inode)
{
	switch (inode->content) {
	case CONTENT_INLINE:
		return "inline";
	case CONTENT_STAGED:
		return "staged";
	case CONTENT_ENCODED:
		return "encoded";
	case CONTENT_NONE:
		break;
	}
	return "empty";
}

int report_info(struct store *store, uint64_t ino, json_t **out)
{
	struct info info = {.store = store};
	struct recipe_head head = {0};
	struct inode inode;
	int rc = content_getattr(store->parts.stage, ino, &inode);

	if (!rc && S_ISDIR(inode.mode))
		rc = -EISDIR;
	if (rc)
		return rc;
	if (inode.content == CONTENT_ENCODED)
		rc = describe_recipe(&info, &inode, &head);
	else if (inode.content == CONTENT_STAGED)
		info.stored = head.new_bytes = inode.blocks * 512;
	else if (inode.content == CONTENT_INLINE)
		info.stored = head.new_bytes = inode.size;
	if (rc)
		goto out;
	*out = json_pack("{s:I, s:I, s:s, s:I, s:I, s:s, s:f, s:o}", "ino", (json_int_t)ino, "size",
		(json_int_t)inode.size, "state", state_name(&inode), "stored_bytes", (json_int_t)info.stored,
		"new_bytes", (json_int_t)head.new_bytes, "format", format_name((enum format)head.format),
		"ratio", info.stored ? (double)inode.size / (double)info.stored : 0, "segments",
		parts_array(&info));
	if (!*out)
		rc = -ENOMEM;
out:
	for (size_t i = 0; i < info.count; i++) {
		free(info.parts[i].name);
		free(info.parts[i].origin_path);
		free(info.parts[i].origin_tensor);
	}
	free(info.parts);
	marks_release(&info.seen);
	return rc;
}
