#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dedup/arrow/bits.h"
#include "dedup/arrow/spool.h"
#include "dedup/cutting.h"
#include "dedup/lib/handle.h"
#include "store/util/clock.h"

#define STREAM "the stream"

/* Whether rows are seen more than once, or more of them than a text. */
static bool needs_spool(const struct dedup_options *o)
{
	return o->memory || dedup_cutting_any(&o->cutting) || o->exact_field ||
	       o->keep == DEDUP_KEEP_NEWEST || o->keep == DEDUP_KEEP_BEST || o->duplicates || o->clusters ||
	       o->mask || o->record || o->on_error == DEDUP_QUARANTINE;
}

static const char *not_for_streams(const struct dedup_options *o)
{
	if (o->output)
		return "output: rows of a stream come out by mithril_dedup_stream or _filter";
	if (o->work)
		return "work: a stream cannot be taken up again";
	if (o->keep == DEDUP_KEEP_PREFER)
		return "keep: rows of a stream have no files to be preferred";
	return NULL;
}

static int fill_mask(struct mithril_dedup *d)
{
	uint64_t rows = dedup_outcome_lines(&d->outcome);

	d->mask = calloc(rows / 8 + 1, 1);
	if (!d->mask)
		return -ENOMEM;
	d->rows = rows;
	for (uint64_t row = 0; row < rows; row++) {
		enum dedup_how how = dedup_outcome_of(&d->outcome, (uint32_t)row).how;

		if (how == DEDUP_HOW_STAYS || how == DEDUP_HOW_BLANK) {
			arrow_bit_set(d->mask, (int64_t)row);
			d->kept++;
		}
	}
	return 0;
}

/* The one line that says what went wrong: the most particular that is known. */
static void say(struct mithril_dedup *d, int rc)
{
	const struct dedup_fault *fault = &d->result.fault;
	const char *why = fault->why ? fault->why : strerror(-rc);
	bool is_stream = d->source.stream.release || d->source.rows;

	if (*d->error)
		return;
	if (*d->source.error)
		dedup_lib_fail(d, rc, d->source.error);
	else if (*d->result.path)
		snprintf(d->error, sizeof d->error, "%s: %s", d->result.path, why);
	else if (fault->line && is_stream)
		snprintf(d->error, sizeof d->error, "row %llu: %s", (unsigned long long)fault->line - 1, why);
	else if (fault->line)
		snprintf(d->error, sizeof d->error, "%s: line %llu: %s", fault->input->path,
			(unsigned long long)fault->line, why);
	else if (fault->input && !is_stream)
		snprintf(d->error, sizeof d->error, "%s: %s", fault->input->path, why);
	else
		dedup_lib_fail(d, rc, why);
}

static void say_job(struct mithril_dedup *d, int rc)
{
	const char *why = d->job.why ? d->job.why : strerror(-rc);

	if (d->job.line)
		snprintf(d->error, sizeof d->error, "%s: line %llu: %s", d->job.what,
			(unsigned long long)d->job.line, why);
	else
		snprintf(d->error, sizeof d->error, "%s: %s", d->job.what, why);
}

static int begin(struct mithril_dedup *d)
{
	d->error[0] = 0;
	if (d->has_run || !d->is_good)
		return dedup_lib_fail(
			d, -EINVAL, "a handle runs once, and not after its options were refused");
	d->has_run = true;
	return 0;
}

static int end(struct mithril_dedup *d, uint64_t start, int rc)
{
	rc = rc ? rc : fill_mask(d);
	d->seconds = (double)(clock_now_ns() - start) * 1e-9;
	if (rc)
		say(d, rc);
	return rc;
}

static int run_to(struct mithril_dedup *d)
{
	int rc = dedup_outcome_init(&d->outcome, d->job.inputs.count);

	return rc ? rc : dedup_run_to(&d->job.options, &d->outcome, &d->cuts, &d->result);
}

static int run_spooled(struct mithril_dedup *d)
{
	const struct dedup_options *o = &d->job.options;
	struct arrow_spool spool = {
		.text = dedup_needs_text(o) ? o->field : NULL,
		.fields = {o->exact_field,
			o->keep == DEDUP_KEEP_NEWEST || o->keep == DEDUP_KEEP_BEST ? o->keep_by : NULL},
	};
	int fd = dedup_spool_open(), rc = fd < 0 ? fd : arrow_spool(&spool, &d->source, fd);

	if (rc && fd >= 0)
		close(fd);
	rc = rc ? rc : dedup_inputs_add_spool(&d->job.inputs, STREAM, fd);
	return rc ? rc : run_to(d);
}

static int run_once(struct mithril_dedup *d)
{
	int rc = dedup_inputs_add_source(&d->job.inputs, STREAM, &d->source.source);

	rc = rc ? rc : dedup_outcome_init(&d->outcome, d->job.inputs.count);
	return rc ? rc : dedup_decide(&d->job.options, &d->outcome, &d->result);
}

int mithril_dedup_run(struct mithril_dedup *d, struct ArrowArrayStream *stream)
{
	const struct dedup_options *o = &d->job.options;
	uint64_t start = clock_now_ns();
	int rc = begin(d);

	if (!rc && not_for_streams(o))
		rc = dedup_lib_fail(d, -EINVAL, not_for_streams(o));
	if (!rc && (rc = dedup_job_against(&d->job)))
		say_job(d, rc);
	if (rc) {
		if (stream->release)
			stream->release(stream);
		stream->release = NULL;
		return rc;
	}
	rc = arrow_source_open(
		&d->source, stream, dedup_needs_text(o) ? o->field : NULL, d->job.asked.stream);
	rc = rc ? rc : needs_spool(o) ? run_spooled(d) : run_once(d);
	rc = end(d, start, rc);
	if (rc || !d->job.asked.stream)
		arrow_source_close(&d->source);
	return rc;
}

int mithril_dedup_files(struct mithril_dedup *d, const char *const *files, size_t count)
{
	uint64_t start = clock_now_ns();
	int rc = begin(d);

	if (rc)
		return rc;
	if (!count)
		return dedup_lib_fail(d, -EINVAL, "no file is named");
	rc = dedup_job_files(&d->job, files, count);
	rc = rc ? rc : dedup_job_against(&d->job);
	if (rc) {
		say_job(d, rc);
		return rc;
	}
	return end(d, start, run_to(d));
}
