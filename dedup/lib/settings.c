#include <errno.h>
#include <string.h>

#include "dedup/cut/substrings.h"
#include "dedup/cutting.h"
#include "dedup/group/parallel.h"
#include "dedup/lib/job.h"
#include "dedup/lib/outputs.h"
#include "dedup/sketch/simhash.h"
#include "dedup/text/shingles.h"
#include "dedup/work.h"
#include "store/util/processors.h"

#define OVERLAP_NGRAM 13u /* words, as is usual for this */

/* Numbers of the options are those of the engine. */
_Static_assert((int)MITHRIL_DEDUP_SIMHASH == DEDUP_SIMHASH && (int)MITHRIL_DEDUP_STREAM == DEDUP_STREAM &&
		       (int)MITHRIL_DEDUP_EXACT == DEDUP_EXACT,
	"methods");
_Static_assert((int)MITHRIL_DEDUP_KEEP_LONGEST == DEDUP_KEEP_LONGEST &&
		       (int)MITHRIL_DEDUP_KEEP_NEWEST == DEDUP_KEEP_NEWEST &&
		       (int)MITHRIL_DEDUP_KEEP_BEST == DEDUP_KEEP_BEST &&
		       (int)MITHRIL_DEDUP_KEEP_PREFER == DEDUP_KEEP_PREFER,
	"policies");
_Static_assert((int)MITHRIL_DEDUP_PERMUTATIONS == DEDUP_SKETCH_PERMUTATIONS, "sketches");
_Static_assert((int)MITHRIL_DEDUP_SKIP == DEDUP_SKIP && (int)MITHRIL_DEDUP_QUARANTINE == DEDUP_QUARANTINE,
	"what is done with bad records");
_Static_assert((int)MITHRIL_DEDUP_JSONL == DEDUP_FORMAT_JSONL && (int)MITHRIL_DEDUP_TEXT == DEDUP_FORMAT_TEXT,
	"formats");
_Static_assert((int)MITHRIL_DEDUP_NFC == DEDUP_NFC && (int)MITHRIL_DEDUP_LOWER == DEDUP_LOWER &&
		       (int)MITHRIL_DEDUP_PUNCT == DEDUP_PUNCT,
	"normalising");

static uint32_t processors(void)
{
	unsigned count = processors_count();

	return count > DEDUP_THREADS_MAX ? DEDUP_THREADS_MAX : count;
}

void dedup_job_defaults(struct mithril_dedup_options *options)
{
	*options = (struct mithril_dedup_options){
		.size = sizeof *options,
		.field = "text",
		.normalise = DEDUP_NORMALISE_ALL,
		.ngram = 5,
		.distance = 3,
		.values = 128,
		.false_positives = 1e-5,
		.overlap_ngram = OVERLAP_NGRAM,
		.threads = processors(),
	};
}

/* Each number by itself. */
static int check_ranges(struct dedup_job *job)
{
	const struct mithril_dedup_options *o = &job->asked;
	const struct {
		const char *what;
		double value, least, most;
		const char *why;
	} ranges[] = {
		{"format", o->format, 0, DEDUP_FORMAT_TEXT, "not auto, jsonl or text"},
		{"normalise", o->normalise, 0, DEDUP_NORMALISE_ALL, "not flags of nfc, lower and punct"},
		{"ngram", o->ngram, 1, DEDUP_NGRAM_MAX, "not 1 to 64"},
		{"characters", o->characters, 0, 1, "not 0 or 1"},
		{"method", o->method, 0, DEDUP_STREAM, "not near, exact, simhash or stream"},
		{"drop", o->drop, 0, 1 - 1e-12, "not a share below 1"},
		{"threshold", o->threshold, 0, 1, "not above 0 and at most 1"},
		{"distance", o->distance, 0, DEDUP_DISTANCE_MAX, "not at most 16"},
		{"sketch", o->sketch, 0, DEDUP_SKETCH_PERMUTATIONS, "not fast or permutations"},
		{"values", o->values, 1, DEDUP_SKETCH_MAX, "not 1 to 1024"},
		{"keep", o->keep, 0, DEDUP_KEEP_PREFER, "not first, longest, newest, best or prefer"},
		{"expect", (double)o->expect, 0, UINT32_MAX, "too many texts"},
		{"false_positives", o->false_positives, 1e-300, 1 - 1e-12, "not above 0 and below 1"},
		{"overlap", o->overlap, 0, MITHRIL_DEDUP_JACCARD, "not any, share or jaccard"},
		{"overlap_ngram", o->overlap_ngram, 1, DEDUP_NGRAM_MAX, "not 1 to 64"},
		{"overlap_least", o->overlap_least, o->overlap == MITHRIL_DEDUP_SHARE ? 1e-300 : 0, 1,
			"not above 0 and at most 1"},
		{"threads", o->threads, 1, DEDUP_THREADS_MAX, "not 1 to 256"},
		{"on_error", o->on_error, 0, DEDUP_QUARANTINE, "not stop, skip or quarantine"},
		{"shards", o->shards, 0, DEDUP_SHARDS_MAX, "not 1 to 4096"},
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (!(ranges[i].value >= ranges[i].least && ranges[i].value <= ranges[i].most))
			return dedup_job_blame(job, -EINVAL, ranges[i].what, ranges[i].why);
	return 0;
}

static bool is_empty(const char *name)
{
	return name && !*name;
}

static int check_names(struct dedup_job *job)
{
	const struct mithril_dedup_options *o = &job->asked;
	const struct {
		const char *what, *name;
	} names[] = {{"field", o->field ? o->field : ""}, {"exact_field", o->exact_field},
		{"keep_by", o->keep_by}, {"against_field", o->against_field}, {"work", o->work},
		{"output", o->output}, {"duplicates", o->duplicates}, {"clusters", o->clusters},
		{"mask", o->mask}, {"quarantine", o->quarantine}, {"record", o->record}};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (is_empty(names[i].name))
			return dedup_job_blame(job, -EINVAL, names[i].what, "not a name");
	if ((o->keep >= DEDUP_KEEP_NEWEST) != (o->keep_by != NULL))
		return dedup_job_blame(job, -EINVAL, "keep",
			"newest, best and prefer need to be told by what, and only they");
	return 0;
}

/* What does not go together. */
static int check_together(struct dedup_job *job)
{
	const struct mithril_dedup_options *o = &job->asked;

	if (!o->bands != !o->rows || (uint64_t)o->bands * o->rows > DEDUP_SKETCH_MAX)
		return dedup_job_blame(
			job, -EINVAL, "bands", "not both bands and rows, or over 1024 values in all");
	if (o->substring && (o->substring < DEDUP_SUBSTRING_MIN || o->substring > DEDUP_SUBSTRING_MAX))
		return dedup_job_blame(job, -EINVAL, "substring", "not 16 to 4096 bytes");
	if (o->substring_words && (o->substring || o->substring_words < DEDUP_SUBSTRING_WORDS_MIN ||
					  o->substring_words > DEDUP_SUBSTRING_WORDS_MAX))
		return dedup_job_blame(
			job, -EINVAL, "substring_words", "not 2 to 512 words, or bytes beside them");
	if (o->memory && o->memory < DEDUP_MEMORY_MIN)
		return dedup_job_blame(job, -EINVAL, "memory", "not a size of 1 MiB or more");
	if (o->method != MITHRIL_DEDUP_STREAM)
		return 0;
	if (o->exact_field)
		return dedup_job_blame(
			job, -EINVAL, "stream", "it has no list of texts, and no exact duplicates beside it");
	if (o->duplicates || o->clusters || o->keep != MITHRIL_DEDUP_KEEP_FIRST)
		return dedup_job_blame(job, -EINVAL, "stream",
			"it keeps the first, and cannot say what a text is a duplicate of");
	if (!o->expect)
		return dedup_job_blame(
			job, -EINVAL, "stream", "--expect must say how many texts there are at most");
	if (o->memory || o->work || o->shards)
		return dedup_job_blame(job, -EINVAL, "--memory", "this is for other methods than stream");
	return 0;
}

static void choose_bands(struct dedup_options *d)
{
	if (d->method == DEDUP_SIMHASH)
		d->bands = (struct dedup_bands){dedup_simhash_key_count(d->distance), 1};
	else if (!d->bands.bands)
		d->bands = dedup_bands_choose(d->threshold, d->values,
			d->method == DEDUP_STREAM ? DEDUP_CHANCE_ALONE : DEDUP_CHANCE_VERIFIED);
	else if (d->values < d->bands.bands * d->bands.rows)
		d->values = d->bands.bands * d->bands.rows;
}

static int pass_progress(void *ctx, const char *stage, uint64_t done, uint64_t of)
{
	const struct mithril_dedup_options *o = &((struct dedup_job *)ctx)->asked;

	return o->progress(o->ctx, stage, done, of);
}

static void pass_fault(void *ctx, const struct dedup_fault *fault)
{
	const struct mithril_dedup_options *o = &((struct dedup_job *)ctx)->asked;

	o->fault(o->ctx, fault->input->path, fault->line, fault->why);
}

static void translate(struct dedup_job *job)
{
	const struct mithril_dedup_options *o = &job->asked;

	job->options = (struct dedup_options){
		.inputs = &job->inputs,
		.field = o->field,
		.method = (enum dedup_method)o->method,
		.exact_field = o->exact_field,
		.cutting = {.line = o->line,
			.paragraph = o->paragraph,
			.substring = o->substring ? o->substring : o->substring_words,
			.words = o->substring_words != 0,
			.drop = o->drop},
		.normalise = o->normalise | (o->characters ? DEDUP_CHARS : 0),
		.ngram = o->ngram,
		.threshold = o->threshold > 0 || o->method == MITHRIL_DEDUP_SIMHASH ? o->threshold
										    : DEDUP_THRESHOLD,
		.distance = o->distance,
		.sketch = (enum dedup_sketch_kind)o->sketch,
		.bands = {o->bands, o->rows},
		.values = o->values,
		.keep = (enum dedup_keep)o->keep,
		.keep_by = o->keep_by,
		.expect = o->expect,
		.wrong = o->false_positives,
		.on_error = (enum dedup_on_error)o->on_error,
		.memory = o->memory		 ? o->memory
			  : o->work || o->shards ? dedup_job_memory()
						 : 0,
		.work = o->work,
		.shards = o->shards,
		.threads = o->threads,
		.output = o->output,
		.force = o->force != 0,
		.duplicates = o->duplicates,
		.clusters = o->clusters,
		.mask = o->mask,
		.quarantine = o->quarantine,
		.record = o->no_record ? NULL : o->record,
		.progress = o->progress ? pass_progress : NULL,
		.fault = o->fault ? pass_fault : NULL,
		.ctx = job,
	};
	choose_bands(&job->options);
}

int dedup_job_open(struct dedup_job *job, const struct mithril_dedup_options *asked)
{
	int rc;

	*job = (struct dedup_job){.asked = *asked};
	rc = check_ranges(job);
	rc = rc ? rc : check_names(job);
	rc = rc ? rc : check_together(job);
	if (rc)
		return rc;
	translate(job);
	return dedup_outputs_choose(job);
}
