#include "dedup/stages.h"

#include <errno.h>
#include <stdio.h>

#include "dedup/output.h"
#include "dedup/write/outfile.h"
#include "store/util/clock.h"

typedef int dedup_stage(const struct dedup_work *work, unsigned shard, struct dedup_result *result);

static int all_shards(dedup_stage *stage, const struct dedup_work *work, struct dedup_result *result)
{
	int rc = 0;

	for (unsigned shard = 0; !rc && shard < work->shards; shard++)
		rc = stage(work, shard, result);
	return rc;
}

int dedup_stages_run(const struct dedup_work *work, struct dedup_result *result)
{
	bool near = dedup_method_compares(work->options->method);
	int rc = all_shards(dedup_stage_sketch, work, result);

	rc = rc ? rc : all_shards(dedup_stage_band, work, result);
	rc = rc ? rc : dedup_stage_group(work, result);
	rc = rc || !near ? rc : all_shards(dedup_stage_gather, work, result);
	rc = rc || !near ? rc : all_shards(dedup_stage_verify, work, result);
	return rc ? rc : dedup_stage_cluster(work, result);
}

/* Whatever `force` says, an input is not replaced, be it another shard's. */
static int check(const struct dedup_options *o, const struct dedup_options *own, struct dedup_result *result)
{
	int rc = dedup_output_check(own, result);

	for (size_t i = 0; !rc && own->output && !own->single && i < own->inputs->count; i++) {
		bool is_input;

		rc = dedup_outfile_check(own->output, own->inputs->v[i].name, o->inputs, true, &is_input);
		if (rc) {
			snprintf(result->path, sizeof result->path, "%s/%s", own->output,
				own->inputs->v[i].name);
			result->fault.why = "the output would replace an input";
		}
	}
	return rc;
}

int dedup_stage_filter(const struct dedup_work *work, unsigned shard, struct dedup_result *result)
{
	struct dedup_options own = *work->options;
	struct dedup_inputs inputs;
	struct dedup_outcome outcome, part;
	uint64_t start = clock_now_ns();
	size_t first, end;
	int rc = dedup_outcome_init(&outcome, own.inputs->count);

	dedup_work_inputs(work, shard, &first, &end);
	inputs = (struct dedup_inputs){.v = own.inputs->v + first, .count = end - first};
	own.inputs = &inputs;
	own.record = NULL; /* one stage knows not all that a record says */
	if (shard)
		own.duplicates = own.clusters = own.mask = NULL;
	rc = rc ? rc : check(work->options, &own, result);
	rc = rc ? rc : dedup_stages_outcome(work, &outcome, result);
	if (!rc && (own.duplicates || own.clusters || own.mask)) { /* of all files, and no records */
		struct dedup_options all = *work->options;

		all.output = all.record = all.quarantine = NULL;
		rc = dedup_output(&all, work, &outcome, NULL, start, &(struct dedup_result){0});
	}
	own.duplicates = own.clusters = own.mask = NULL;
	if (!rc) {
		part = outcome;
		part.first_ids += first;
		part.inputs = end - first;
		rc = dedup_output(&own, work, &part, NULL, start, result);
	}
	dedup_outcome_release(&outcome);
	return rc;
}

int dedup_stages_blame(const struct dedup_work *work, int rc, struct dedup_result *result)
{
	if (!rc || result->fault.input || *result->path)
		return rc;
	snprintf(result->path, sizeof result->path, "%s", rc == -E2BIG ? "--memory" : work->dir);
	if (rc == -ESTALE)
		result->fault.why = "it is another run's: the inputs or the options are not the same";
	if (rc == -ENOENT)
		result->fault.why = "an earlier stage is not done";
	if (rc == -EBADMSG)
		result->fault.why = "a file of the stages is damaged";
	return rc;
}
