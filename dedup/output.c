#include "dedup/output.h"

#include <stdio.h>

#include "dedup/duplicates.h"
#include "dedup/filter.h"

int dedup_output(
	const struct dedup_options *o, const struct dedup_outcome *outcome, struct dedup_result *result)
{
	struct dedup_filter filter = {0};
	struct dedup_outfile duplicates = {.fd = -1};
	int rc = dedup_filter(o, outcome, &filter, result);

	if (!rc && o->duplicates) {
		rc = dedup_duplicates_write(o, outcome, &duplicates);
		rc = rc ? rc : dedup_outfile_publish(&duplicates, o->force);
		if (rc)
			snprintf(result->path, sizeof result->path, "%s", o->duplicates);
	}
	rc = rc ? rc : dedup_filter_publish(o, &filter, result);
	dedup_outfile_drop(&duplicates);
	dedup_filter_release(&filter);
	return rc;
}
