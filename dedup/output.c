#include "dedup/output.h"

#include "dedup/beside.h"
#include "dedup/cutting.h"
#include "dedup/filter.h"
#include "store/util/clock.h"

int dedup_output_check(const struct dedup_options *o, struct dedup_result *result)
{
	int rc = dedup_filter_check(o, result);

	return rc ? rc : dedup_beside_check(o, result);
}

int dedup_output(const struct dedup_options *o, const struct dedup_work *work,
	const struct dedup_outcome *outcome, struct dedup_cuts *cuts, uint64_t start,
	struct dedup_result *result)
{
	struct dedup_cut_set set;
	struct dedup_filter filter = {0};
	struct dedup_beside beside = {0};
	struct dedup_hits hits = {0};
	int rc;

	dedup_cut_set_init(&set, work);
	rc = dedup_cutting_any(&o->cutting) ? dedup_cutting(o, work, outcome, &set, result) : 0;
	rc = rc ? rc : dedup_filter(o, work, outcome, &set, &filter, result);
	if (!rc && (o->duplicates || o->record) && o->against)
		rc = dedup_hits_find(o, work, outcome, &hits, result);
	result->times.wall = (double)(clock_now_ns() - start) * 1e-9;
	rc = rc ? rc : dedup_beside_write(o, work, outcome, &hits, &beside, result);
	rc = rc ? rc : dedup_filter_publish(o, &filter, result);
	rc = rc ? rc : dedup_beside_publish(o, &beside, result);
	if (!rc && cuts)
		rc = dedup_cut_set_take(&set, cuts);
	dedup_cut_set_release(&set);
	dedup_beside_release(&beside);
	dedup_filter_release(&filter);
	dedup_hits_release(&hits);
	return rc;
}
