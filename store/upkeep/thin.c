/*
 * Chunks of small files that hardly live: most of the files in them are gone. The others are staged again, so
 * that the encoder packs them anew and the next collection has the chunk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "store/upkeep/gc.h"
#include "store/util/array.h"
#include "store/util/bytes.h"
#include "store/util/log.h"

#define THIN_SHARE 2u		/* less than one part in so many lives */
#define THIN_MIN (256u << 10)	/* dead bytes, encoded, for which it is worth the walks */
#define RESTAGE_MAX (64u << 20) /* bytes of files at a time */

static uint64_t key_of(const struct chunk_id *id)
{
	uint64_t key = get_le64(id->b);

	return key ? key : 1;
}

int gc_note_part(struct gc *gc, const struct extent *extent)
{
	uint64_t *live;

	if (extent->len >= ENCODE_CHUNK)
		return 0;
	live = numbers_at(&gc->live, key_of(&extent->chunk));
	if (!live)
		return -ENOMEM;
	*live += extent->len;
	return 0;
}

struct thinning {
	struct gc *gc;
	struct marks thin;	/* chunks */
	struct numbers recipes; /* with extents in them */
	uint64_t dead;		/* encoded bytes that would come back */
	uint64_t *inos;
	size_t count, capacity;
	uint64_t bytes; /* of those files */
};

static int see_chunk(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	struct thinning *t = ctx;
	uint64_t live = numbers_get(&t->gc->live, key_of(id));

	if (!live || live >= record->raw_len / THIN_SHARE || !gc_is_live(t->gc, id))
		return 0;
	t->dead += record->place.payload_len * (record->raw_len - live) / record->raw_len;
	return marks_add(&t->thin, id, 1, 0) < 0 ? -ENOMEM : 0;
}

static int see_extent(void *ctx, uint64_t recipe, const struct extent *extent)
{
	struct thinning *t = ctx;
	uint64_t *value;

	if (chunk_id_is_zero(&extent->chunk) || !marks_find(&t->thin, &extent->chunk))
		return 0;
	value = numbers_at(&t->recipes, recipe);
	if (!value)
		return -ENOMEM;
	*value = 1;
	return 0;
}

/* Files of caches with one of these recipes. */
static int find_files(struct thinning *t)
{
	struct kv_iter *it = kv_iter_new(t->gc->parts->kv, KV_INODES, NULL, 0);
	int rc = it ? 0 : -ENOMEM;

	for (; !rc && kv_iter_valid(it) && t->bytes < RESTAGE_MAX; kv_iter_next(it)) {
		size_t key_len, len;
		const void *key = kv_iter_key(it, &key_len), *value = kv_iter_value(it, &len);
		struct inode inode;
		uint64_t *inos;

		if (key_len != 8 || inode_decode(&inode, get_be64(key), value, len) || !inode.recipe ||
			!(inode.flags & INODE_CACHE) || !inode.nlink ||
			!numbers_get(&t->recipes, inode.recipe))
			continue;
		inos = array_grow(t->inos, t->count, &t->capacity, sizeof *inos);
		if (!inos) {
			rc = -ENOMEM;
			break;
		}
		t->inos = inos;
		inos[t->count++] = inode.ino;
		t->bytes += inode.size;
	}
	if (!rc)
		rc = kv_iter_error(it);
	kv_iter_free(it);
	return rc;
}

/* An open for writing stages it; its last close queues it. The bytes and times stay. */
static void stage_again(struct stage *stage, uint64_t ino)
{
	struct content *content;
	int rc = content_open(stage, ino, O_RDWR, &content);

	if (!rc)
		content_release(stage, content, O_RDWR);
	else if (rc != -ENOENT)
		log_warning(
			"inode %" PRIu64 " cannot be packed anew: it is damaged, or there is no room", ino);
}

int gc_thin(struct gc *gc)
{
	struct thinning t = {.gc = gc};
	const struct parts *parts = gc->parts;
	int rc = 0;

	if (!parts->stage || !gc->live.count || kv_is_full(parts->kv))
		return 0;
	rc = chunks_each(parts->chunks, see_chunk, &t);
	if (!rc && t.thin.count && t.dead >= THIN_MIN) {
		rc = recipes_each_extent(parts->recipes, see_extent, &t);
		if (!rc)
			rc = find_files(&t);
		for (size_t i = 0; !rc && i < t.count; i++) {
			stage_again(parts->stage, t.inos[i]);
			rc = gc_step(gc, "thin", (double)(i + 1) / (double)t.count);
		}
		gc->result->files_restaged = t.count;
	}
	free(t.inos);
	marks_release(&t.thin);
	numbers_release(&t.recipes);
	return rc;
}
