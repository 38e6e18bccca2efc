#include "dedup/output.h"

#include <stdio.h>

#include "dedup/cutting.h"
#include "dedup/duplicates.h"
#include "dedup/filter.h"

int dedup_output(
	const struct dedup_options *o, const struct dedup_outcome *outcome, struct dedup_result *result)
{
	struct dedup_filter filter = {0};
	struct dedup_outfile duplicates = {.fd = -1};
	struct dedup_cuts cuts = {0};
	struct dedup_hits hits = {0};
	int rc = dedup_cutting_any(&o->cutting) ? dedup_cutting(o, outcome, &cuts, result) : 0;

	rc = rc ? rc : dedup_filter(o, outcome, &cuts, &filter, result);
	if (!rc && o->duplicates && o->against)
		rc = dedup_hits_find(o, outcome, &hits, result);
	if (!rc && o->duplicates) {
		rc = dedup_duplicates_write(o, outcome, &hits, &duplicates);
		rc = rc ? rc : dedup_outfile_publish(&duplicates, o->force);
		if (rc)
			snprintf(result->path, sizeof result->path, "%s", o->duplicates);
	}
	rc = rc ? rc : dedup_filter_publish(o, &filter, result);
	dedup_outfile_drop(&duplicates);
	dedup_filter_release(&filter);
	dedup_hits_release(&hits);
	dedup_cuts_release(&cuts);
	return rc;
}
