#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dedup/arrow/bits.h"
#include "dedup/arrow/filtered.h"
#include "dedup/dedup.h"
#include "dedup/group/parallel.h"
#include "dedup/lib/mithril-dedup.h"
#include "dedup/outcome.h"
#include "dedup/text/shingles.h"
#include "store/util/clock.h"

struct mithril_dedup {
	struct mithril_dedup_options options;
	char *field;
	struct dedup_inputs inputs;
	struct arrow_source source;
	struct dedup_outcome outcome;
	struct dedup_result result;
	double seconds;
	uint64_t rows, kept;
	uint8_t *mask;
	bool has_run;
	char error[256];
};

const char *mithril_dedup_version(void)
{
	return MITHRIL_VERSION;
}

static int fail(struct mithril_dedup *d, int rc, const char *why)
{
	snprintf(d->error, sizeof d->error, "%s", why);
	return rc;
}

static uint32_t processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

	return count < 1 ? 1 : count > (int)DEDUP_THREADS_MAX ? DEDUP_THREADS_MAX : (uint32_t)count;
}

void mithril_dedup_defaults(struct mithril_dedup_options *options, size_t size)
{
	struct mithril_dedup_options all = {
		.size = (uint32_t)size,
		.field = "text",
		.threshold = .8,
		.normalise = DEDUP_NORMALISE_ALL,
		.ngram = 5,
		.values = 128,
		.threads = processors(),
	};

	memset(options, 0, size);
	memcpy(options, &all, size < sizeof all ? size : sizeof all);
}

static const char *wrong_option(const struct mithril_dedup_options *o)
{
	if (!o->field || !*o->field)
		return "field: not a name";
	if (o->method > MITHRIL_DEDUP_EXACT)
		return "method: not near or exact";
	if (!(o->threshold > 0 && o->threshold <= 1))
		return "threshold: not above 0 and at most 1";
	if (o->normalise > DEDUP_NORMALISE_ALL)
		return "normalise: not flags of NFC, LOWER and PUNCT";
	if (o->ngram < 1 || o->ngram > DEDUP_NGRAM_MAX)
		return "ngram: not 1 to 64";
	if (o->sketch > MITHRIL_DEDUP_PERMUTATIONS)
		return "sketch: not fast or permutations";
	if (o->values < 1 || o->values > DEDUP_SKETCH_MAX)
		return "values: not 1 to 1024";
	if (!o->bands != !o->rows || (uint64_t)o->bands * o->rows > DEDUP_SKETCH_MAX)
		return "bands, rows: not both, or over 1024 values in all";
	if (o->keep > MITHRIL_DEDUP_KEEP_LONGEST)
		return "keep: not first or longest";
	if (o->threads < 1 || o->threads > DEDUP_THREADS_MAX)
		return "threads: not 1 to 256";
	return NULL;
}

int mithril_dedup_new(const struct mithril_dedup_options *options, struct mithril_dedup **dedup)
{
	struct mithril_dedup *d = calloc(1, sizeof *d);
	const char *wrong;
	size_t size = options->size;

	*dedup = d;
	if (!d)
		return -ENOMEM;
	mithril_dedup_defaults(&d->options, sizeof d->options);
	memcpy(&d->options, options, size < sizeof d->options ? size : sizeof d->options);
	wrong = wrong_option(&d->options);
	if (wrong)
		return fail(d, -EINVAL, wrong);
	d->field = strdup(d->options.field);
	if (!d->field) {
		mithril_dedup_free(d);
		*dedup = NULL;
		return -ENOMEM;
	}
	return 0;
}

void mithril_dedup_free(struct mithril_dedup *d)
{
	if (!d)
		return;
	arrow_source_close(&d->source);
	dedup_inputs_release(&d->inputs);
	dedup_outcome_release(&d->outcome);
	free(d->mask);
	free(d->field);
	free(d);
}

const char *mithril_dedup_error(const struct mithril_dedup *d)
{
	return d->error;
}

static struct dedup_options engine_options(const struct mithril_dedup *d)
{
	const struct mithril_dedup_options *o = &d->options;
	struct dedup_options e = {
		.inputs = &d->inputs,
		.field = d->field,
		.method = o->method == MITHRIL_DEDUP_EXACT ? DEDUP_EXACT : DEDUP_NEAR,
		.normalise = o->normalise,
		.ngram = o->ngram,
		.threshold = o->threshold,
		.sketch = o->sketch == MITHRIL_DEDUP_FAST ? DEDUP_SKETCH_FAST : DEDUP_SKETCH_PERMUTATIONS,
		.bands = {o->bands, o->rows},
		.values = o->values,
		.keep = o->keep == MITHRIL_DEDUP_KEEP_FIRST ? DEDUP_KEEP_FIRST : DEDUP_KEEP_LONGEST,
		.on_error = o->skip ? DEDUP_SKIP : DEDUP_STOP,
		.threads = o->threads,
	};

	if (!e.bands.bands)
		e.bands = dedup_bands_choose(e.threshold, e.values, DEDUP_CHANCE_VERIFIED);
	else if (e.values < e.bands.bands * e.bands.rows)
		e.values = e.bands.bands * e.bands.rows;
	return e;
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

static int say(struct mithril_dedup *d, int rc)
{
	const struct dedup_fault *fault = &d->result.fault;

	if (*d->source.error)
		return fail(d, rc, d->source.error);
	if (rc == -EBADMSG && fault->line)
		snprintf(d->error, sizeof d->error, "row %llu: %s", (unsigned long long)fault->line - 1,
			fault->why);
	else
		fail(d, rc, strerror(-rc));
	return rc;
}

int mithril_dedup_run(struct mithril_dedup *d, struct ArrowArrayStream *stream)
{
	struct dedup_options options = engine_options(d);
	uint64_t start = clock_now_ns();
	int rc;

	d->error[0] = 0;
	if (d->has_run || !d->field) {
		if (stream->release)
			stream->release(stream);
		return fail(d, -EINVAL, "a handle runs once, and not after its options were refused");
	}
	d->has_run = true;
	rc = arrow_source_open(&d->source, stream, d->field, d->options.stream);
	rc = rc ? rc : dedup_inputs_add_source(&d->inputs, "the stream", &d->source.source);
	rc = rc ? rc : dedup_outcome_init(&d->outcome, d->inputs.count);
	rc = rc ? rc : dedup_decide(&options, &d->outcome, &d->result);
	rc = rc ? rc : fill_mask(d);
	d->seconds = (double)(clock_now_ns() - start) * 1e-9;
	if (rc)
		say(d, rc);
	if (rc || !d->options.stream)
		arrow_source_close(&d->source);
	return rc;
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
		.exact = r->exact,
		.near = r->near,
		.candidates = r->candidates,
		.rejected = r->rejected,
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

int mithril_dedup_stream(struct mithril_dedup *d, struct ArrowArrayStream *stream)
{
	int rc;

	d->error[0] = 0;
	stream->release = NULL;
	if (!d->mask || !d->source.stream.release)
		return fail(d, -EINVAL, "there is no stream: none was kept, or it was taken already");
	rc = arrow_filtered(stream, &d->source, d->mask, d->error);
	return rc == -ENOMEM ? fail(d, rc, strerror(ENOMEM)) : rc;
}
