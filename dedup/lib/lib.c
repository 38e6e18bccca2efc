#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/filtered.h"
#include "dedup/explain.h"
#include "dedup/lib/handle.h"
#include "dedup/record.h"
#include "dedup/report/parts.h"

const char *mithril_dedup_version(void)
{
	return MITHRIL_VERSION;
}

int dedup_lib_fail(struct mithril_dedup *d, int rc, const char *why)
{
	snprintf(d->error, sizeof d->error, "%s", why);
	return rc;
}

void mithril_dedup_defaults(struct mithril_dedup_options *options, size_t size)
{
	struct mithril_dedup_options all;

	dedup_job_defaults(&all);
	all.size = (uint32_t)size;
	memset(options, 0, size);
	memcpy(options, &all, size < sizeof all ? size : sizeof all);
}

int mithril_dedup_new(const struct mithril_dedup_options *options, struct mithril_dedup **dedup)
{
	struct mithril_dedup *d = calloc(1, sizeof *d);
	struct mithril_dedup_options asked;
	int rc;

	*dedup = d;
	if (!d)
		return -ENOMEM;
	dedup_job_defaults(&asked);
	memcpy(&asked, options, options->size < sizeof asked ? options->size : sizeof asked);
	rc = dedup_strings_copy(&d->strings, &asked);
	rc = rc ? rc : dedup_job_open(&d->job, &asked);
	d->is_good = !rc;
	if (rc == -EINVAL)
		snprintf(d->error, sizeof d->error, "%s: %s", d->job.what, d->job.why);
	if (rc && rc != -EINVAL) {
		mithril_dedup_free(d);
		*dedup = NULL;
	}
	return rc;
}

void mithril_dedup_free(struct mithril_dedup *d)
{
	if (!d)
		return;
	arrow_source_close(&d->source);
	dedup_outcome_release(&d->outcome);
	dedup_cuts_release(&d->cuts);
	dedup_job_release(&d->job);
	dedup_strings_release(&d->strings);
	free(d->mask);
	free(d->summary);
	free(d->report);
	free(d);
}

const char *mithril_dedup_error(const struct mithril_dedup *d)
{
	return d->error;
}

void mithril_dedup_get_result(const struct mithril_dedup *d, struct mithril_dedup_result *result)
{
	const struct dedup_result *r = &d->result;

	*result = (struct mithril_dedup_result){.seconds = d->seconds};
	if (!d->mask)
		return;
	*result = (struct mithril_dedup_result){
		.rows = d->rows,
		.documents = r->documents,
		.text_bytes = r->text_bytes,
		.against = r->against,
		.exact = r->exact,
		.near = r->near,
		.candidates = r->candidates,
		.rejected = r->rejected,
		.cut = r->cut,
		.cut_bytes = r->cut_bytes,
		.cut_away = r->cut_away,
		.bad = r->faults,
		.kept = d->kept,
		.memory = r->memory,
		.seconds = d->seconds,
	};
}

uint64_t mithril_dedup_rows(const struct mithril_dedup *d)
{
	return d->rows;
}

const char *mithril_dedup_summary(struct mithril_dedup *d)
{
	json_t *all;

	if (d->summary || !d->mask)
		return d->summary;
	all = dedup_record_summary(&d->job.options, &d->result);
	d->summary = all ? json_dumps(all, JSON_INDENT(2)) : NULL;
	json_decref(all);
	return d->summary;
}

const uint8_t *mithril_dedup_mask(const struct mithril_dedup *d)
{
	return d->rows ? d->mask : NULL;
}

int mithril_dedup_fates(const struct mithril_dedup *d, uint64_t first, uint64_t count, uint8_t *how,
	uint32_t *keeper, float *similarity)
{
	static const uint8_t names[] = {
		[DEDUP_HOW_STAYS] = MITHRIL_DEDUP_STAYS,
		[DEDUP_HOW_BLANK] = MITHRIL_DEDUP_NULL,
		[DEDUP_HOW_BAD] = MITHRIL_DEDUP_BAD,
		[DEDUP_HOW_EXACT] = MITHRIL_DEDUP_SAME,
		[DEDUP_HOW_NEAR] = MITHRIL_DEDUP_SIMILAR,
		[DEDUP_HOW_GONE] = MITHRIL_DEDUP_SHARES,
		[DEDUP_HOW_AGAINST] = MITHRIL_DEDUP_HITS,
		[DEDUP_HOW_CUT] = MITHRIL_DEDUP_REPEATS,
	};

	if (first > d->rows || count > d->rows - first)
		return -ERANGE;
	for (uint64_t i = 0; i < count; i++) {
		struct dedup_fate fate = dedup_outcome_of(&d->outcome, (uint32_t)(first + i));

		if (how)
			how[i] = names[fate.how];
		if (keeper)
			keeper[i] = fate.keeper;
		if (similarity)
			similarity[i] = (float)fate.similarity;
	}
	return 0;
}

_Static_assert(sizeof(struct mithril_dedup_cut) == sizeof(struct dedup_cut) &&
		       offsetof(struct mithril_dedup_cut, row) == offsetof(struct dedup_cut, id) &&
		       offsetof(struct mithril_dedup_cut, from) == offsetof(struct dedup_cut, from),
	"the engine's cuts are handed out as they are");

const struct mithril_dedup_cut *mithril_dedup_cuts(const struct mithril_dedup *d, uint64_t *count)
{
	*count = d->mask ? d->cuts.count : 0;
	return *count ? (const struct mithril_dedup_cut *)(const void *)d->cuts.v : NULL;
}

static struct arrow_stay stay_of(const struct mithril_dedup *d)
{
	return (struct arrow_stay){
		.mask = d->mask,
		.rows = d->rows,
		.cuts = d->job.options.cutting.drop > 0 ? NULL : &d->cuts,
	};
}

static int done(struct mithril_dedup *d, int rc)
{
	return rc && !*d->error ? dedup_lib_fail(d, rc, strerror(-rc)) : rc;
}

int mithril_dedup_stream(struct mithril_dedup *d, struct ArrowArrayStream *stream)
{
	struct arrow_stay stay = stay_of(d);

	d->error[0] = 0;
	stream->release = NULL;
	if (!d->mask || !d->source.stream.release)
		return dedup_lib_fail(
			d, -EINVAL, "there is no stream: none was kept, or it was taken already");
	return done(d, arrow_filtered(stream, &d->source, &stay, d->error));
}

int mithril_dedup_filter(
	struct mithril_dedup *d, struct ArrowArrayStream *again, struct ArrowArrayStream *stream)
{
	struct arrow_stay stay = stay_of(d);
	const struct dedup_options *o = &d->job.options;
	struct arrow_source source;
	int rc;

	d->error[0] = 0;
	stream->release = NULL;
	rc = arrow_source_open(&source, again, dedup_needs_text(o) ? o->field : NULL, false);
	if (rc)
		dedup_lib_fail(d, rc, source.error);
	else if (!d->mask)
		rc = dedup_lib_fail(d, -EINVAL, "there was no run that says which rows stay");
	rc = rc ? rc : arrow_filtered_again(stream, &source, &stay, d->error);
	if (rc)
		arrow_source_close(&source);
	return done(d, rc);
}

int mithril_dedup_explain(struct mithril_dedup *d, const char *const texts[2], const size_t lengths[2],
	struct mithril_dedup_explanation *explanation)
{
	const struct dedup_options *o = &d->job.options;
	struct dedup_explanation e;
	int rc;

	d->error[0] = 0;
	if (!d->is_good)
		return dedup_lib_fail(d, -EINVAL, "the options were refused");
	rc = dedup_explain_texts(o, texts, lengths, &e);
	if (rc)
		return dedup_lib_fail(d, rc, rc == -EBADMSG ? "a text is not UTF-8" : strerror(-rc));
	*explanation = (struct mithril_dedup_explanation){
		.bytes = {e.of[0].bytes, e.of[1].bytes},
		.words = {e.of[0].words, e.of[1].words},
		.shingles = {e.of[0].shingles, e.of[1].shingles},
		.common = e.common,
		.jaccard = e.jaccard,
		.same = e.same,
		.distance = e.distance,
		.values = o->values,
		.values_equal = e.values_equal,
		.bands = o->bands.bands,
		.bands_equal = e.bands_equal,
	};
	return 0;
}
