#include "store/upkeep/marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/util/bytes.h"

#define CAPACITY_MIN 1024u

static struct mark *slot_of(const struct marks *marks, const struct chunk_id *id)
{
	size_t at = (size_t)get_le64(id->b) & (marks->capacity - 1);

	while (!chunk_id_is_zero(&marks->entries[at].id) && !chunk_id_equal(&marks->entries[at].id, id))
		at = (at + 1) & (marks->capacity - 1);
	return &marks->entries[at];
}

static int grow(struct marks *marks)
{
	struct marks bigger = {
		.count = marks->count, .capacity = marks->capacity ? 2 * marks->capacity : CAPACITY_MIN};

	bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < marks->capacity; i++) {
		if (!chunk_id_is_zero(&marks->entries[i].id))
			*slot_of(&bigger, &marks->entries[i].id) = marks->entries[i];
	}
	free(marks->entries);
	*marks = bigger;
	return 0;
}

int marks_add(struct marks *marks, const struct chunk_id *id, uint64_t recipe, uint64_t off)
{
	struct mark *slot;
	int rc;

	if (4 * (marks->count + 1) > 3 * marks->capacity) {
		rc = grow(marks);
		if (rc)
			return rc;
	}
	slot = slot_of(marks, id);
	if (!chunk_id_is_zero(&slot->id)) {
		if (slot->recipe == MARK_BASE && recipe != MARK_BASE) {
			slot->recipe = recipe;
			slot->off = off;
		}
		return 0;
	}
	*slot = (struct mark){*id, recipe, off};
	marks->count++;
	return 1;
}

const struct mark *marks_find(const struct marks *marks, const struct chunk_id *id)
{
	const struct mark *slot;

	if (!marks->count || chunk_id_is_zero(id))
		return NULL;
	slot = slot_of(marks, id);
	return chunk_id_is_zero(&slot->id) ? NULL : slot;
}

void marks_release(struct marks *marks)
{
	free(marks->entries);
	*marks = (struct marks){0};
}
