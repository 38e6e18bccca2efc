#include "store/upkeep/shared.h"

struct search {
	struct chunks *chunks;
	struct marks *shared;
};

/* What is there already has those below it there. */
static int add_below(struct search *search, const struct chunk_record *record, unsigned depth)
{
	struct chunk_record below;
	int rc = 0;

	for (uint32_t i = 0; i < record->bases.count && rc >= 0 && depth < CHUNK_DEPTH_MAX; i++) {
		rc = marks_add(search->shared, &record->bases.id[i], MARK_BASE, MARK_NOWHERE);
		if (rc > 0 && !chunks_get(search->chunks, &record->bases.id[i], &below))
			rc = add_below(search, &below, depth + 1);
	}
	return rc < 0 ? rc : 0;
}

static int look_at(void *ctx, const struct chunk_id *id, const struct chunk_record *record)
{
	(void)id;
	return record->bases.count > 1 ? add_below(ctx, record, 0) : 0;
}

int shared_find(struct gc *gc, struct marks *shared)
{
	struct search search = {gc->parts->chunks, shared};

	return chunks_each(search.chunks, look_at, &search);
}
