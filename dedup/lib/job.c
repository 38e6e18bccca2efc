#include "dedup/lib/job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dedup/lib/outputs.h"

#define COMPRESSED 4u /* times as many bytes of text, as a guess */

int dedup_job_blame(struct dedup_job *job, int rc, const char *what, const char *why)
{
	job->what = what;
	job->why = why;
	return rc;
}

static int add(struct dedup_job *job, struct dedup_inputs *inputs, const char *file, enum dedup_format format)
{
	int rc = dedup_inputs_add(inputs, file, format);

	return rc ? dedup_job_blame(job, rc, file, rc == -EEXIST ? "it is named twice" : NULL) : 0;
}

uint64_t dedup_job_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : (uint64_t)1 << 30;
}

/* Where the files are larger. */
static void bound_memory(struct dedup_job *job)
{
	uint64_t half = dedup_job_memory(), size = 0;

	for (size_t i = 0; i < job->inputs.count; i++)
		size += job->inputs.v[i].size * (job->inputs.v[i].codec == DEDUP_CODEC_NONE ? 1 : COMPRESSED);
	if (!job->options.memory && job->options.method != DEDUP_STREAM && size > half)
		job->options.memory = half;
}

int dedup_job_files(struct dedup_job *job, const char *const *files, size_t count)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++) {
		if (job->options.work && !strcmp(files[i], "-"))
			return dedup_job_blame(
				job, -EINVAL, "-", "with --work, inputs are files that are there again");
		rc = add(job, &job->inputs, files[i], (enum dedup_format)job->asked.format);
	}
	if (rc)
		return rc;
	rc = dedup_inputs_name(&job->inputs);
	if (rc)
		return dedup_job_blame(job, rc, "FILE",
			rc == -EEXIST ? "two inputs would have the same name in the output" : NULL);
	bound_memory(job);
	return dedup_outputs_check_single(job);
}

int dedup_job_against(struct dedup_job *job)
{
	const struct mithril_dedup_options *o = &job->asked;
	bool is_near = o->overlap == MITHRIL_DEDUP_JACCARD;
	const struct dedup_options *d = &job->options;
	double near = o->threshold > 0 ? o->threshold : DEDUP_THRESHOLD;
	struct dedup_against_options options = {
		.inputs = &job->against_inputs,
		.field = o->against_field ? o->against_field : o->field,
		.normalise = is_near ? d->normalise : d->normalise & ~(unsigned)DEDUP_CHARS,
		.ngram = is_near ? o->ngram : o->overlap_ngram,
		.overlap = is_near ? DEDUP_OVERLAP_JACCARD : DEDUP_OVERLAP_SHARE,
		.least = o->overlap == MITHRIL_DEDUP_ANY      ? -1
			 : is_near && !(o->overlap_least > 0) ? near
							      : o->overlap_least,
	};
	const struct dedup_input *input;
	struct dedup_against *against;
	const char *why;
	int rc = 0;

	for (size_t i = 0; !rc && i < o->against_count; i++)
		rc = add(job, &job->against_inputs, o->against[i], DEDUP_FORMAT_AUTO);
	if (rc || !o->against_count)
		return rc;
	rc = dedup_against_load(&options, &against, &input, &job->line, &why);
	if (rc)
		return dedup_job_blame(job, rc, input ? input->path : "against", why);
	job->options.against = against;
	return 0;
}

void dedup_job_release(struct dedup_job *job)
{
	dedup_against_free((struct dedup_against *)(uintptr_t)job->options.against);
	dedup_inputs_release(&job->against_inputs);
	dedup_inputs_release(&job->inputs);
	job->options.against = NULL;
}
