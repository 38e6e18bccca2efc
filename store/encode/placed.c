#include <errno.h>
#include <stdlib.h>

#include "store/encode/private.h"
#include "store/util/array.h"

int placed_note(struct placed_list *list, uint64_t off, uint64_t len, const struct chunk_id *id)
{
	struct placed *placed = array_grow(list->list, list->count, &list->capacity, sizeof *placed);

	if (!placed)
		return -ENOMEM;
	list->list = placed;
	placed[list->count++] = (struct placed){off, off + len, *id};
	return 0;
}

bool placed_find(const struct placed_list *list, uint64_t off, struct extent *extent)
{
	const struct placed *at = list->list;
	size_t low = 0, high;

	for (high = list->count; high - low > 1;) {
		size_t middle = low + (high - low) / 2;
		if (at[middle].off <= off)
			low = middle;
		else
			high = middle;
	}
	if (low >= list->count || off < at[low].off || off >= at[low].end)
		return false;
	*extent = (struct extent){.off = at[low].off, .len = at[low].end - at[low].off, .chunk = at[low].id};
	return true;
}

int placed_extent(struct file_encoding *file, uint64_t off, struct extent *extent)
{
	const struct placed_list *list = file->pass == PASS_EARLY ? &file->early : &file->placed;
	int rc = 0;

	if (placed_find(&file->early, off, extent))
		return 0;
	while (!rc && (!list->count || list->list[list->count - 1].end <= off))
		rc = file_collect(file);
	if (rc)
		return rc == -EAGAIN ? -ENXIO : rc;
	return placed_find(list, off, extent) ? 0 : -ENXIO;
}

void placed_release(struct placed_list *list)
{
	free(list->list);
	*list = (struct placed_list){0};
}
