#include "dedup/dedup.h"

#include <errno.h>
#include <stdlib.h>

#include "dedup/filter.h"
#include "dedup/group/near.h"
#include "dedup/output.h"
#include "dedup/scan.h"
#include "dedup/stages.h"
#include "store/util/clock.h"

static void tell_faults(const struct dedup_options *o, const struct dedup_scan *scan)
{
	for (size_t i = 0; o->fault && i < scan->fault_count; i++) {
		const struct dedup_scan_fault *f = &scan->faults[i];
		struct dedup_fault fault = {&o->inputs->v[f->input], f->line, f->why};

		o->fault(o->ctx, &fault);
	}
}

static int scan(const struct dedup_options *o, struct dedup_outcome *outcome, struct dedup_scan *s,
	struct dedup_result *result)
{
	struct dedup_ranks ranks;
	int rc = dedup_ranks_init(&ranks, o, outcome);

	rc = rc ? rc : dedup_scan(o, outcome, &ranks, s, result);
	s->table_memory += dedup_ranks_memory(&ranks);
	dedup_ranks_release(&ranks);

	if (rc == -EBADMSG && s->fault_count) {
		const struct dedup_scan_fault *f = &s->faults[0];

		result->fault = (struct dedup_fault){&o->inputs->v[f->input], f->line, f->why};
	}
	if (!rc)
		tell_faults(o, s);
	return rc;
}

static int near_progress(void *ctx, size_t done, size_t of)
{
	const struct dedup_options *o = ctx;

	return o->progress ? o->progress(o->ctx, "comparing", done, of) : 0;
}

static int near(const struct dedup_options *o, struct dedup_outcome *outcome, struct dedup_scan *s,
	struct dedup_result *result)
{
	struct dedup_near_options options = {
		.bands = o->bands.bands,
		.threads = o->threads,
		.simhash = o->method == DEDUP_SIMHASH,
		.distance = o->distance,
		.threshold = o->threshold,
		.progress = near_progress,
		.ctx = (void *)(uintptr_t)o,
	};
	struct dedup_near_stats stats;
	int rc;

	rc = dedup_near(s->texts, s->text_count, &options, &stats);
	for (size_t i = 0; !rc && i < s->text_count; i++)
		if (s->texts[i].anchor != i)
			rc = dedup_outcome_tie(outcome, s->texts[i].id, s->texts[s->texts[i].anchor].id,
				(double)s->texts[i].similarity);
	if (rc)
		return rc;
	result->candidates = stats.candidates;
	result->rejected = stats.rejected;
	result->near = stats.joined;
	result->times.band = (double)stats.band_ns * 1e-9;
	result->times.verify = (double)stats.verify_ns * 1e-9;
	result->memory = stats.memory + s->text_count * sizeof *s->texts;
	return 0;
}

/* The tables of the first pass are gone when those of the second are made; what the texts hold stays. */
static void count_memory(
	const struct dedup_outcome *outcome, const struct dedup_scan *s, struct dedup_result *result)
{
	if (result->memory < s->table_memory)
		result->memory = s->table_memory;
	for (unsigned i = 0; i < s->threads; i++)
		result->memory += s->arenas[i].bytes;
	result->memory += dedup_outcome_memory(outcome);
}

int dedup_decide(const struct dedup_options *o, struct dedup_outcome *outcome, struct dedup_result *result)
{
	struct dedup_scan s = {0};
	int rc = scan(o, outcome, &s, result);

	if (!rc && dedup_method_compares(o->method))
		rc = near(o, outcome, &s, result);
	if (!rc)
		count_memory(outcome, &s, result);
	dedup_scan_release(&s);
	return rc;
}

/* What is done of the work stays, where the directory was named, until all is. */
static int run_in_stages(const struct dedup_options *options, struct dedup_outcome *outcome,
	struct dedup_cuts *cuts, uint64_t start, struct dedup_result *result)
{
	struct dedup_options o = *options;
	struct dedup_work work;
	int rc = dedup_work_open(&work, options);

	rc = dedup_stages_blame(&work, rc, result);
	if (!rc && dedup_work_takes_up_output(&work))
		o.force = true;
	rc = rc ? rc : dedup_output_check(&o, result);
	rc = rc ? rc : dedup_stages_blame(&work, dedup_stages_run(&work, result), result);
	rc = rc ? rc : dedup_stages_blame(&work, dedup_stages_outcome(&work, outcome, result), result);
	rc = rc ? rc : dedup_stages_blame(&work, dedup_work_begin_output(&work), result);
	rc = rc ? rc
		: dedup_stages_blame(&work, dedup_output(&o, &work, outcome, cuts, start, result), result);
	result->memory = o.memory;
	if (!rc || work.is_temporary)
		dedup_work_remove(&work);
	return rc;
}

int dedup_run_to(const struct dedup_options *o, struct dedup_outcome *outcome, struct dedup_cuts *cuts,
	struct dedup_result *result)
{
	uint64_t start = clock_now_ns();
	int rc = 0;

	*result = (struct dedup_result){0};
	if (o->memory) {
		rc = run_in_stages(o, outcome, cuts, start, result);
	} else {
		rc = dedup_output_check(o, result);
		rc = rc ? rc : dedup_decide(o, outcome, result);
		rc = rc ? rc : dedup_output(o, NULL, outcome, cuts, start, result);
	}
	result->times.wall = (double)(clock_now_ns() - start) * 1e-9;
	return rc;
}

int dedup_run(const struct dedup_options *o, struct dedup_result *result)
{
	struct dedup_outcome outcome = {0};
	int rc;

	*result = (struct dedup_result){0};
	rc = dedup_outcome_init(&outcome, o->inputs->count);
	rc = rc ? rc : dedup_run_to(o, &outcome, NULL, result);
	dedup_outcome_release(&outcome);
	return rc;
}
