#include "dedup/mask.h"

#include <errno.h>
#include <roaring/roaring.h>
#include <stdlib.h>

/* Runs of lines that stay, added whole. */
static void fill(roaring_bitmap_t *bitmap, const struct dedup_outcome *outcome)
{
	uint64_t lines = dedup_outcome_lines(outcome), from = 0;
	bool before = false;

	for (uint64_t id = 0; id <= lines; id++) {
		enum dedup_how how = id < lines ? dedup_outcome_of(outcome, (uint32_t)id).how : DEDUP_HOW_BAD;
		bool stays = how == DEDUP_HOW_STAYS || how == DEDUP_HOW_BLANK;

		if (stays && !before)
			from = id;
		if (!stays && before)
			roaring_bitmap_add_range(bitmap, from, id);
		before = stays;
	}
}

int dedup_mask_write(
	const struct dedup_options *options, const struct dedup_outcome *outcome, struct dedup_outfile *file)
{
	roaring_bitmap_t *bitmap = roaring_bitmap_create();
	char *data = NULL;
	size_t size;
	int rc = -ENOMEM;

	(void)options;
	if (!bitmap)
		return rc;
	fill(bitmap, outcome);
	roaring_bitmap_run_optimize(bitmap);
	size = roaring_bitmap_portable_size_in_bytes(bitmap);
	data = malloc(size);
	if (data)
		rc = dedup_outfile_write(file, data, roaring_bitmap_portable_serialize(bitmap, data));
	free(data);
	roaring_bitmap_free(bitmap);
	return rc;
}
