#include <errno.h>
#include <stdlib.h>

#include "store/encode/packing.h"

/* The records of its chunks that no batch has yet, or whose batch may be given up. */
static int put_records(struct file_encoding *to, const struct small_extents *extents)
{
	struct chunk_record record;
	int rc = 0;

	for (unsigned i = 0; !rc && i < extents->count; i++)
		if (chunks_announced(to->encoder->chunks, &extents->list[i].chunk, &record))
			rc = put_announced(to, &extents->list[i].chunk, &record);
	return rc;
}

static int build(struct packing *p, struct small *file, struct file_encoding *to)
{
	const struct small_extents *extents = &p->files[file->twin].extents;
	struct recipe_head head = {.size = file->len, .new_bytes = file->payload};
	int rc = 0;

	if (!(to->batch = kv_batch_new()) ||
		!(to->builder = recipe_builder_new(p->encoder->recipes, to->batch)))
		return -ENOMEM;
	for (unsigned i = 0; !rc && i < extents->count; i++)
		rc = recipe_builder_extent(to->builder, &extents->list[i]);
	if (!rc && file->twin == (size_t)(file - p->files) && !file->known)
		rc = small_enter(to->builder, file->digest, file->len, file->first);
	if (!rc)
		rc = put_records(to, extents);
	if (!rc)
		rc = recipe_builder_finish(to->builder, &head);
	recipe_builder_free(to->builder);
	to->builder = NULL;
	to->family.b[0] = 0;
	to->base_recipe = head.recipe;
	return rc;
}

int packing_publication(struct packing *p, struct small *file, struct stage_publication *publication,
	struct file_encoding **out)
{
	struct file_encoding *to = calloc(1, sizeof *to);
	int rc;

	*publication = (struct stage_publication){.job = file->job};
	if (!to)
		return -ENOMEM;
	to->encoder = p->encoder;
	rc = build(p, file, to);
	if (rc) {
		file_release(to);
		free(to);
		return rc;
	}
	publication->batch = to->batch;
	publication->recipe = to->base_recipe;
	publication->blocks = file->payload / 512 + 1;
	*out = to;
	return 0;
}
