/*
 * A shard is archives back to back: byte items, then one archive a tensor. Local headers carry no lengths, so
 * the way through is backwards: each archive's end record says where it starts, and there the one before it
 * ends. Names are only in the .metadata beside the shard; here a tensor is "item.N", N counting the archives
 * with storages in order of the file, which stays the same while byte items change.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/formats/private.h"

#define ITEMS_MAX FORMAT_TENSORS_MAX

struct items {
	uint64_t *ends; /* last first */
	size_t count, capacity;
};

static int find_items(const struct view *view, struct items *items)
{
	uint64_t end = view->size;
	struct zip zip;
	int rc = 0;

	while (end && !rc) {
		rc = zip_find(view, end, &zip);
		if (rc == ODD)
			return 0; /* what stands before is unknown, the items behind it are sound */
		if (!rc)
			rc = grow(
				&items->ends, items->count, &items->capacity, ITEMS_MAX, sizeof *items->ends);
		if (!rc) {
			items->ends[items->count++] = end;
			end = zip.start;
		}
	}
	return rc;
}

static int label_item(const struct view *view, uint64_t end, struct layout *layout, size_t *number)
{
	size_t before = layout->count;
	char name[32];
	struct zip zip;
	int rc;

	snprintf(name, sizeof name, "item.%zu", *number);
	rc = zip_find(view, end, &zip);
	if (!rc)
		rc = zip_load(&zip);
	if (!rc)
		rc = torch_zip_label(&zip, name, layout);
	zip_release(&zip);
	if (layout->count > before)
		++*number;
	return rc == ODD && layout->count < FORMAT_TENSORS_MAX ? 0 : rc;
}

int dcp_label(const struct view *view, struct layout *layout)
{
	struct items items = {0};
	size_t number = 0;
	int rc = find_items(view, &items);

	for (size_t i = items.count; i-- && !rc;)
		rc = label_item(view, items.ends[i], layout, &number);
	free(items.ends);
	return rc ? rc : layout->count ? 0 : ODD;
}
